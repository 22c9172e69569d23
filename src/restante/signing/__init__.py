"""Signed containers, Ed25519 keys and public account records: reading, verifying, signing; no decryption.

Implements docs/protocol/conventions.md and account-record.md. The server imports this room, too.
"""
