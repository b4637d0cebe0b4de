"""`python -m devstack demo | run | reset`; see each command's help."""

import argparse
import os
import signal
import sys
from pathlib import Path

from devstack import runner
from devstack.errors import EmbeddedError


def main() -> int:
    """Read the command line and do the one thing it names."""
    parser = argparse.ArgumentParser(
        prog="python -m devstack", description="PostgreSQL and Redis without installing either."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="start the whole product with demo data and keep it running")
    demo.add_argument("--stop-with-parent", action="store_true", help="end when the process that started us ends")
    run = commands.add_parser("run", help="run one command with PostgreSQL and Redis, then stop them")
    run.add_argument("--data", type=Path, help="keep the data in this directory (default: throw it away)")
    run.add_argument("--migrate", action="store_true", help="migrate the database before the command")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- command", help="the command and its arguments")
    commands.add_parser("reset", help="remove the demo's data; refuses while it runs")
    options = parser.parse_args()
    # Ended politely, we end what we started; the default action would leave temporary files behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if options.command == "run":
            arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
            if not arguments:
                run.error("name a command after --")
            return runner.run(arguments, data=options.data, migrate=options.migrate)
        data = Path(os.environ.get("CRM_DATA_DIR") or ".data").absolute()
        if options.command == "reset":
            return runner.reset(data)
        from devstack.supervisor import Supervisor  # noqa: PLC0415 - only the demo needs it

        return Supervisor(data, stop_with_parent=options.stop_with_parent).run()
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
