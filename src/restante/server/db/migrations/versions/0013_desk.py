"""The desk's own record: what operators did and looked into."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('desk_acts',
    sa.Column('seq', BIG, autoincrement=False, nullable=False, comment='1, 2, 3 … without gaps'),
    sa.Column('operator', sa.Text(), nullable=False, comment='name of the account'),
    sa.Column('act', sa.Text(), nullable=False, comment='look, quarantine, ban or dismiss'),
    sa.Column('subject', sa.Text(), nullable=False, comment='which report'),
    sa.Column('note', sa.Text(), nullable=False, comment='the reason given'),
    sa.Column('created_at', BIG, nullable=False, comment='when'),
    sa.Column('sha256', sa.LargeBinary(), nullable=False, comment='of the line and the hash of the one before'),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_desk_acts')),
    sqlite_strict=True
    )
