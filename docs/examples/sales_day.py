"""A day of selling, in plain Python: `python docs/examples/sales_day.py [base URL]`.

Somebody works with the team's board and tasks; a program follows the same deal on the Platform. It makes an
organization of its own, so it can run against any server, any number of times.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta

from client import Client, register


def main(base="http://127.0.0.1:8000"):
    """Sell something and return what was seen."""
    unique = time.time_ns()
    email = f"ada.{unique}@example.com"
    platform, _ = register(base, email, f"Analytical Engines {unique}")
    team = Client(f"{base}/api")
    team.token = team.post("/auth/login", {"email": email, "password": "securePassword123"})["accessToken"]
    contact = team.post("/contacts", {"firstName": "Grace", "lastName": "Hopper", "company": "Navy"})["data"]

    # The board of a new organization: one pipeline, six stages, no deals.
    board = team.get("/deals")["data"]
    pipeline, stages = board["pipeline"], {stage["name"]: stage for stage in board["stages"]}
    deal = team.post(
        "/deals",
        {
            "title": "Two compilers",
            "contactId": contact["id"],
            "value": 12000.50,
            "currency": "USD",
            "expectedCloseDate": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        },
    )["data"]

    # Something to do today, about this deal.
    task = team.post(
        "/tasks",
        {
            "title": "Send the offer",
            "dueDate": datetime.now(UTC).date().isoformat(),
            "contactId": contact["id"],
            "dealId": deal["id"],
        },
    )["data"]
    reminders = team.get("/tasks/reminders")["data"]
    team.post(f"/tasks/{task['id']}/complete")

    # Dragged into another column, at its top. On this surface that is the call which moves a deal.
    team.post(
        f"/pipelines/{pipeline['id']}/stages",
        {"dealId": deal["id"], "stageId": stages["Proposal"]["id"], "position": 0},
    )

    # A program closes it on the Platform, where the same deal is an opportunity.
    won = platform.post(
        f"/opportunities/{deal['id']}/move", {"stage_id": stages["Won"]["id"], "note": "Signed on the phone."}
    )
    return {
        "stages": list(stages),
        "deal": deal,
        "reminders": reminders,
        "won": won,
        "history": platform.get(f"/opportunities/{deal['id']}/history")["items"],
        "summary": platform.get("/dashboard/summary"),
        "pipelines": team.get("/pipelines")["data"]["pipelines"],
        "timeline": team.get(f"/contacts/{contact['id']}/timeline")["data"]["timeline"],
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout, indent=2, ensure_ascii=False)
