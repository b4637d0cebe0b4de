"""Values that have broken servers before, by what a field is said to hold. `Raw` ones are JSON text as it stands."""

from collections.abc import Iterator
from typing import Any


class Raw(str):
    """JSON text that no encoder would write."""

    __slots__ = ()


class Repeat(tuple):
    """A query parameter given several times."""

    __slots__ = ()


def _deep(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


TEXTS: tuple[Any, ...] = (
    Raw('"a\\u0000b"'),
    Raw('"\\ud800"'),
    "",
    "   ",
    "\u3000\u200b",
    "\u202egnirts\ufffe",
    "İıßﬀ e\u0301\u0301",
    "👩‍👩‍👧‍👦" * 10,
    "a\r\nBcc: all@example.com",
    "=cmd|' /C calc'!A0 '; DROP TABLE x; -- <script>{{ 7 * 7 }} %_\\ \x1b[31m\x07\x7f",
    "x" * 70_000,
    "a@" * 30_000,
    "\u0300" * 100_000,
)
MAILS: tuple[Any, ...] = (
    "a@b,c@d.example",
    '"x" <a@b.example>',
    '"quoted local"@example.com',
    "a(comment)@example.com",
    "a@[127.0.0.1]",
    "a@example.com\n",
    "josé@exämple.com",
    "a" * 250 + "@example.com",
    "a@" + "b." * 5_000 + "c",
)
NUMBERS: tuple[Any, ...] = (
    Raw("1e400"),
    Raw("1e-400"),
    Raw("-0"),
    Raw("-0.0"),
    Raw("NaN"),
    Raw("-Infinity"),
    Raw("1" * 401),
    Raw("1" + "0" * 4_400),
    2**31,
    -(2**31) - 1,
    2**63 - 1,
    -(2**63),
    2**64,
    0,
    -1,
    1.0,
    0.1 + 0.2,
    0.0001,
    1e308,
    True,
    "NaN",
    "sNaN",
    "Infinity",
    "0x10",
    "１２",
    "1_000",
    "1,5",
    "1e999999",
    "9" * 5_000,
    " 1 ",
)
MOMENTS: tuple[Any, ...] = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01",
    "0000-00-00",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31",
    "10000-01-01",
    "2024-02-30",
    "2024-01-01T00:00:00+18:05",
    "2024-01-01T00:00:00+99:99",
    "2016-12-31T23:59:60Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:00",
    "2024-W01-1",
    "-2024-01-01",
    "１９９９-01-01",
    "P99999999D",
    1_700_000_000,
    10**18,
)
IDS: tuple[Any, ...] = (
    "not-a-uuid",
    "6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b",
    "6D1D5A5E1F0F4C3E9C1C5F0B8F3C9D2B",
    "{6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b}",
    "urn:uuid:6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b",
    "00000000-0000-0000-0000-000000000000",
    "me",
    "null",
    0,
    -1,
    2**127,
    Raw("1" * 40),
    "a" * 4_000,
)
SHAPES: tuple[Any, ...] = (None, True, 7, "text", [], [None], [[{}]], {}, {"a": {"$ne": None}, "__proto__": {}})
# For the fields that take objects and lists of the customer's own.
DEEP: tuple[Any, ...] = (
    _deep(25),
    _deep(60),
    list(range(12_000)),
    {str(n): n for n in range(12_000)},
    {"x" * 5_000: "x" * 200_000},
    ["x" * 500] * 150,
    ["a", "a"],
    {"n": 2**63 - 1, "f": 1e308, "z": -0.0, "t": "\u202e\ufffe", "l": [None, [], {}]},
    Raw('{"a": 1, "a": 2}'),
    Raw('{"a\\u0000": 1}'),
    Raw('{"a": "\\u0000"}'),
    Raw('["\\ud800"]'),
    Raw('{"a": 1e400}'),
    Raw('{"a": 18446744073709551616}'),
    Raw("[1,]"),
)
PLAIN_QUERIES: tuple[Any, ...] = (
    "\0",
    "",
    "banana",
    "null",
    "-1",
    "9" * 30,
    "1e400",
    "١",
    "-password",
    "owner__password",
    "created_at,-id",
    "{6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b}",
    Repeat(("1", "2")),
)
QUERIES: tuple[Any, ...] = (
    "\0",
    "a\0b",
    "",
    "   ",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "(",
    "a & !b | (c:*",
    ":*",
    "<->",
    "x" * 7_000,
    " ".join(["word"] * 1_500),
    "a," * 3_000,
    ",",
    "null",
    "None",
    "true",
    "TRUE",
    "banana",
    "0",
    "-1",
    "1.5",
    "1e400",
    "9" * 30,
    "9" * 5_000,
    "١",
    "１",
    "+1",
    "NaN",
    "-password",
    "owner__password",
    "?",
    "created_at,-id",
    "\ufffe\U0010ffff",
    "\u202e",
    "2024-02-30",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2024-01-01T00:00:00+18:05",
    "9999-12-31",
    "me",
    "6D1D5A5E1F0F4C3E9C1C5F0B8F3C9D2B",
    "{6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b}",
    Repeat(("1", "2")),
    Repeat(("asc", "\0")),
)
STRAY_QUERIES: tuple[str, ...] = (
    "_connector=OR",
    "_negated=true",
    "organization_id=1&organization__id=1",
    "id__in=1,2&password__startswith=a",
    "[]=1&a[b]=c&a.b=c",
    "=1&&&;=",
    "a=%ff%fe&%ff=1",
    "a=%zz&%",
    "page=1&page=0",
    "&".join(f"a{n}=1" for n in range(1_500)),
    "format=html&_method=DELETE",
)
PATHS: tuple[str, ...] = (
    "%00",
    "6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b%00",
    "not-a-uuid",
    "0",
    "-1",
    "9" * 40,
    "6D1D5A5E-1F0F-4C3E-9C1C-5F0B8F3C9D2B",
    "6d1d5a5e1f0f4c3e9c1c5f0b8f3c9d2b",
    "%7B6d1d5a5e-1f0f-4c3e-9c1c-5f0b8f3c9d2b%7D",
    "00000000-0000-0000-0000-000000000000",
    "%ff%fe",
    "%2e%2e",
    "..%2f..",
    "me.json",
    "a" * 6_000,
    "%0d%0aX: y",
    "%F0%9F%98%80",
)
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""),
    ("application/json", b" "),
    ("application/json", b"null"),
    ("application/json", b"[]"),
    ("application/json", b'"text"'),
    ("application/json", b"7"),
    ("application/json", b"{"),
    ("application/json", b"{}{}"),
    ("application/json", b"\xef\xbb\xbf{}"),
    ("application/json", "{}".encode("utf-16")),
    ("application/json", b'{"\xff": 1}'),
    ("application/json", b'{"\\u0000": 1}'),
    ("application/json", b'{"a": 1, "a": 2}'),
    ("application/json", b"[" * 100_000 + b"]" * 100_000),
    ("application/json", b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    ("application/json", b"{" + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}"),
    ("application/json", b'{"a": "' + b"x" * (2 * 1024 * 1024) + b'"}'),
    ("application/json", b'{"unknown_key": 1, "id": 1, "organization_id": 1, "is_staff": true}'),
    ("application/json; charset=utf-16", b"{}"),
    ("text/plain", b"{}"),
    ("application/x-www-form-urlencoded", b"a=1&b=%00"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\0\r\n--x--"),
    ("multipart/form-data", b"no boundary"),
)


def for_field(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield what to put where a field of this schema stands."""
    kind = schema.get("type")
    if kind == "array":
        for value in list(_of_type(schema.get("items", {})))[:20]:
            yield Raw(f"[{value}]") if isinstance(value, Raw) else [value]
    else:
        yield from _of_type(schema)
    yield from SHAPES
    if kind in {"array", "object", None}:
        yield from DEEP


def _of_type(schema: dict[str, Any]) -> Iterator[Any]:
    if schema.get("enum"):
        first = str(schema["enum"][0])
        yield from ("no-such-value", first, first.upper(), f"{first}\n")
        return
    values = _BY_FORMAT.get(schema.get("format", "")) or _BY_TYPE.get(schema.get("type", ""), ())
    yield from values
    if schema.get("type") == "string":
        longest = schema.get("maxLength")
        yield from ("😀" * longest, "x" * (longest + 1), "İ" * longest) if longest else ()


_BY_FORMAT = {
    "uuid": (*IDS, *TEXTS[:4]),
    "date": (*MOMENTS, *TEXTS[:4]),
    "date-time": (*MOMENTS, *TEXTS[:4]),
    "time": (*MOMENTS, *TEXTS[:4]),
    "email": (*TEXTS, *MAILS),
}
_BY_TYPE = {"string": TEXTS, "integer": NUMBERS, "number": NUMBERS}


def for_query(schema: dict[str, Any]) -> tuple[Any, ...]:
    """Return what to give a query parameter: texts get everything, what is one of a few kinds of value less."""
    is_free = schema.get("type") == "string" and not schema.get("enum") and schema.get("format") != "uuid"
    return QUERIES if is_free else PLAIN_QUERIES
