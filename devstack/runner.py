"""Runs one command with PostgreSQL and Redis behind it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from devstack.errors import EmbeddedError, Locked
from devstack.process import die_with_parent
from devstack.services import Services, TemporaryDirectory, directory_lock

PROJECT = Path(__file__).resolve().parents[1]


def run(arguments: list[str], *, data: Path | None = None, migrate: bool = False) -> int:
    """Run a command with services in `data`, or in a directory that is thrown away; returns the command's exit status.

    Services that another process already runs in `data` are used as they are, and left running.
    """
    if data is None:
        temporary = TemporaryDirectory()
        try:
            return _run_in(temporary.path, arguments, ephemeral=True, migrate=migrate)
        finally:
            temporary.remove()
    return _run_in(data, arguments, ephemeral=False, migrate=migrate)


def _run_in(directory: Path, arguments: list[str], *, ephemeral: bool, migrate: bool) -> int:
    services = Services(directory, ephemeral=ephemeral)
    started = False
    try:
        try:
            services.start()
            started = True
        except Locked as refusal:
            if not (services.postgres and services.postgres.answers()):
                raise
            sys.stderr.write(f"Using the services of process {refusal.holder.get('pid', '?')} in {directory}.\n")
        environment = os.environ | services.environment()
        environment.setdefault("CRM_ENV", "test")
        if migrate:
            status = execute([sys.executable, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0"], environment)
            if status:
                return status
        return execute(arguments, environment)
    finally:
        if started:
            services.stop()


def execute(arguments: list[str], environment: dict[str, str]) -> int:
    """Run a command in the foreground, pass SIGTERM on to it, and return its exit status as a shell counts it."""
    try:
        child = subprocess.Popen(
            arguments,
            env=environment,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - forked from a single-threaded starter
        )
    except OSError as error:
        raise EmbeddedError(f"{arguments[0]}: {error.strerror}") from None

    def pass_on(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    terminate = signal.signal(signal.SIGTERM, pass_on)
    # A Ctrl-C reaches the command as well; it decides what that means and we wait for it.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = child.wait()
    finally:
        signal.signal(signal.SIGTERM, terminate)
        signal.signal(signal.SIGINT, interrupt)
    return status if status >= 0 else 128 - status


def reset(data: Path) -> int:
    """Remove a data directory, unless somebody uses it."""
    if not data.exists():
        sys.stdout.write(f"There is no data in {data}.\n")
        return 0
    known = {"lock", "postgres", "postgres.init", "logs", "secret-key"}
    if not known & {entry.name for entry in data.iterdir()}:
        raise EmbeddedError(f"{data} does not look like a data directory of ours; nothing was removed.")
    lock = directory_lock(data)
    lock.acquire()
    try:
        shutil.rmtree(data)
    finally:
        lock.release()
    sys.stdout.write(f"Removed {data}.\n")
    return 0
