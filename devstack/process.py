"""Child processes that never outlive us: started, stopped, frozen and killed by name."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from devstack.errors import EmbeddedError

PR_SET_PDEATHSIG = 1


def die_with_parent(death_signal: signal.Signals, parent: int | None = None) -> Callable[[], None] | None:
    """A function for a forked child that asks the kernel to signal it when its parent dies (Linux only).

    The kernel watches the *thread* that forked, so children are started from the main thread. Without `parent`
    the caller is the one to be.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = parent or os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            # The parent died between the fork and the line above; no signal will come any more.
            os._exit(1)

    return arm


class Process:
    """A child in a process group of its own, so that a Ctrl-C reaches the parent alone and stopping has an order."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path, **options: Any) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.stop_signal: signal.Signals = options.pop("stop_signal", signal.SIGTERM)
        self.death_signal: signal.Signals = options.pop("death_signal", self.stop_signal)
        self.options = options
        self.child: subprocess.Popen[bytes] | None = None
        self._asked_to_stop = False

    def start(self) -> None:
        """Start the program; its output goes to the end of the log file."""
        self._asked_to_stop = False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                # A forked child of a single-threaded starter; the only way to arm the signal after the change of user.
                preexec_fn=die_with_parent(self.death_signal),  # noqa: PLW1509
                **self.options,
            )

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is a child."""
        return self.child.pid if self.child else None

    def running(self) -> bool:
        """Whether the child is alive."""
        return self.child is not None and self.child.poll() is None

    def signal_stop(self) -> None:
        """Ask the child to end, once, and wait for nothing: a second signal means haste to some programs."""
        if self.child is not None and self.running() and not self._asked_to_stop:
            self._asked_to_stop = True
            self.child.send_signal(self.stop_signal)
            self.child.send_signal(signal.SIGCONT)

    def stop(self, timeout: float = 20.0) -> None:
        """Ask the child to end, insist after `timeout` seconds, and leave nothing of its group behind."""
        if self.child is None:
            return
        if self.running():
            self.signal_stop()
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.sweep()

    def kill(self) -> None:
        """End the child and everything below it at once, as a crash would."""
        if self.child is None:
            return
        below = list(descendants(self.child.pid))
        if self.running():
            self.child.kill()
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sweep()

    def sweep(self) -> None:
        """Collect the ended child and kill what is left of its group."""
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            self.child = None

    def pause(self) -> None:
        """Freeze the child and everything below it: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen child go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        if self.child is None:
            raise EmbeddedError(f"{self.name} is not running.")
        for pid in (self.child.pid, *descendants(self.child.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def last_lines(self, count: int = 15) -> str:
        """The end of the log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        return ""


def descendants(pid: int) -> Iterator[int]:
    """Every process below `pid`, parents before children."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    waiting = list(children.get(pid, []))
    while waiting:
        current = waiting.pop(0)
        yield current
        waiting.extend(children.get(current, []))


def _parents() -> Iterator[tuple[int, int]]:
    """Every process of the system with its parent."""
    if Path("/proc/self/stat").exists():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    # The second field, the name in parentheses, may hold spaces and parentheses of its own.
                    yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        return
    table = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    for line in table.stdout.splitlines():
        child, parent = line.split()
        yield int(child), int(parent)


def alive(pid: int) -> bool:
    """Whether a process exists and has not ended: a zombie that nobody collects counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return True


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.02) -> bool:
    """Poll a condition until it holds or the time is up."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True
