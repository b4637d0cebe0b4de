"""What `make demo` prints when everything is up: addresses and sign-ins."""

import contextlib
import json
from pathlib import Path

from devstack.progress import say

SIGN_INS_NAME = "demo.json"


def announce(address: str, data: Path, seconds: float) -> None:
    """Print where everything is and who may sign in; the sign-ins are what seed_demo left in the data directory."""
    demo: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError):
        content = json.loads((data / SIGN_INS_NAME).read_text())
        demo = content if isinstance(content, dict) else {}
    slug = str(demo.get("organization") or "<organization>")
    lines = [
        "",
        f"CRM is running at {address} (ready after {seconds:.1f} s)",
        "",
        f"  Team API        {address}/api",
        f"  Platform API    {address}/api/v1",
        f"  Storefront API  {address}/shop/{slug}/api/v1",
        f"  Swagger UI      {address}/api-docs",
        f"  Admin           {address}/admin/",
        "",
        *sign_in_lines(demo.get("sign_ins")),
        f"  Data and logs in {data}; Ctrl-C stops everything, `make reset` starts over.",
        "",
    ]
    for line in lines:
        say(line)


def sign_in_lines(sign_ins: object) -> list[str]:
    """A table of roles, e-mail addresses and passwords."""
    rows = [entry for entry in sign_ins if isinstance(entry, dict)] if isinstance(sign_ins, list) else []
    if not rows:
        return []
    cells = [[str(row.get(key, "")) for key in ("role", "email", "password")] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(2)]
    table = [f"  {role:<{widths[0]}}  {email:<{widths[1]}}  {password}" for role, email, password in cells]
    return ["  Sign in as", *(f"  {line}" for line in table), ""]
