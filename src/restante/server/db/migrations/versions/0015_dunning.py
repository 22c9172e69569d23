"""What the owners of subscriptions were told of payments that failed."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('told', sa.Text(), server_default=sa.text("''"), nullable=False, comment='what its owner was told last: late, soon, ended, or empty'))
    op.add_column('subscriptions', sa.Column('notice_at', BIG, nullable=True, comment='when there may be something to tell'))
    op.create_index(op.f('ix_subscriptions_notice_at'), 'subscriptions', ['notice_at'], unique=False)
