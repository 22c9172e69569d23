"""What a video node of Linux says of itself (linux/videodev2.h, VIDIOC_QUERYCAP)."""

import os
import struct
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_QUERYCAP = 0x80685600
_ANSWER = struct.Struct("=16s32s32sIII12x")
_VIDEO_CAPTURE = 0x0000_0001
_VIDEO_CAPTURE_MPLANE = 0x0000_1000
_DEVICE_CAPS = 0x8000_0000


def is_camera(node: Path) -> bool | None:
    """Tells whether a node gives pictures; None when it cannot be asked."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        answer = fcntl.ioctl(descriptor, _QUERYCAP, bytes(_ANSWER.size))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return gives_pictures(answer)


def gives_pictures(answer: bytes) -> bool:
    """Reads the answer: a driver of several nodes says what this very node can do."""
    *_, all_nodes, this_node = _ANSWER.unpack(answer)
    abilities = this_node if all_nodes & _DEVICE_CAPS else all_nodes
    return bool(abilities & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE))
