"""Shoppers who put a thing into their carts and order it, again and again, and what the database holds of it."""

import json
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from tests.conftest import PASSWORD
from tests.faults.site import Site, SiteClient

SHOPPERS = 4
STOCK = 100_000
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
# Orders that do not say what their lines, the ledger and their one event say; and balances that the ledger does not.
HALF_ORDERS = """
SELECT o.order_number FROM commerce_order o
LEFT JOIN (SELECT order_id, sum(total) AS total, sum(quantity) AS units FROM commerce_orderitem GROUP BY order_id) i
       ON i.order_id = o.id
LEFT JOIN (SELECT reference_id, sum(change) AS units FROM commerce_stockmovement GROUP BY reference_id) m
       ON m.reference_id = o.id
LEFT JOIN (SELECT subject_id, count(*) AS n FROM core_event WHERE name = 'order.created' GROUP BY subject_id) e
       ON e.subject_id = o.id
WHERE (i.total, -m.units, e.n) IS DISTINCT FROM (o.total, i.units, 1)
"""
ORPHANS = """
SELECT reference_id FROM commerce_stockmovement WHERE reference_type = 'order'
EXCEPT SELECT id FROM commerce_order
"""
WRONG_BALANCES = """
SELECT s.id FROM commerce_stockitem s JOIN commerce_stockmovement m ON m.stock_id = s.id
GROUP BY s.id HAVING sum(m.change) <> s.quantity
"""


@dataclass
class Shopping:
    """`with Shopping(site) as shopping`: so many shoppers until the block ends."""

    site: Site
    ordered: list[str] = field(default_factory=list)
    unanswered: int = 0
    refused: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base = f"/shop/{self.site.slug()}/api/v1"
        body = {"name": f"Thing {uuid4().hex[:8]}", "price": 10, "stock_quantity": STOCK}
        status, _, answer = self.site.client().send("POST", "/api/v1/products", body)
        assert status == 201, answer
        self.product_id = json.loads(answer)["id"]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(self._shopper(),), daemon=True) for _ in range(SHOPPERS)
        ]

    def _shopper(self) -> SiteClient:
        client, email = SiteClient(self.site.port), f"{uuid4().hex}@example.com"
        names = {"first_name": "Ada", "last_name": "Lovelace"}
        client.send("POST", f"{self.base}/auth/register", {"email": email, "password": PASSWORD, **names})
        status, _, answer = client.send("POST", f"{self.base}/auth/login", {"email": email, "password": PASSWORD})
        assert status == 200, answer
        client.token = json.loads(answer)["data"]["access_token"]
        return client

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, client: SiteClient) -> None:
        while not self._stop.is_set():
            self._send(client, "cart/items", {"product_id": self.product_id, "quantity": 2})
            answer = self._send(client, "orders", {"shipping_address": ADDRESS})
            if answer is not None:
                self.ordered.append(answer["id"])

    def _send(self, client: SiteClient, path: str, body: Any) -> Any:
        try:
            status, _, content = client.send("POST", f"{self.base}/{path}", body)
        except (OSError, HTTPException):
            self.unanswered += 1
            self._stop.wait(0.1)
            return None
        if status not in {200, 201}:
            self.refused.append((status, content))
            return None
        return json.loads(content)["data"]
