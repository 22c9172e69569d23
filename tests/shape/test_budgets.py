"""The budgets of CONTRIBUTING.md."""

import statistics

from tests.shape.source import ROOT, SOURCE, functions, imports_inside_functions, python_files

LONG_FILES: dict[str, int] = {}
"""Exceptions: path → lines on 2026-11-22. The list may only shrink."""


def test_no_file_is_longer_than_500_lines():
    files = [
        *python_files(),
        *python_files(ROOT / "tests"),
        *python_files(ROOT / "bench"),
        *python_files(ROOT / "tools"),
    ]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > 500 and ".work" not in path.parts
    }
    assert long == LONG_FILES


def test_no_function_is_longer_than_60_lines():
    long = [str(function) for function in functions(python_files()) if function.lines > 60]
    assert long == []


def test_functions_are_short_as_a_rule():
    sizes = sorted(function.lines for function in functions(python_files()))
    assert statistics.median(sizes) <= 10
    assert sizes[int(len(sizes) * 0.9)] <= 35


def test_nothing_is_imported_inside_a_function_outside_the_command_line():
    found = {
        str(path.relative_to(ROOT)): lines
        for path in python_files()
        if (lines := imports_inside_functions(path)) and SOURCE / "cli" not in path.parents
    }
    assert found == {}


def test_no_module_is_called_utils():
    assert [
        path for path in python_files() if path.stem in {"utils", "util", "helpers", "common", "misc"}
    ] == []
