"""What other rooms read in the database of a data folder, which a server may have open."""

from restante.server.backup import queries

DATABASE = queries.DATABASE
BlobRow = queries.BlobRow
opened = queries.living
revision = queries.revision
meta = queries.meta
blobs = queries.blobs
