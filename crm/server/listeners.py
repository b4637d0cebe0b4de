"""The deadline for readers, which granian has none for."""

import contextlib
import os
import socket
import sys
from pathlib import Path

OPEN_FILES = Path("/proc/self/fd")


def drop_stalled_readers(seconds: float) -> None:
    """Have the kernel drop connections of this process whose reader takes nothing for so long (Linux only).

    Accepted sockets inherit the option from those that listen, which granian opens by itself.
    """
    if not sys.platform.startswith("linux"):
        return
    for file in OPEN_FILES.iterdir():
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as found:
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
