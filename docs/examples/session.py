"""A client's session on all three surfaces, in plain Python: `python docs/examples/session.py [base URL]`.

It makes an organization of its own, so it can run against any server, any number of times.
"""

import json
import sys
import time
import urllib.request


class Client:
    """A few lines around urllib: JSON out, JSON in, a bearer token once there is one."""

    def __init__(self, base):
        self.base = base
        self.token = None

    def call(self, method, path, body=None, **headers):
        """Return the answer's JSON; an error status raises."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            content = response.read()
        return json.loads(content) if content else None


def main(base="http://127.0.0.1:8000"):
    """Run the session and return what it saw."""
    unique = time.time_ns()
    owner = {"email": f"ada.{unique}@example.com", "password": "securePassword123"}

    platform = Client(f"{base}/api/v1")
    signed_in = platform.call(
        "POST",
        "/auth/register",
        owner
        | {
            "full_name": "Ada Lovelace",
            "company_name": f"Analytical Engines {unique}",
            "company_size": "small",
            "industry": "technology",
        },
    )
    platform.token = signed_in["access_token"]
    slug = platform.call("GET", "/me")["organization"]["slug"]

    # A company, and a person who works there.
    account = platform.call("POST", "/accounts", {"name": "Navy", "industry": "government"})
    contact = platform.call(
        "POST",
        "/contacts",
        {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "account_id": account["id"]},
    )

    # The same person on the Team surface, for the same organization's owner signed in there.
    team = Client(f"{base}/api")
    team.token = team.call("POST", "/auth/login", owner)["accessToken"]
    team.call("PATCH", f"/contacts/{contact['id']}", {"jobTitle": "Rear admiral", "customFields": {"fleet_No": 7}})
    team.call("POST", f"/contacts/{contact['id']}/timeline", {"type": "note", "content": "Found a moth."})
    timeline = team.call("GET", f"/contacts/{contact['id']}/timeline")["data"]["timeline"]
    found = team.call("GET", "/contacts?search=hop+navy")["data"]["contacts"]

    # A shopper of the organization's store is a customer of the CRM.
    shop = Client(f"{base}/shop/{slug}/api/v1")
    shopper = shop.call(
        "POST",
        "/auth/register",
        {"email": "sam@example.com", "password": "SecurePassword123!", "first_name": "Sam", "last_name": "Shopper"},
    )["data"]
    shop.token = shopper["access_token"]
    profile = shop.call("GET", "/auth/profile")["data"]
    customers = platform.call("GET", "/customers?search=sam")["items"]

    return {
        "contact": platform.call("GET", f"/contacts/{contact['id']}"),
        "found": found,
        "timeline": timeline,
        "profile": profile,
        "customers": customers,
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout, indent=2, ensure_ascii=False)
