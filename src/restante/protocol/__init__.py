"""What client and server must agree on: limits, ids, names, strict JSON, error codes and wire types.

Pure: no I/O, no cryptography, no clock. Implements docs/protocol/ sections 1 and 12.
"""
