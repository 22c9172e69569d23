"""Brings a single-machine installation to PostgreSQL, a bucket, or both, while it is served."""
