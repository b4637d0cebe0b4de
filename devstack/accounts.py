"""The operating system account that the servers run as, and what it can reach.

PostgreSQL refuses to run as root, so root hands its servers to `postgres` or `nobody`; everybody else keeps their own
account.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.errors import EmbeddedError

# Socket paths end at 104 bytes on macOS and 108 on Linux; the longest name below the directory is `.s.PGSQL.5432.lock`.
SOCKET_DIRECTORY_LIMIT = 104 - len("/.s.PGSQL.5432.lock") - 1


@dataclass(frozen=True)
class Account:
    """A user and group id; `switch` is true when the servers run under another account than we do."""

    uid: int
    gid: int
    name: str
    switch: bool

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments that make `subprocess` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def own(self, path: Path) -> None:
        """Give one directory or file to the account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether every directory above `path` lets the account through."""
        if not self.switch:
            return True
        for parent in path.absolute().parents:
            status = parent.stat()
            if status.st_uid == self.uid:
                allowed = stat.S_IXUSR
            elif status.st_gid == self.gid:
                allowed = stat.S_IXGRP
            else:
                allowed = stat.S_IXOTH
            if not status.st_mode & allowed:
                return False
        return True


def server_account() -> Account:
    """The account for the servers: our own, or for root an unprivileged one."""
    if os.geteuid() != 0:
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise EmbeddedError(
                f"User id {os.geteuid()} has no entry in the password file, which PostgreSQL needs; "
                "run as a named user or set DATABASE_URL and REDIS_URL."
            ) from None
        return Account(os.geteuid(), os.getegid(), name, switch=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name, switch=True)
    raise EmbeddedError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as.")


def package_directory(package: str, distribution: str) -> Path:
    """Where a package's files are, without importing it: importing these packages has side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        raise EmbeddedError(
            f"{distribution} is not installed or has no build for this system ({sys.platform}); "
            "run `make install`, or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def reachable_binaries(directories: list[Path], root: Path, account: Account) -> Path:
    """The directory `root`, or a copy of `directories` laid out the same way where the account can read them."""
    if all(account.reaches(directory / "x") for directory in directories):
        return root
    stamp = "|".join(f"{directory}:{directory.stat().st_mtime_ns}" for directory in directories)
    copy = temporary_root(account) / f"crm-binaries-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if copy.exists():
        if copy.lstat().st_uid != os.geteuid() or copy.is_symlink():
            raise EmbeddedError(f"{copy} belongs to somebody else; remove it and start again.")
        return copy
    # Below a directory of our own first, and renamed when complete: a half-made copy never looks finished.
    unfinished = Path(tempfile.mkdtemp(prefix="crm-binaries-", dir=copy.parent))
    unfinished.chmod(0o755)
    for directory in directories:
        shutil.copytree(directory, unfinished / directory.relative_to(root), symlinks=True)
    try:
        unfinished.rename(copy)
    except OSError:
        shutil.rmtree(unfinished)
        if not copy.is_dir():
            raise
    return copy


def temporary_root(account: Account) -> Path:
    """The temporary directory, or `/tmp` where the usual one is closed to the account or its name is too long."""
    usual = Path(tempfile.gettempdir())
    fits = len(os.fsencode(usual)) + len("/crm-4294967295-") + 12 <= SOCKET_DIRECTORY_LIMIT
    return usual if fits and account.reaches(usual / "x") else Path("/tmp")  # noqa: S108 - names below it are checked


def socket_directory(data: Path, account: Account) -> Path:
    """The short, private directory for the sockets of one data directory; its name follows from both."""
    digest = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:12]
    return temporary_root(account) / f"crm-{account.uid}-{digest}"


def make_private_directory(path: Path, account: Account) -> None:
    """Create a directory that only the account can enter, or check that an existing one is so."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), account.uid}:
        raise EmbeddedError(f"{path} belongs to somebody else; remove it and start again.")
    path.chmod(0o700)
    account.own(path)
