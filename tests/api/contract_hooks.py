"""Loaded by schemathesis: the body of an upload is bytes like any other."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
