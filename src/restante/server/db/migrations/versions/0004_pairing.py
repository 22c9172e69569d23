"""Pairings; sessions say what they are called and which device they are, and one that was removed is told so."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('pairings',
    sa.Column('lookup', sa.Text(), nullable=False, comment='the half of the address that the server knows'),
    sa.Column('device_code_sha256', sa.LargeBinary(), nullable=False, comment='SHA-256 of the secret of the machine that asks'),
    sa.Column('label', sa.Text(), nullable=False, comment='what the machine calls itself'),
    sa.Column('state', sa.Text(), nullable=False, comment='asked, approved or refused'),
    sa.Column('account_id', BIG, nullable=True, comment='who decided'),
    sa.Column('device', sa.Text(), nullable=True, comment="dev_… of the account's keyring"),
    sa.Column('session_id', sa.Text(), nullable=True, comment='what the machine was given'),
    sa.Column('interval_s', sa.Integer(), nullable=False, comment='between two polls; grows when the machine is too quick'),
    sa.Column('polled_at', BIG, nullable=True, comment='last poll'),
    sa.Column('created_at', BIG, nullable=False, comment='when the machine asked'),
    sa.Column('expires_at', BIG, nullable=False, comment='for the sweep'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_pairings_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('lookup', name=op.f('pk_pairings')),
    sa.UniqueConstraint('device_code_sha256', name=op.f('uq_pairings_device_code_sha256')),
    sqlite_strict=True
    )
    with op.batch_alter_table('pairings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pairings_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_pairings_expires_at'), ['expires_at'], unique=False)
    # Not in batches: a table that others refer to would be made anew.
    op.add_column('sessions', sa.Column('label', sa.Text(), nullable=False, server_default=sa.text("''"), comment='what it calls itself, or empty'))
    op.add_column('sessions', sa.Column('device', sa.Text(), nullable=True, comment="dev_… of the account's keyring, if it said so"))
    op.add_column('sessions', sa.Column('removed_at', BIG, nullable=True, comment='when another device ended it; it is told so when it asks'))
