"""Restante: end-to-end encrypted video messages that wait for the person they are for.

Rooms, and what may import what, stand in ARCHITECTURE.md; the wire and the file formats in docs/protocol/.
"""

__version__ = "0.1.0"
