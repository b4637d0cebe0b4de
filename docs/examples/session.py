"""A client's session on all three surfaces, in plain Python: `python docs/examples/session.py [base URL]`.

It makes an organization of its own, so it can run against any server, any number of times.
"""

import json
import sys
import time

from client import Client, register


def main(base="http://127.0.0.1:8000"):
    """Run the session and return what it saw."""
    unique = time.time_ns()
    email = f"ada.{unique}@example.com"
    platform, organization = register(base, email, f"Analytical Engines {unique}")

    # A company, and a person who works there.
    account = platform.post("/accounts", {"name": "Navy", "industry": "government"})
    contact = platform.post(
        "/contacts",
        {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "account_id": account["id"]},
    )

    # The same person on the Team surface, for the same organization's owner signed in there.
    team = Client(f"{base}/api")
    team.token = team.post("/auth/login", {"email": email, "password": "securePassword123"})["accessToken"]
    team.call("PATCH", f"/contacts/{contact['id']}", {"jobTitle": "Rear admiral", "customFields": {"fleet_No": 7}})
    team.post(f"/contacts/{contact['id']}/timeline", {"type": "note", "content": "Found a moth."})
    timeline = team.get(f"/contacts/{contact['id']}/timeline")["data"]["timeline"]
    found = team.get("/contacts?search=hop+navy")["data"]["contacts"]

    # A shopper of the organization's store is a customer of the CRM.
    shop = Client(f"{base}/shop/{organization['slug']}/api/v1")
    shop.token = shop.post(
        "/auth/register",
        {"email": "sam@example.com", "password": "SecurePassword123!", "first_name": "Sam", "last_name": "Shopper"},
    )["data"]["access_token"]
    profile = shop.get("/auth/profile")["data"]
    customers = platform.get("/customers?search=sam")["items"]

    return {
        "contact": platform.get(f"/contacts/{contact['id']}"),
        "found": found,
        "timeline": timeline,
        "profile": profile,
        "customers": customers,
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout, indent=2, ensure_ascii=False)
