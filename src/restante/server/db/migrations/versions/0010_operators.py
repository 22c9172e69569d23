"""Accounts that run the server, and the links that make them."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('operators',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('created_at', BIG, nullable=False, comment='when the account became an operator'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_operators_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_operators')),
    sqlite_strict=True
    )
    op.create_table('operator_links',
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False, comment='of the secret in the link'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was made'),
    sa.Column('expires_at', BIG, nullable=False, comment='until when it is good; its row goes when it is used'),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('pk_operator_links')),
    sqlite_strict=True
    )
