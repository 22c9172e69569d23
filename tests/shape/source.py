"""Reads the tree as text and syntax, for the shape tests."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "restante"


@dataclass(frozen=True)
class Function:
    path: Path
    name: str
    lines: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.name} ({self.lines} lines)"


def python_files(root: Path = SOURCE) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "versions" not in path.parts)


def functions(files: list[Path]) -> Iterator[Function]:
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(path, node.name, _code_lines(node))


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring: explaining is not held against a function."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def imports_inside_functions(path: Path) -> list[int]:
    tree = ast.parse(path.read_text())
    return [
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]


def notes_made(text: str) -> set[str]:
    return set(re.findall(r"\[Note: ([^\]]+)\]", text))
