"""A migration only adds, so that the release before serves on beside this one; what takes away says since when nobody needs it."""

import ast
import re
from pathlib import Path

import pytest

from restante.server.db import migrate

SCRIPTS = sorted((Path(migrate.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
TAKES_AWAY = {
    "drop_column",
    "drop_table",
    "rename_table",
    "create_unique_constraint",
    "create_check_constraint",
    "create_foreign_key",
    "create_exclude_constraint",
}
LOOSENS = {"nullable", "comment", "server_default", "schema"}
"""What may change of a column, the first only to true; what the column is already, ``existing_…``, may be told."""
BY_HAND = re.compile(r"\b(ALTER|DROP|RENAME|TRUNCATE)\b", re.IGNORECASE)


def contractions(text: str) -> list[str]:
    """What in a migration the release before could stumble over: rows that it writes, columns that it names."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    own = {_name_of(call) for call in calls if _method(call) == "create_table"}
    return [found for call in calls if (found := _contraction(call, own))]


def _contraction(call: ast.Call, own: set[str]) -> str:
    method, options = _method(call), {each.arg: each.value for each in call.keywords if each.arg}
    where = f"line {call.lineno}: {method}"
    if method in TAKES_AWAY:
        return where
    if method == "alter_column" and not _loosens(options):
        return where
    if method == "add_column" and any(_asks_more(each) for each in call.args):
        return f"{where} without a default"
    if method == "create_index" and _is(options.get("unique"), value=True):
        table = call.args[1] if len(call.args) > 1 else None
        return "" if isinstance(table, ast.Constant) and table.value in own else f"{where}, unique"
    if method == "execute" and BY_HAND.search(ast.unparse(call)):
        return f"{where} by hand"
    return ""


def _loosens(options: dict[str, ast.expr]) -> bool:
    changed = {name for name in options if not name.startswith("existing_")}
    stricter = "nullable" in changed and not _is(options["nullable"], value=True)
    bare = "server_default" in changed and ast.unparse(options["server_default"]) in {"None", "False"}
    return changed <= LOOSENS and not stricter and not bare


def _asks_more(column: ast.expr) -> bool:
    """Tells whether it is a column that a release that does not know it cannot fill."""
    if not isinstance(column, ast.Call):
        return False
    options = {each.arg: each.value for each in column.keywords}
    return _is(options.get("nullable"), value=False) and "server_default" not in options


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _name_of(call: ast.Call) -> str:
    return str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""


def _contracts(text: str) -> str:
    found = re.search(r"^contracts = '([0-9]{4})'$", text, re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_migration_only_adds_unless_nobody_uses_what_it_takes(script):
    text, revision = script.read_text(), script.name[:4]
    if revision <= migrate.SERVES_FROM:  # of the time when nodes were not upgraded one by one
        return
    since = _contracts(text)
    assert since or contractions(text) == [], "see [Note: Two releases at once] in server/db/migrate.py"
    assert since < revision, "the release before must be able to serve on what this one leaves"


@pytest.mark.parametrize(
    "step",
    [
        "op.drop_column('accounts', 'name')",
        "op.drop_table('accounts')",
        "op.rename_table('accounts', 'people')",
        "op.alter_column('accounts', 'name', new_column_name='called')",
        "op.alter_column('accounts', 'name', existing_type=sa.Text(), nullable=False)",
        "op.alter_column('accounts', 'name', type_=sa.Integer())",
        "op.alter_column('accounts', 'mood', server_default=None)",
        "op.add_column('accounts', sa.Column('mood', sa.Text(), nullable=False))",
        "op.create_unique_constraint('uq', 'accounts', ['mood'])",
        "op.create_index('ix', 'accounts', ['mood'], unique=True)",
        "op.execute('ALTER TABLE accounts DROP COLUMN name')",
        "op.execute(sa.text('drop table accounts'))",
    ],
)
def test_what_takes_away_is_found(step):
    """The control, with the form that batches have too."""
    assert contractions(step) != []
    assert contractions(f"with op.batch_alter_table('accounts') as op:\n    {step}") != []


@pytest.mark.parametrize(
    "step",
    [
        "op.add_column('accounts', sa.Column('mood', sa.Text(), nullable=True))",
        "op.add_column('accounts', sa.Column('mood', sa.Text(), server_default=sa.text(\"''\"), nullable=False))",
        "op.create_table('moods', sa.Column('id', sa.Text(), nullable=False))\nop.create_index('ix', 'moods', ['id'], unique=True)",
        "op.create_index('ix', 'accounts', ['mood'], unique=False)",
        "op.alter_column('accounts', 'name', existing_type=sa.Text(), nullable=True, comment='…')",
        "op.drop_index('ix', 'accounts')",
        "op.execute('UPDATE accounts SET mood = 1')",
    ],
)
def test_what_only_adds_is_let_through(step):
    assert contractions(step) == []
