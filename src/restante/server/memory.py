"""Memory of a process that serves: what it keeps, and what the collector need not look at.

[Note: Memory kept warm] By default glibc gives the memory of each piece of a body back to the kernel and pays for it again
with the next piece, page by page: a quarter of the CPU time of an upload. So the process keeps some (mallopt(3)).
"""

import ctypes
import gc
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_YOUNG_OBJECTS = 20_000
_KEPT_BYTES = {_TRIM_THRESHOLD: 32 << 20, _TOP_PAD: 16 << 20, _MMAP_THRESHOLD: 32 << 20}


def keep_warm() -> None:
    """Lets this process keep up to 32 MiB that it does not use just now; other C libraries are left alone."""
    try:
        glibc = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):
        return
    if glibc:
        library = ctypes.CDLL(None)
        for parameter, value in _KEPT_BYTES.items():
            library.mallopt(parameter, value)


def settle() -> None:
    """Tells the garbage collector that whatever start-up made is here to stay, and lets it come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
