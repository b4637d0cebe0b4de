"""A few lines around urllib for the examples beside it: JSON out, JSON in, a bearer token once there is one."""

import json
import urllib.request


class Client:
    """Speaks to one base URL."""

    def __init__(self, base):
        self.base = base
        self.token = None

    def call(self, method, path, body=None, **headers):
        """Return the answer's JSON; an error status raises. `Idempotency_Key="…"` sends that header."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            content = response.read()
        return json.loads(content) if content else None

    def get(self, path):
        """GET."""
        return self.call("GET", path)

    def post(self, path, body=None, **headers):
        """POST a JSON body."""
        return self.call("POST", path, {} if body is None else body, **headers)


def register(base, email, company_name):
    """Make an organization on the Platform; return its owner's client and the organization."""
    platform = Client(f"{base}/api/v1")
    platform.token = platform.post(
        "/auth/register",
        {
            "email": email,
            "password": "securePassword123",
            "full_name": "Ada Lovelace",
            "company_name": company_name,
            "company_size": "small",
            "industry": "technology",
        },
    )["access_token"]
    return platform, platform.get("/me")["organization"]
