"""The log of account records; those that are stored already enter it in the order in which they came."""

import sqlalchemy as sa
from alembic import op

from restante.transparency.entries import entry_of
from restante.transparency.merkle import leaf_hash, new_nodes

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

_RECORDS = sa.text(
    'SELECT r.account_id, r.rev, r.record, a.name FROM account_records AS r JOIN accounts AS a ON a.id = r.account_id'
    ' ORDER BY r.created_at, r.account_id, r.rev'
)


def upgrade() -> None:
    table = op.create_table('log_entries',
    sa.Column('leaf', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, comment='its place in the log, from 0, without gaps'),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, comment='whose record it is or was: the log outlives accounts'),
    sa.Column('rev', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, comment='which of their records'),
    sa.Column('entry', sa.LargeBinary(), nullable=False, comment='hash of the acct and hash of the record'),
    sa.Column('nodes', sa.LargeBinary(), nullable=False, comment='hashes of the subtrees that it completes, from the leaf up'),
    sa.PrimaryKeyConstraint('leaf', name=op.f('pk_log_entries')),
    sqlite_strict=True
    )
    with op.batch_alter_table('log_entries', schema=None) as batch_op:
        batch_op.create_index('ix_log_entries_account_id_rev', ['account_id', 'rev'], unique=True)
    _log_stored(op.get_bind(), table)


def _log_stored(connection: sa.Connection, table: sa.Table) -> None:
    stored: bytes | None = connection.execute(sa.text("SELECT value FROM meta WHERE key = 'server_name'")).scalar()
    name = (stored or b'localhost').decode()
    nodes: list[list[bytes]] = []
    for leaf, row in enumerate(connection.execute(_RECORDS).all()):
        entry = entry_of(f'{row.name}@{name}', row.record)
        nodes.append(new_nodes(leaf_hash(entry), leaf, lambda level, index: nodes[((index + 1) << level) - 1][level]))
        values = {'leaf': leaf, 'account_id': row.account_id, 'rev': row.rev, 'entry': entry}
        connection.execute(table.insert().values(nodes=b''.join(nodes[-1]), **values))
