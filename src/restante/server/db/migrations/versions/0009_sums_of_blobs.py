"""What each blob hashes to, so that damage of the disk is found."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in batches: a table that others refer to would be made anew.
    op.add_column('uploads', sa.Column('sha256', sa.LargeBinary(), nullable=True, comment='of the finished blob, soon after it: finds damage'))
    op.create_index('ix_uploads_unsummed', 'uploads', ['id'], sqlite_where=sa.text('sha256 IS NULL AND finished_at IS NOT NULL AND gone_at IS NULL'), postgresql_where=sa.text('sha256 IS NULL AND finished_at IS NOT NULL AND gone_at IS NULL'))
