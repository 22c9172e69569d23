"""ARCHITECTURE.md is true: each room it names exists, and each room that exists is named there."""

import re

import grimp

from tests.shape.source import ROOT, SOURCE, notes_made, python_files

ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
QUOTED = set(re.findall(r"`([^`\s]+)`", ARCHITECTURE))


def test_each_top_level_room_is_described():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert {room for room in rooms if f"src/restante/{room}/" not in QUOTED} == set()


def test_each_server_room_is_described():
    server = SOURCE / "server"
    rooms = {f"{path.name}/" for path in server.iterdir() if path.is_dir() and not path.name.startswith("__")}
    modules = {path.name for path in server.glob("*.py")} - {"__init__.py"}
    assert (rooms | modules) - QUOTED == set()


def test_each_described_path_exists():
    paths = {
        quoted
        for quoted in QUOTED
        if quoted.startswith(("src/", "tests/", "docs/", "protocol/", "tools/", "bench/"))
    }
    assert {path for path in paths if not list(ROOT.glob(path))} == set()


def test_domains_meet_at_their_services_only():
    """Layers allow a service to import the queries of a lower domain; we do not. Pure rules may build on rules."""
    graph = grimp.build_graph("restante", cache_dir=None)
    trespasses = [
        (importer, imported)
        for imported in graph.modules
        if imported.startswith("restante.server.") and imported.endswith((".queries", ".rules"))
        for importer in graph.find_modules_that_directly_import(imported)
        if importer.rpartition(".")[0] != imported.rpartition(".")[0]
        and not (importer.endswith(".rules") and imported.endswith(".rules"))
    ]
    assert trespasses == []


def test_tables_are_reached_from_queries_only():
    graph = grimp.build_graph("restante", cache_dir=None)
    allowed = re.compile(r"restante\.server\.(\w+\.queries|db\..*|sessions\..*|limits\..*|outbox\..*)\Z")
    importers = graph.find_modules_that_directly_import("restante.server.db.tables")
    assert {importer for importer in importers if not allowed.match(importer)} == set()


def test_each_note_that_is_cited_is_written_once():
    """A note is written where its title begins a line or a docstring, and cited everywhere else."""
    texts = [path.read_text() for path in python_files()] + [(ROOT / "Makefile").read_text()]
    written = [
        note for text in texts for note in re.findall(r'^[ #"]*\[Note: ([^\]]+)\]', text, re.MULTILINE)
    ]
    named = set().union(*(notes_made(text) for text in texts))
    assert named - set(written) == set()
    assert len(written) == len(set(written))
