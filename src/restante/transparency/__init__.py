"""The log of account records: Merkle tree, tiles, signed checkpoints, and what a client checks of them; pure.

Implements docs/protocol/transparency.md. The server imports this room, too.
"""
