"""Lines for whoever watches a start: what is being done, and for how many seconds."""

import contextlib
import sys
import time
from collections.abc import Iterator

# On a terminal the line counts along; in a log file a line now and then shows that something still moves.
TERMINAL_INTERVAL = 1.0
LOG_INTERVAL = 10.0


def say(line: str) -> None:
    """One line, at once; a reader that went away is no reason to fail."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class Progress:
    """The line of one step; calling it now and then keeps it up to date."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.began = time.monotonic()
        self.shown_at = self.began
        self.terminal = sys.stdout.isatty()
        self.remark = ""
        if self.terminal:
            self._write(f"  {title} ...")

    def __call__(self) -> None:
        """Show the seconds so far, if it is time."""
        now = time.monotonic()
        if now - self.shown_at >= (TERMINAL_INTERVAL if self.terminal else LOG_INTERVAL):
            self.shown_at = now
            line = f"  {self.title} ... {now - self.began:.0f} s"
            self._write(f"\r{line}" if self.terminal else f"{line}\n")

    def note(self, remark: str) -> None:
        """A remark to end the line with."""
        self.remark = f": {remark}"

    def finish(self) -> None:
        """Show how long it took."""
        line = f"  {self.title} ({time.monotonic() - self.began:.1f} s){self.remark}"
        self._write(f"\r\033[K{line}\n" if self.terminal else f"{line}\n")

    def abandon(self) -> None:
        """Leave the line as it is; what follows starts on its own."""
        if self.terminal:
            self._write("\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(text)
            sys.stdout.flush()


@contextlib.contextmanager
def step(title: str) -> Iterator[Progress]:
    """A step with a line of its own that ends in the seconds it took."""
    progress = Progress(title)
    try:
        yield progress
    except BaseException:
        progress.abandon()
        raise
    progress.finish()
