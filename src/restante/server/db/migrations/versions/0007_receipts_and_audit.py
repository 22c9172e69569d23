"""Receipts, passing on, messages that last until they are played, and the chains of deletions."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('audit',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('seq', BIG, nullable=False, comment='1, 2, 3 … without gaps'),
    sa.Column('line', sa.Text(), nullable=False, comment='strict JSON that names the hash of the line before'),
    sa.Column('created_at', BIG, nullable=False, comment='for the sweep'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_audit_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'seq', name=op.f('pk_audit')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_audit_created_at'), 'audit', ['created_at'])
    # Not in batches: a table that others refer to would be made anew.
    op.add_column('messages', sa.Column('until_played', sa.Integer(), nullable=False, server_default=sa.text('0'), comment='1: it ends soon after its last recipient played it'))
    op.add_column('messages', sa.Column('may_forward', sa.Integer(), nullable=False, server_default=sa.text('0'), comment='1: its recipients may pass it on'))
    op.add_column('envelopes', sa.Column('quiet', sa.Integer(), nullable=False, server_default=sa.text('0'), comment='1: the sender is not shown the two times before'))
    op.add_column('envelopes', sa.Column('delivery_receipt', sa.LargeBinary(), nullable=True, comment='signed by the recipient, for the sender'))
    op.add_column('envelopes', sa.Column('play_receipt', sa.LargeBinary(), nullable=True, comment='likewise'))
    op.add_column('envelopes', sa.Column('forwarded_by', BIG, nullable=True, comment='account that passed the message on to this one'))
