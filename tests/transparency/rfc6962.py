"""The trees of RFC 6962 as its text defines them, without any trick: what our own code is held against."""

import hashlib


def tree(entries: list[bytes]) -> bytes:
    """Section 2.1: MTH."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    half = largest_power_below(len(entries))
    return hashlib.sha256(b"\x01" + tree(entries[:half]) + tree(entries[half:])).digest()


def path(index: int, entries: list[bytes]) -> list[bytes]:
    """Section 2.1.1: PATH."""
    if len(entries) == 1:
        return []
    half = largest_power_below(len(entries))
    if index < half:
        return [*path(index, entries[:half]), tree(entries[half:])]
    return [*path(index - half, entries[half:]), tree(entries[:half])]


def proof(old: int, entries: list[bytes], *, whole: bool = True) -> list[bytes]:
    """Section 2.1.2: PROOF and SUBPROOF."""
    if old == len(entries):
        return [] if whole else [tree(entries)]
    half = largest_power_below(len(entries))
    if old <= half:
        return [*proof(old, entries[:half], whole=whole), tree(entries[half:])]
    return [*proof(old - half, entries[half:], whole=False), tree(entries[:half])]


def largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power
