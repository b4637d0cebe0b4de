"""What the documents tell a newcomer to type, typed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

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
    assert "Signed on the phone." in ran.stdout
    assert '"total":{"amount":108749,"currency":"USD"}' in ran.stdout
    assert '"total_orders":1,"total_value":1087.49' in ran.stdout
    repeated = re.findall(r"^[0-9a-f]{8}-[0-9a-f-]{27}$", ran.stdout, re.MULTILINE)
    assert len(repeated) == 2
    assert len(set(repeated)) == 1


def seen_by(example: str, base_url: str) -> dict[str, Any]:
    """What an example prints, run as its first line says."""
    script = str(ROOT / "docs/examples" / example)
    ran = subprocess.run([sys.executable, script, base_url], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_example_session_sees_one_contact_on_every_surface(base_url):
    seen = seen_by("session.py", base_url)

    assert seen["contact"]["job_title"] == "Rear admiral"
    assert seen["contact"]["custom_fields"] == {"fleet_No": 7}
    assert seen["contact"]["account"]["name"] == "Navy"
    assert [contact["id"] for contact in seen["found"]] == [seen["contact"]["id"]]
    assert [entry["type"] for entry in seen["timeline"]] == ["note", "update", "update"]
    assert seen["profile"]["roles"] == ["user"]
    assert [customer["email"] for customer in seen["customers"]] == ["sam@example.com"]


def test_the_example_of_a_day_of_selling_wins_a_deal(base_url):
    seen = seen_by("sales_day.py", base_url)

    assert seen["stages"] == ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    assert seen["deal"]["value"] == 12000.5
    assert [task["title"] for task in seen["reminders"]["today"]] == ["Send the offer"]
    assert seen["won"]["status"] == "won"
    history = sorted(seen["history"], key=lambda step: step["moved_at"])
    assert [step["to_stage"]["name"] for step in history] == ["Lead", "Proposal", "Won"]
    assert history[-1]["note"] == "Signed on the phone."
    assert seen["summary"]["won_this_month"] == 1
    assert seen["summary"]["won_value_this_month"] == 12000.5
    assert [entry["type"] for entry in seen["timeline"]] == ["deal", "deal", "task", "task", "deal", "update"]


def test_the_example_of_a_purchase_pays_what_the_document_says(base_url):
    seen = seen_by("shopping.py", base_url)

    order = seen["order"]
    amounts = {name: order[name]["amount"] for name in ("subtotal", "discount_total", "tax_total", "total")}
    assert amounts == {"subtotal": 99999, "discount_total": 0, "tax_total": 8750, "total": 108749}
    assert order["status"] == "pending"
    assert seen["repeated"] == order
    assert seen["saved"]["discount_total"]["amount"] == 10000
    assert [row["id"] for row in seen["mine"]] == [seen["saved"]["id"], order["id"]]
    assert {row["id"] for row in seen["orders"]} == {seen["saved"]["id"], order["id"]}
    assert seen["shipped"]["status"] == "shipped"
    assert seen["left"] == 1
    assert [row["type"] for row in seen["ledger"]] == ["sale", "sale", "restock"]
    assert seen["customer"]["total_orders"] == 2
    assert [row["name"] for row in seen["categories"]] == ["Electronics"]


def test_every_link_of_the_documents_leads_somewhere():
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text())
        if not urlparse(target).scheme and not (document.parent / target).exists()
    ]

    assert broken == []
