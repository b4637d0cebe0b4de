"""The two servers that the product needs, as one thing: started, provisioned, described as environment variables."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from crm.core.provision import APP, OWNER, provision
from devstack import accounts
from devstack.errors import Locked
from devstack.locks import DirectoryLock
from devstack.postgres import PostgresServer
from devstack.redis import RedisServer, broker_url, cache_url

DATABASE = "crm"
BROKER_DATABASE = 0
CACHE_DATABASE = 1
LOCK_NAME = "lock"
TEMPORARY_PREFIX = "crm-data-"
MEMORY_NEEDED = 1 << 30
ABANDONED_AFTER = 120.0


def database_environment(server: PostgresServer, database: str) -> dict[str, str]:
    """The variables that lead to one database of a server."""
    return {
        "DATABASE_URL": server.url(APP, database),
        "DATABASE_OWNER_URL": server.url(OWNER, database),
        # For psql and for every connection that names no host.
        "PGHOST": str(server.sockets),
    }


def redis_environment(sockets: Path, broker: int = BROKER_DATABASE, cache: int = CACHE_DATABASE) -> dict[str, str]:
    """The variables that lead to two numbered databases of one server: the broker's and the cache's."""
    return {"REDIS_URL": cache_url(sockets, cache), "CELERY_BROKER_URL": broker_url(sockets, broker)}


def directory_lock(directory: Path) -> DirectoryLock:
    """The lock that whoever runs services in a data directory holds."""
    return DirectoryLock(directory / LOCK_NAME, f"The data directory {directory}")


class Services:
    """PostgreSQL and Redis below one directory, which it holds the lock of; `ephemeral` trades durability for speed.

    Either is left out when the environment names a server to use instead: then its URL must not be ours.
    """

    def __init__(self, directory: Path, *, ephemeral: bool = False, postgres: bool = True, redis: bool = True) -> None:
        self.directory = directory.absolute()
        self.lock = directory_lock(self.directory)
        account = accounts.server_account() if postgres or redis else None
        sockets = accounts.socket_directory(self.directory, account) if account else self.directory
        logs = self.directory / "logs"
        self.postgres: PostgresServer | None = None
        self.redis: RedisServer | None = None
        if postgres:
            self.postgres = PostgresServer(
                self.directory / "postgres", sockets, logs / "postgres.log", ephemeral=ephemeral
            )
        if redis:
            self.redis = RedisServer(sockets, logs / "redis.log")

    def start(self, **about: str) -> None:
        """Take the directory, start both servers and provision the database."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.lock.acquire(**about)
        try:
            if self.redis:
                self.redis.start()
            if self.postgres:
                self.postgres.start()
                provision(self.postgres.admin_url, DATABASE)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers and give the directory back; without holding it there is nothing to stop."""
        if not self.lock.held:
            return
        try:
            if self.redis:
                self.redis.stop()
        finally:
            if self.postgres:
                self.postgres.stop()
            self.lock.release()

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use these services."""
        found = {"CRM_DATA_DIR": str(self.directory)}
        if self.postgres:
            found |= database_environment(self.postgres, DATABASE)
        if self.redis:
            found |= redis_environment(self.redis.sockets)
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class TemporaryDirectory:
    """A directory for throwaway data, in memory where the system offers it; gone when closed."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private directory in it
        in_memory = os.access(memory, os.W_OK) and _free_bytes(memory) > MEMORY_NEEDED
        root = memory if in_memory else Path(tempfile.gettempdir())
        _remove_abandoned(root)
        self.path = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=root))
        # The servers' account passes through; what lies below is closed to others by its own mode.
        self.path.chmod(0o711)

    def remove(self) -> None:
        """Delete it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def _remove_abandoned(root: Path) -> None:
    """Delete what killed processes left behind: directories of ours that nobody holds the lock of any more."""
    for directory in root.glob(f"{TEMPORARY_PREFIX}*"):
        with contextlib.suppress(OSError, Locked):
            # A younger one may be about to be locked, or its servers about to end.
            if directory.stat().st_uid == os.geteuid() and time.time() - directory.stat().st_mtime > ABANDONED_AFTER:
                lock = directory_lock(directory)
                lock.acquire()
                shutil.rmtree(directory, ignore_errors=True)
                shutil.rmtree(accounts.socket_directory(directory, accounts.server_account()), ignore_errors=True)
                lock.release()


def _free_bytes(path: Path) -> int:
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize
