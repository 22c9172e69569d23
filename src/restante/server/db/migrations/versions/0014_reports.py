"""Reports outlive who made them."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    # In a batch: nothing refers to this table.
    with op.batch_alter_table('reports', schema=None, table_kwargs={'sqlite_strict': True}) as batch_op:
        batch_op.alter_column('account_id', existing_type=BIG, nullable=True, comment='who reported it; empty once that account is deleted')
        batch_op.drop_constraint(op.f('fk_reports_account_id'), type_='foreignkey')
        batch_op.create_foreign_key(op.f('fk_reports_account_id'), 'accounts', ['account_id'], ['id'], ondelete='SET NULL')
