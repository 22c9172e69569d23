"""Named places where a test may kill the process: ``FAILPOINT=name:nth`` (SIGKILL at the nth hit of the name).

Unless armed, each call is one falsy check.
"""

import os
import signal
from collections import Counter

_armed: dict[str, int] = {}
_hits: Counter[str] = Counter()


def arm(spec: str) -> None:
    """Arms ``name:nth``, several separated by commas; an empty text arms nothing."""
    for item in filter(None, spec.split(",")):
        name, _, nth = item.partition(":")
        _armed[name] = int(nth or 1)


def failpoint(name: str) -> None:
    """Marks a write, flush, rename, commit or acknowledgement edge."""
    if not _armed:
        return
    _hits[name] += 1
    if _armed.get(name) == _hits[name]:
        os.kill(os.getpid(), signal.SIGKILL)
