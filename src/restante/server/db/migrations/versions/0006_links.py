"""Guest links with their views; answering pages with their calls; uploads and messages of callers."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f(f'fk_{table}_account_id'), ondelete='CASCADE')


def upgrade() -> None:
    op.create_table('links',
    sa.Column('id', sa.Text(), nullable=False, comment='lnk_…'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('message_id', sa.Text(), nullable=False, comment='what it opens'),
    sa.Column('bearer_sha256', sa.LargeBinary(), nullable=False, comment='SHA-256 of the bearer; the bearer is never stored'),
    sa.Column('envelope', sa.LargeBinary(), nullable=True, comment='envelope.age; emptied when the link is revoked or the message ends'),
    sa.Column('may_save', sa.Integer(), nullable=False, comment='1: the owner lets guests save the video'),
    sa.Column('may_answer', sa.Integer(), nullable=False, comment='1: guests may leave a video for the owner'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was made'),
    sa.Column('expires_at', BIG, nullable=True, comment='opens nothing from then on'),
    sa.Column('most_opens', sa.Integer(), nullable=True, comment='how often it may be opened'),
    sa.Column('opens', sa.Integer(), nullable=False, comment='how often it was'),
    sa.Column('last_opened_at', BIG, nullable=True, comment='last counted open'),
    sa.Column('revoked_at', BIG, nullable=True, comment='when its owner took it back'),
    _account('links'),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_links_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_links')),
    sa.UniqueConstraint('message_id', 'bearer_sha256', name=op.f('uq_links_message_id_bearer_sha256')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_links_account_id'), 'links', ['account_id'])
    op.create_index(op.f('ix_links_bearer_sha256'), 'links', ['bearer_sha256'])
    op.create_table('link_views',
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False, comment='SHA-256 of the view token'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('link_id', sa.Text(), nullable=False, comment='by which link'),
    sa.Column('created_at', BIG, nullable=False, comment='the counted open'),
    sa.Column('expires_at', BIG, nullable=False, comment='shows nothing from then on'),
    _account('link_views'),
    sa.ForeignKeyConstraint(['link_id'], ['links.id'], name=op.f('fk_link_views_link_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('pk_link_views')),
    sqlite_strict=True
    )
    for column in ('account_id', 'link_id', 'expires_at'):
        op.create_index(op.f(f'ix_link_views_{column}'), 'link_views', [column])
    op.create_table('pages',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('is_on', sa.Integer(), nullable=False, comment='1: callers find it'),
    sa.Column('access', sa.Text(), nullable=False, comment='who may call: anyone, signed-in or link'),
    sa.Column('bearer_sha256', sa.LargeBinary(), nullable=True, comment="SHA-256 of the bearer in the page's link"),
    sa.Column('profile', sa.LargeBinary(), nullable=True, comment='profile.age: what the page says, for who has its link'),
    sa.Column('greeting_link', sa.Text(), nullable=True, comment='lnk_… that opens the greeting'),
    sa.Column('hours', sa.Text(), nullable=True, comment='when it takes calls, as JSON; null: always'),
    sa.Column('updated_at', BIG, nullable=False, comment='when its owner last changed it'),
    _account('pages'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_pages')),
    sqlite_strict=True
    )
    op.create_table('calls',
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False, comment="SHA-256 of the caller's capability"),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('view_sha256', sa.LargeBinary(), nullable=True, comment='the view of a guest link that it came from'),
    sa.Column('message_id', sa.Text(), nullable=True, comment='the one message that it left'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was let in'),
    sa.Column('expires_at', BIG, nullable=False, comment='good until then'),
    _account('calls'),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('pk_calls')),
    sa.UniqueConstraint('view_sha256', name=op.f('uq_calls_view_sha256')),
    sqlite_strict=True
    )
    for column in ('account_id', 'expires_at'):
        op.create_index(op.f(f'ix_calls_{column}'), 'calls', [column])
    op.create_table('spent_challenges',
    sa.Column('nonce', sa.Text(), nullable=False, comment='of a proof of work that was taken: it counts once'),
    sa.Column('expires_at', BIG, nullable=False, comment='not good any more from then on'),
    sa.PrimaryKeyConstraint('nonce', name=op.f('pk_spent_challenges')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_spent_challenges_expires_at'), 'spent_challenges', ['expires_at'])
    op.add_column('uploads', sa.Column('call_sha256', sa.LargeBinary(), nullable=True, comment='the caller who made it; null: the account itself'))
    op.add_column('messages', sa.Column('by_caller', sa.Integer(), nullable=False, server_default=sa.text('0'), comment='1: left for the account by somebody without one'))
