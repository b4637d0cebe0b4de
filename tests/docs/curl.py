#!/usr/bin/env python3
"""As much of curl as README.md uses, for machines that have none: -s, -H, -d, and a URL."""

import sys
import urllib.error
import urllib.request

arguments = iter(sys.argv[1:])
url, headers, body = "", {}, None
for argument in arguments:
    if argument == "-H":
        name, _, value = next(arguments).partition(": ")
        headers[name] = value
    elif argument == "-d":
        body = next(arguments).encode()
    elif argument != "-s":
        url = argument
try:
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=30) as response:  # noqa: S310
        sys.stdout.write(response.read().decode() + "\n")
except urllib.error.HTTPError as error:
    sys.exit(f"{url} answered {error.code}: {error.read().decode()}")
