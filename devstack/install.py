"""`python3 devstack/install.py requirements.txt …`: make `.venv` hold exactly what the files pin.

A script for a bare Python, so it imports nothing but the standard library. A stamp makes the second run immediate, and
of two runs at once the second waits.
"""

import fcntl
import hashlib
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
MINIMUM = (3, 11)
PROGRESS_INTERVAL = 5.0


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stamp(file: Path) -> Path:
    """Where it is written down that a file's packages are in the environment."""
    return VENV / f".installed-{file.stem}"


def fingerprint(file: Path) -> str:
    """What the packages of a file, installed by this Python, are known by."""
    return hashlib.sha256(sys.version.encode() + file.read_bytes()).hexdigest()


def run(title: str, command: list[str]) -> None:
    """Run a long command quietly, with a sign of life now and then; end the installation where it fails."""
    began = shown = time.monotonic()
    say(f"  {title} ...")
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                status = child.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - shown >= PROGRESS_INTERVAL:
                    shown = time.monotonic()
                    say(f"  {title} ... {shown - began:.0f} s")
    except BaseException:
        child.terminate()
        child.wait()
        raise
    if status:
        sys.exit(f"{title}: failed with exit status {status}.")
    say(f"  {title} ({time.monotonic() - began:.1f} s)")


def install(files: list[Path]) -> None:
    """Make the environment and install what the files pin, unless that was done already."""
    missing = [file for file in files if not stamp(file).exists() or stamp(file).read_text() != fingerprint(file)]
    if not missing:
        return
    python = VENV / "bin" / "python"
    if not python.exists():
        run("Making the Python environment .venv", [sys.executable, "-m", "venv", str(VENV)])
    # Twice quiet: errors alone are shown. The files name every package, so there is nothing to resolve.
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    # Compiled when first imported: most of what is installed never is, and that halves the time.
    pip += ["--no-compile", "--no-warn-script-location"]
    pinned = [part for file in missing for part in ("-r", str(file))]
    run(f"Installing {' and '.join(file.name for file in missing)}", [*pip, *pinned])
    for file in missing:
        stamp(file).write_text(fingerprint(file))


def main(names: list[str]) -> int:
    """Install the named requirement files, one process at a time."""
    if sys.version_info < MINIMUM:
        sys.exit(
            f"Python {'.'.join(map(str, MINIMUM))} or newer is needed, {sys.executable} is {sys.version.split()[0]}."
        )
    files = [PROJECT / name for name in names]
    with (PROJECT / ".venv.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another process is installing into .venv; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        install(files)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
