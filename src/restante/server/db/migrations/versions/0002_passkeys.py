"""Passkeys, their ceremonies, fresh verification."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('passkeys',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('mid', sa.Text(), nullable=False, comment='mth_…, as in the keyring'),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False, comment="the authenticator's name for it"),
    sa.Column('public_key', sa.LargeBinary(), nullable=False, comment='COSE key'),
    sa.Column('user_handle', sa.LargeBinary(), nullable=False, comment='random name of the account for authenticators'),
    sa.Column('rp_id', sa.Text(), nullable=False, comment='host that it was made for'),
    sa.Column('sign_count', BIG, nullable=False, comment="the authenticator's counter when it was used last"),
    sa.Column('backup_eligible', sa.Integer(), nullable=False, comment='1: it may be synchronised between devices; never changes'),
    sa.Column('transports', sa.Text(), nullable=False, comment='how browsers may reach it, separated by commas'),
    sa.Column('label', sa.Text(), nullable=False, comment='what its person calls it'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was enrolled'),
    sa.Column('last_used_at', BIG, nullable=True, comment='last sign-in or verification by it'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_passkeys_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'mid', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id')),
    sqlite_strict=True
    )
    op.create_table('passkey_ceremonies',
    sa.Column('id', sa.Text(), nullable=False, comment='cer_…'),
    sa.Column('kind', sa.Text(), nullable=False, comment='registration or assertion'),
    sa.Column('challenge', sa.LargeBinary(), nullable=False, comment='32 random bytes'),
    sa.Column('origin', sa.Text(), nullable=False, comment='where it must be answered from'),
    sa.Column('user_handle', sa.LargeBinary(), nullable=True, comment='of a registration: the handle for the new passkey'),
    sa.Column('name', sa.Text(), nullable=True, comment="of a sign-up's registration: the name wanted"),
    sa.Column('account_id', BIG, nullable=True, comment='of a registration for an account'),
    sa.Column('expires_at', BIG, nullable=False, comment='not good from then on'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_passkey_ceremonies_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey_ceremonies')),
    sqlite_strict=True
    )
    with op.batch_alter_table('passkey_ceremonies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_ceremonies_expires_at'), ['expires_at'], unique=False)
    # Not in batches: a table that others refer to would be made anew.
    op.add_column('unlock_methods', sa.Column('last_used_at', BIG, nullable=True, comment='last sign-in or verification by it'))
    op.add_column('sessions', sa.Column('verified_at', BIG, nullable=False, server_default=sa.text('0'), comment='when the person last showed who they are'))
