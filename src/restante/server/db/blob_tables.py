"""The part of the schema about blobs that are objects of a bucket. Empty where blobs are local files."""

from sqlalchemy import ForeignKey, Text

from restante.server.db.shapes import Big, a_column, a_table

remote_blobs = a_table(
    "remote_blobs",
    a_column("id", Text, "upl_…", primary_key=True),
    a_column(
        "epoch", Big, "raised by whoever takes the pen; what was written under an older one does not count"
    ),
    a_column("size", Big, "bytes that are stored: the offset of its upload"),
    a_column("modified_at", Big, "when the last part was entered"),
)

remote_parts = a_table(
    "remote_parts",
    a_column(
        "blob_id",
        Text,
        "whose part it is",
        ForeignKey("remote_blobs.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    a_column("offset", Big, "where it begins", primary_key=True, autoincrement=False),
    a_column("size", Big, "its bytes"),
    a_column("name", Text, "of the object in the bucket", unique=True),
)
