"""Whom owners accepted or blocked; reports of abuse, quarantine and bans."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('acquaintances',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('who', sa.LargeBinary(), nullable=False, comment='keyed hash of the owner and somebody else'),
    sa.Column('state', sa.Text(), nullable=False, comment='accepted or blocked'),
    sa.Column('created_at', BIG, nullable=False, comment='when the owner decided'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_acquaintances_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'who', name=op.f('pk_acquaintances')),
    sqlite_strict=True
    )
    op.create_table('bans',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('reason', sa.Text(), nullable=False, comment='told to the account'),
    sa.Column('created_at', BIG, nullable=False, comment='from when on'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_bans_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_bans')),
    sqlite_strict=True
    )
    op.create_table('reports',
    sa.Column('id', sa.Text(), nullable=False, comment='rep_…'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('message_id', sa.Text(), nullable=False, comment='what is reported'),
    sa.Column('sender_id', BIG, nullable=True, comment='account that left it; outlives it'),
    sa.Column('sender', sa.Text(), nullable=False, comment='its name, or empty for a caller without account'),
    sa.Column('upload_id', sa.Text(), nullable=True, comment='blob of its video'),
    sa.Column('reason', sa.Text(), nullable=False, comment='one of the words of the API'),
    sa.Column('note', sa.Text(), nullable=False, comment="the reporter's own words"),
    sa.Column('container', sa.LargeBinary(), nullable=False, comment="the envelope's plaintext, disclosed, with the message key"),
    sa.Column('details', sa.LargeBinary(), nullable=False, comment='details.age at that time; empty when the message was gone'),
    sa.Column('received_at', BIG, nullable=False, comment='when the message was left'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was reported'),
    sa.Column('state', sa.Text(), nullable=False, comment='open, quarantined, banned or dismissed'),
    sa.Column('decision', sa.Text(), nullable=False, comment="the operator's reason"),
    sa.Column('decided_at', BIG, nullable=True, comment='when the operator decided'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_reports_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sa.UniqueConstraint('account_id', 'message_id', name=op.f('uq_reports_account_id_message_id')),
    sqlite_strict=True
    )
    with op.batch_alter_table('reports', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reports_account_id'), ['account_id'], unique=False)
        batch_op.create_index('ix_reports_message_id', ['message_id'], unique=False)
        batch_op.create_index('ix_reports_state', ['state', 'created_at'], unique=False)
    # Not in batches: a table that others refer to would be made anew.
    op.add_column('messages', sa.Column('quarantined_at', BIG, nullable=True, comment='when the operator took it out of sight'))
    op.add_column('messages', sa.Column('quarantine_reason', sa.Text(), nullable=False, server_default=sa.text("''"), comment='why; told to those who ask for it'))
