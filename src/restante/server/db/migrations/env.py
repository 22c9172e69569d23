"""Alembic's door: runs the migrations on the connection that `restante.server.db.migrate` hands over."""

from alembic import context

from restante.server.db import tables  # noqa: F401 - all of the schema
from restante.server.db.shapes import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
