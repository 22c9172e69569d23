"""No core dumps: what a crash writes down would hold keys, and outlive the command."""

import contextlib
from pathlib import Path

_FILTER = Path("/proc/self/coredump_filter")


def withhold_cores() -> None:
    """Keeps this process, and every one that it starts, from leaving its memory behind when it crashes.

    The limit holds for files. It does not hold for dumps that the kernel hands to a program (core(5)): for these, Linux is told to
    put no mapping of memory into them. Debuggers are not hindered.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        _FILTER.write_text("0")
