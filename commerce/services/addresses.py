"""Countries and their parts, as people write them in addresses: `US`, `USA` and `United States` are one."""

import re
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Any

import pycountry

from crm.core.errors import Invalid
from crm.core.search import words

INITIALS = re.compile(r"(?<=\b\w) (?=\w\b)")  # the space between single letters
# What people call countries beside their names in ISO 3166.
EVERYDAY = {
    "america": "US",
    "the united states": "US",
    "the united states of america": "US",
    "uk": "GB",
    "great britain": "GB",
    "britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "holland": "NL",
    "the netherlands": "NL",
    "turkey": "TR",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "macedonia": "MK",
    "vatican": "VA",
    "vatican city": "VA",
    "russia": "RU",
    "north korea": "KP",
    "brunei": "BN",
    "bosnia": "BA",
    "uae": "AE",
    "palestine": "PS",
    "falkland islands": "FK",
    "micronesia": "FM",
    "saint martin": "MF",
    "macau": "MO",
    "kosovo": "XK",  # not in ISO 3166, which keeps this code free for it
    "xk": "XK",
    "deutschland": "DE",
    "osterreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "espana": "ES",
    "italia": "IT",
    "brasil": "BR",
    "etats unis": "US",
    "estados unidos": "US",
}


def country_code(text: str) -> str:
    """Return the ISO 3166-1 code of a country written as code, of two or three letters, or name; '' where unknown."""
    return _countries().get(_plain(text), "")


def state_code(country: str, text: str) -> str:
    """Return the code of a part of the country (by its code) without the country's: `NY`; '' where unknown."""
    return _states(country).get(_plain(text), "") if text else ""


def require_address(field: str, address: Mapping[str, Any] | None) -> None:
    """Raise `Invalid` unless the address, if there is one, says something, in text, and any country in it is known.

    Without a known country its taxes could not be told.
    """
    if address is None:
        return
    faults = {f"{field}.{part}": "Enter text." for part, said in address.items() if not isinstance(said, str | None)}
    if not faults and not any(address.values()):
        faults = {field: "Say where it is, or leave the address out."}
    elif not faults and address.get("country") and not country_code(address["country"]):
        faults = {f"{field}.country": "There is no such country."}
    if faults:
        raise Invalid(faults)


def _plain(text: str) -> str:
    """Return the words of a name; single letters, as in `N.Y.`, are one word."""
    return INITIALS.sub("", " ".join(words(text)))


@cache
def _countries() -> dict[str, str]:
    found = dict(EVERYDAY)
    for country in pycountry.countries:
        for attribute in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            found.setdefault(_plain(getattr(country, attribute, "")), country.alpha_2)
    del found[""]  # countries without a common name
    return found


@cache
def _states(country: str) -> dict[str, str]:
    found: dict[str, str] = {}
    parts = sorted((part for part in pycountry.subdivisions if part.country_code == country), key=attrgetter("code"))
    # Codes before names, so that no name takes another part's code.
    for attribute in ("code", "name"):
        for part in parts:
            code = part.code.partition("-")[2]
            found.setdefault(_plain(getattr(part, attribute)), code)
            found.setdefault(_plain(code), code)
    return found
