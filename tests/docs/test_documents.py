"""What the documents tell a newcomer to type, typed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

from docs.examples import session

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def tour() -> str:
    section = README.partition("## A tour")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


def test_the_tour_of_the_readme_runs_as_it_stands(base_url, tmp_path):
    shutil.copy(ROOT / "tests/docs/curl.py", tmp_path / "curl")
    (tmp_path / "curl").chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    environment = {**os.environ, "BASE": base_url, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    ran = subprocess.run(
        ["/bin/sh", "-euc", tour()], env=environment, capture_output=True, text=True, timeout=120, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert "Łukaszewicz" in ran.stdout
    assert "Asked for a quote." in ran.stdout
    assert '"shopper@example.com"' in ran.stdout
    repeated = re.findall(r"^[0-9a-f]{8}-[0-9a-f-]{27}$", ran.stdout, re.MULTILINE)
    assert len(repeated) == 2
    assert len(set(repeated)) == 1


def test_the_example_session_sees_one_contact_on_every_surface(base_url):
    seen = session.main(base_url)

    assert seen["contact"]["job_title"] == "Rear admiral"
    assert seen["contact"]["custom_fields"] == {"fleet_No": 7}
    assert seen["contact"]["account"]["name"] == "Navy"
    assert [contact["id"] for contact in seen["found"]] == [seen["contact"]["id"]]
    assert [entry["type"] for entry in seen["timeline"]] == ["note", "update", "update"]
    assert seen["profile"]["roles"] == ["user"]
    assert [customer["email"] for customer in seen["customers"]] == ["sam@example.com"]


def test_every_link_of_the_documents_leads_somewhere():
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text())
        if not urlparse(target).scheme and not (document.parent / target).exists()
    ]

    assert broken == []


def test_every_variable_that_the_settings_read_is_in_the_example_environment():
    settings = (ROOT / "crm/settings.py").read_text()
    read = set(re.findall(r"""(?:env\.\w+|switch|secret|database)\(\s*"([A-Z_]+)\"""", settings))
    listed = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert read - listed == set()
