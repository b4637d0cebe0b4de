"""Strict JSON, as bytes: what is refused, and what must come through whole."""

import pytest

from crm.core.errors import Invalid, Malformed
from crm.core.strict_json import DEEPEST, MOST_NODES, read_object

REFUSED = {
    "an array": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "a number": b"1",
    "blank": b" ",
    "cut off": b'{"a": ',
    "trailing bytes": b"{} x",
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "invalid UTF-8": b'{"a": "\xff"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate in a key": b'{"\\udfff": 1}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "1e400": b'{"a": 1e400}',
    "-1e400": b'{"a": [-1e400]}',
    "5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "hexadecimal": b'{"a": 0x10}',
    "full-width digits": '{"a": １}'.encode(),
    "a key twice": b'{"a": 1, "a": 2}',
    "a key twice, far down": b'{"a": [{"b": 1, "b": 1}]}',
    "a key twice, spelled differently": b'{"a": 1, "\\u0061": 2}',
    "a key twice beside a text that looks like one": b'{"a": "\\":", "a": 2}',
    "too deep": b'{"a": ' * DEEPEST + b"1" + b"}" * DEEPEST,
    "far too deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too many values": b'{"a": [' + b"1," * MOST_NODES + b"1]}",
    "too many keys": b"{" + b",".join(b'"%d": 1' % n for n in range(MOST_NODES)) + b"}",
}
UNSTORABLE = {
    "NUL in a value": (b'{"a": "x\\u0000y"}', "a"),
    "NUL far down": (b'{"a": [{"b": ["\\u0000"]}]}', "a.0.b.0"),
    "2**63": (b'{"a": 9223372036854775808}', "a"),
    "-2**63": (b'{"a": [1, -9223372036854775808]}', "a.1"),
    "300 digits": (b'{"a": ' + b"9" * 300 + b"}", "a"),
}
TAKEN = {
    "nothing": (b"", {}),
    "an empty object": (b"{}", {}),
    "texts that look like keys": (b'{"a": "x\\": y \\" : z"}', {"a": 'x": y " : z'}),
    "long digits in a text": (b'{"a": "92233720368547758070"}', {"a": "92233720368547758070"}),
    "the largest integer": (b'{"a": 9223372036854775807}', {"a": 2**63 - 1}),
    "emoji": ('{"👩‍👩‍👧": "👩‍👩‍👧"}'.encode(), {"👩‍👩‍👧": "👩‍👩‍👧"}),
    "a surrogate pair": (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    "the same key in two objects": (b'{"a": {"x": 1}, "b": {"x": 2}}', {"a": {"x": 1}, "b": {"x": 2}}),
    "too small a number": (b'{"a": 1e-400}', {"a": 0.0}),
    "keys of other languages' objects": (b'{"__proto__": {}, "__class__": 1}', {"__proto__": {}, "__class__": 1}),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_body_that_could_harm_is_refused(body):
    with pytest.raises(Malformed):
        read_object(body)


@pytest.mark.parametrize(("body", "place"), UNSTORABLE.values(), ids=UNSTORABLE)
def test_a_value_that_cannot_be_stored_is_named_by_its_place(body, place):
    with pytest.raises(Invalid) as refused:
        read_object(body)

    assert refused.value.details.keys() == {place}


@pytest.mark.parametrize(("body", "value"), TAKEN.values(), ids=TAKEN)
def test_a_good_body_comes_through_whole(body, value):
    assert read_object(body) == value


def test_a_body_at_the_depth_limit_is_taken():
    assert read_object(b'{"a": ' * (DEEPEST - 1) + b"1" + b"}" * (DEEPEST - 1))
