"""The web server is started by one command line, wherever it is started."""

import re
from pathlib import Path

import pytest

from tests.faults.web import command_of_demo, command_of_image

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["-m", "crm.server"]


def documented() -> list[list[str]]:
    text = (ROOT / "docs/operations.md").read_text()
    return [line.split() for line in re.findall(r"python (-m crm\.server[^`\n]*)", text)]


@pytest.mark.parametrize("command", [command_of_demo()[1:], command_of_image()[1:], *documented()])
def test_only_address_and_port_differ(command):
    assert command[:2] == COMMAND
    assert command[2::2] == ["--host", "--port"]


def test_the_documents_show_it_in_the_table_and_as_a_unit():
    assert len(documented()) == 2


@pytest.mark.parametrize("file", ["Dockerfile", "docker-compose.yml", "docs/operations.md", "benchmarks/stage.py"])
def test_nobody_starts_the_server_beneath_it(file):
    text = (ROOT / file).read_text()

    assert not re.search(r"(?i)granian[ \"',]+(--|crm)|GRANIAN_|[\"']granian[\"']", text)
