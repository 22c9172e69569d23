"""Plans: what accounts hold with payment providers, what the operator gave, and what was sent."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f(f'fk_{table}_account_id'), ondelete='CASCADE')


def upgrade() -> None:
    op.create_table('customers',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('provider', sa.Text(), nullable=False, comment='stripe or manual'),
    sa.Column('customer', sa.Text(), nullable=False, comment='what the payment provider calls the account'),
    sa.Column('created_at', BIG, nullable=False, comment='when it was made known there'),
    sa.Column('checked_at', BIG, nullable=False, comment='when the provider was last asked'),
    _account('customers'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_customers')),
    sa.UniqueConstraint('provider', 'customer', name=op.f('uq_customers_provider_customer')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_customers_checked_at'), 'customers', ['checked_at'], unique=False)
    op.create_table('subscriptions',
    sa.Column('id', sa.Text(), nullable=False, comment='what the payment provider calls it'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('plan', sa.Text(), nullable=False, comment="id of a plan of the operator's file"),
    sa.Column('begins_at', BIG, nullable=False, comment='begin of the period that runs'),
    sa.Column('ends_at', BIG, nullable=False, comment='end of the period that runs'),
    sa.Column('renews', sa.Integer(), nullable=False, comment='0: the person ended it, and it lasts to the end of the period'),
    sa.Column('unpaid_since_at', BIG, nullable=True, comment='since when a payment is missing'),
    sa.Column('ended_at', BIG, nullable=True, comment='when it was over for good'),
    _account('subscriptions'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriptions')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_subscriptions_account_id'), 'subscriptions', ['account_id'], unique=False)
    op.create_table('grants',
    sa.Column('id', sa.Text(), nullable=False, comment='grt_…'),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('plan', sa.Text(), nullable=False, comment='id of a plan that is given, or empty'),
    sa.Column('messages', sa.Integer(), nullable=False, comment='messages that are given besides'),
    sa.Column('begins_at', BIG, nullable=False, comment='from when on'),
    sa.Column('ends_at', BIG, nullable=True, comment='until when'),
    sa.Column('source', sa.Text(), nullable=False, comment='operator, or manual for a payment that the operator recorded'),
    sa.Column('reference', sa.Text(), nullable=True, comment='of the payment: it counts once'),
    sa.Column('reason', sa.Text(), nullable=False, comment="the operator's words"),
    sa.Column('created_at', BIG, nullable=False, comment='when it was given'),
    _account('grants'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grants')),
    sa.UniqueConstraint('source', 'reference', name=op.f('uq_grants_source_reference')),
    sqlite_strict=True
    )
    op.create_index('ix_grants_account_id_begins_at', 'grants', ['account_id', 'begins_at'], unique=False)
    op.create_table('plan_usage',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('allowance', sa.Text(), nullable=False, comment='what gives the messages: start, paid or grant, and which'),
    sa.Column('begins_at', BIG, nullable=False, comment='begin of the time in which they are counted'),
    sa.Column('messages', BIG, nullable=False, comment='messages sent'),
    _account('plan_usage'),
    sa.PrimaryKeyConstraint('account_id', 'allowance', 'begins_at', name=op.f('pk_plan_usage')),
    sqlite_strict=True
    )
