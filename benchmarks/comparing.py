"""Whether both servers do the same work: what they answer, and what they leave in the database."""

from typing import Any

import orjson
import psycopg

from benchmarks.load import ask
from benchmarks.stage import Server, Stage


class DifferentAnswersError(Exception):
    """The two servers do not do the same work."""


def answer(server: Server, request: bytes, status: int) -> Any:
    """Return a server's answer, which must have this status."""
    answered, body = ask(server.port, request)
    if answered != status:
        raise DifferentAnswersError(f"{server.name} answered {answered}: {body[:600]!r}")
    return orjson.loads(body)


def equal(title: str, product: Any, floor: Any) -> None:
    """Raise where two answers differ."""
    if product != floor:
        raise DifferentAnswersError(f"{title}: {_difference('', product, floor)}")


def take_out(value: Any, keys: set[str], title: str) -> Any:
    """Return an answer without what is different each time, which must be there."""
    if isinstance(value, dict):
        if empty := [key for key in keys & value.keys() if not value[key]]:
            raise DifferentAnswersError(f"{title}: {empty} is empty")
        return {key: take_out(inner, keys, title) for key, inner in value.items() if key not in keys}
    return [take_out(inner, keys, title) for inner in value] if isinstance(value, list) else value


def stored(stage: Stage, rows: int, query: str, *ids: Any) -> list[Any]:
    """Return what a query about each of the ids finds."""
    with psycopg.connect(stage.admin_url(stage.database(rows))) as connection:
        return [connection.execute(query, [pk]).fetchall() for pk in ids]


def _difference(path: str, product: Any, floor: Any) -> str:
    """Return the first place where two answers part."""
    if isinstance(product, dict) and isinstance(floor, dict) and product.keys() == floor.keys():
        for key, value in product.items():
            if value != floor[key]:
                return _difference(f"{path}.{key}", value, floor[key])
    if isinstance(product, list) and isinstance(floor, list) and len(product) == len(floor):
        for number, (mine, other) in enumerate(zip(product, floor, strict=True)):
            if mine != other:
                return _difference(f"{path}[{number}]", mine, other)
    return f"at {path or 'the top'} the product says {product!r}, the floor {floor!r}"
