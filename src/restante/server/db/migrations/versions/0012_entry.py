"""Countries of accounts, who waits for an opening, invites, and by what accounts were let in."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f(f'fk_{table}_account_id'), ondelete='CASCADE')


def upgrade() -> None:
    op.create_table('account_countries',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('country', sa.Text(), nullable=False, comment='where the account is at home, as ISO 3166-1 writes it'),
    sa.Column('source', sa.Text(), nullable=False, comment='who said so: declared, proxy or database'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was noted'),
    _account('account_countries'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_account_countries')),
    sqlite_strict=True
    )
    op.create_table('waiting',
    sa.Column('id', BIG, autoincrement=True, nullable=False, comment='never reused'),
    sa.Column('account_id', BIG, nullable=True, comment='who asked; null: somebody without an account'),
    sa.Column('mail', sa.Text(), nullable=True, comment='where somebody without an account is written to, once'),
    sa.Column('language', sa.Text(), nullable=False, comment='en or fr'),
    sa.Column('country', sa.Text(), nullable=True, comment='where they are, if it is known'),
    sa.Column('platform', sa.Text(), nullable=False, comment='what they asked on'),
    sa.Column('created_at', BIG, nullable=False, comment='when they asked'),
    sa.Column('told_at', BIG, nullable=True, comment='when it opened; the row goes when the mail has gone out'),
    _account('waiting'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waiting')),
    sa.UniqueConstraint('account_id', name=op.f('uq_waiting_account_id')),
    sa.UniqueConstraint('mail', name=op.f('uq_waiting_mail')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_table('invites',
    sa.Column('id', sa.Text(), nullable=False, comment='inv_…'),
    sa.Column('code_sha256', sa.LargeBinary(), nullable=False, comment='SHA-256 of the code; the code is never stored'),
    sa.Column('note', sa.Text(), nullable=False, comment="the operator's own word for it"),
    sa.Column('most_uses', sa.Integer(), nullable=False, comment='how many it lets in'),
    sa.Column('uses', sa.Integer(), nullable=False, comment='how many it has let in'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was made'),
    sa.Column('expires_at', BIG, nullable=True, comment='lets nobody in from then on'),
    sa.Column('revoked_at', BIG, nullable=True, comment='when the operator took it back'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invites')),
    sa.UniqueConstraint('code_sha256', name=op.f('uq_invites_code_sha256')),
    sqlite_strict=True
    )
    op.create_table('admissions',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('kind', sa.Text(), nullable=False, comment='by what: invite, mail or provider'),
    sa.Column('subject', sa.Text(), nullable=False, comment='which use of which invite; keyed hash of an address, or of whom a provider names'),
    sa.Column('created_at', BIG, nullable=False, comment='when the ticket was shown'),
    _account('admissions'),
    sa.PrimaryKeyConstraint('account_id', 'kind', name=op.f('pk_admissions')),
    sa.UniqueConstraint('kind', 'subject', name=op.f('uq_admissions_kind_subject')),
    sqlite_strict=True
    )
