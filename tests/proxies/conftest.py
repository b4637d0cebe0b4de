"""The product in production, with the shipped example as its settings, behind nginx."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from devstack.supervisor import PROJECT
from tests.conftest import PASSWORD
from tests.faults.site import Site
from tests.proxies.nginx import NAME, PROGRAM, Nginx
from tests.support.mail_server import Mailbox

EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.+)$", (PROJECT / ".env.example").read_text(), re.MULTILINE))
UNDERSCORES = {"underscores_in_headers off": "underscores_in_headers on"}
FORWARDED_AS_SENT = {"X-Forwarded-For $remote_addr": "X-Forwarded-For $http_x_forwarded_for"}


class ProductionSite(Site):
    """Two web processes, a worker and beat as a deployment runs them; SECRET_KEY is the one of the data directory."""

    def __init__(self, mail_port: int) -> None:
        limits = {"RATE_LIMIT_AUTH": "5", "RATE_LIMIT_GENERAL": "100"}
        given = {name: value for name, value in EXAMPLE.items() if name not in {"SECRET_KEY", "EMAIL_URL"}}
        super().__init__(mail_port, NAME, **limits, **given)
        self.operator = f"operator.{uuid4().hex[:8]}@example.com"

    def register(self) -> dict[str, Any]:
        """Make an owner and an operator by command: nobody may register here."""
        owner = f"owner.{uuid4().hex[:8]}@example.com"
        manage = self.supervisor._manage
        manage("Owner", "create_owner", "--organization", "Behind", "--email", owner, "--password", PASSWORD)
        manage("Operator", "create_operator", "--email", self.operator, "--password", PASSWORD)
        return {"email": owner}

    def last_session(self) -> tuple[str, str]:
        """The address and the agent of the session that was opened last."""
        ((address, agent),) = self.rows(
            "SELECT host(address), user_agent FROM accounts_session ORDER BY created_at DESC LIMIT 1"
        )
        return address, agent


@pytest.fixture(scope="module")
def site() -> Iterator[ProductionSite]:
    """The running product."""
    if PROGRAM is None:
        pytest.skip("nginx is not installed; the tests behind a real proxy are left out (apt-get install nginx)")
    with Mailbox() as box, ProductionSite(box.port) as site:
        yield site


@pytest.fixture(scope="module")
def nginx(site: ProductionSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx as docs/deployment/nginx.conf says."""
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", site.port) as running:
        yield running


@pytest.fixture(scope="module")
def passing_on(site: ProductionSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx that passes on what the client says of its address: the control."""
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", site.port, FORWARDED_AS_SENT) as running:
        yield running


@pytest.fixture(scope="module")
def letting_underscores_through(site: ProductionSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx that hands on names with underscores, as other proxies do by default."""
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", site.port, UNDERSCORES) as running:
        yield running


@pytest.fixture
def address() -> str:
    """A loopback address that no other test uses: limits count by it."""
    number = next(_numbers)
    return f"127.20.{number // 250}.{number % 250 + 1}"


_numbers = iter(range(10_000))
