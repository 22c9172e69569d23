"""Blobs that are objects of a bucket: how far each is, and of which objects it consists."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('remote_blobs',
    sa.Column('id', sa.Text(), nullable=False, comment='upl_…'),
    sa.Column('epoch', BIG, nullable=False, comment='raised by whoever takes the pen; what was written under an older one does not count'),
    sa.Column('size', BIG, nullable=False, comment='bytes that are stored: the offset of its upload'),
    sa.Column('modified_at', BIG, nullable=False, comment='when the last part was entered'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_remote_blobs')),
    sqlite_strict=True
    )
    op.create_table('remote_parts',
    sa.Column('blob_id', sa.Text(), nullable=False, comment='whose part it is'),
    sa.Column('offset', BIG, autoincrement=False, nullable=False, comment='where it begins'),
    sa.Column('size', BIG, nullable=False, comment='its bytes'),
    sa.Column('name', sa.Text(), nullable=False, comment='of the object in the bucket'),
    sa.ForeignKeyConstraint(['blob_id'], ['remote_blobs.id'], name=op.f('fk_remote_parts_blob_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('blob_id', 'offset', name=op.f('pk_remote_parts')),
    sa.UniqueConstraint('name', name=op.f('uq_remote_parts_name')),
    sqlite_strict=True
    )
