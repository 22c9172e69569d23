"""Which of several nodes has a task in hand, or does what only one should do."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('outbox', sa.Column('held_by', sa.Text(), server_default=sa.text("''"), nullable=False, comment='the node that has it in hand; empty: none, or there is only one'))
    op.add_column('outbox', sa.Column('held_until', BIG, server_default=sa.text('0'), nullable=False, comment='from when on another node may take it'))
    op.create_table('leases',
    sa.Column('name', sa.Text(), nullable=False, comment='sweep, or payment:… of a customer'),
    sa.Column('holder', sa.Text(), nullable=False, comment='the node that does it'),
    sa.Column('until_at', BIG, nullable=False, comment='from when on another may'),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_leases')),
    sqlite_strict=True
    )
