"""One process per data directory. The kernel frees the lock when its holder dies, however it dies."""

import contextlib
import fcntl
import json
import os
from pathlib import Path

from devstack.errors import Locked


class DirectoryLock:
    """An exclusive `flock` on a file that also tells who holds it."""

    def __init__(self, path: Path, subject: str) -> None:
        self.path = path
        self.subject = subject
        self._descriptor: int | None = None

    def acquire(self, **about: str) -> None:
        """Take the lock and write who we are into it, or raise `Locked` naming the holder. Held already, it is kept."""
        if self._descriptor is not None:
            self.describe(**about)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self.holder()
            os.close(descriptor)
            who = f" by process {holder['pid']}" if "pid" in holder else ""
            where = f" at {holder['address']}" if "address" in holder else ""
            raise Locked(f"{self.subject} is already in use{who}{where}.", holder) from None
        self._descriptor = descriptor
        self.describe(**about)

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._descriptor is not None

    def describe(self, **about: str) -> None:
        """Replace what the lock file says about its holder."""
        if self._descriptor is not None:
            text = json.dumps({"pid": str(os.getpid()), **about}).encode()
            os.pwrite(self._descriptor, text, 0)
            os.ftruncate(self._descriptor, len(text))

    def holder(self) -> dict[str, str]:
        """What the lock file says; empty when it says nothing readable."""
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(self.path.read_text())
            if isinstance(content, dict):
                return {str(key): str(value) for key, value in content.items()}
        return {}

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
