"""Push subscriptions, quiet hours, mail addresses, what was told; names of deleted accounts; work handed to the outside."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f(f'fk_{table}_account_id'), ondelete='CASCADE')


def upgrade() -> None:
    op.create_table('reserved_names',
    sa.Column('name_sha256', sa.LargeBinary(), nullable=False, comment='SHA-256 of a name whose account was deleted'),
    sa.Column('created_at', BIG, nullable=False, comment='the deletion'),
    sa.PrimaryKeyConstraint('name_sha256', name=op.f('pk_reserved_names')),
    sqlite_strict=True
    )
    op.create_table('push_subscriptions',
    sa.Column('id', sa.Text(), nullable=False, comment='psh_…'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('session_id', sa.Text(), nullable=False, comment='whose browser; it ends with the session'),
    sa.Column('endpoint', sa.Text(), nullable=False, comment="address at the browser's push service"),
    sa.Column('p256dh', sa.LargeBinary(), nullable=False, comment="the browser's public key"),
    sa.Column('auth', sa.LargeBinary(), nullable=False, comment='secret shared with the browser'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was made'),
    sa.Column('renewed_at', BIG, nullable=False, comment='last visit'),
    sa.Column('not_before_at', BIG, nullable=True, comment='its push service wants nothing before'),
    _account('push_subscriptions'),
    sa.ForeignKeyConstraint(['session_id'], ['sessions.id'], name=op.f('fk_push_subscriptions_session_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_push_subscriptions')),
    sa.UniqueConstraint('account_id', 'endpoint', name=op.f('uq_push_subscriptions_account_id_endpoint')),
    sqlite_strict=True
    )
    with op.batch_alter_table('push_subscriptions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_push_subscriptions_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_push_subscriptions_session_id'), ['session_id'], unique=False)
    op.create_table('quiet_hours',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('begins', sa.Integer(), nullable=False, comment='minute of the day'),
    sa.Column('ends', sa.Integer(), nullable=False, comment='minute of the day'),
    sa.Column('zone', sa.Text(), nullable=False, comment='time zone, such as Europe/Paris'),
    _account('quiet_hours'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_quiet_hours')),
    sqlite_strict=True
    )
    op.create_table('mail_addresses',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('address', sa.Text(), nullable=False, comment='where mail goes'),
    sa.Column('every_s', BIG, nullable=False, comment='at most one mail in this time'),
    sa.Column('language', sa.Text(), nullable=False, comment='en or fr'),
    sa.Column('code_expires_at', BIG, nullable=True, comment='until when the code is good; the code is stored nowhere'),
    sa.Column('verified_at', BIG, nullable=True, comment='when the code came back'),
    sa.Column('mailed_at', BIG, nullable=True, comment='last mail'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was set'),
    _account('mail_addresses'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_mail_addresses')),
    sqlite_strict=True
    )
    op.create_table('notices',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('cause', sa.Text(), nullable=False, comment='message, caller or request'),
    sa.Column('told_at', BIG, nullable=False, comment='when the account was told of it last'),
    _account('notices'),
    sa.PrimaryKeyConstraint('account_id', 'cause', name=op.f('pk_notices')),
    sqlite_strict=True
    )
    op.add_column('outbox', sa.Column('handed', sa.Integer(), nullable=False, server_default=sa.text('0'), comment='how often it went out without an answer'))
