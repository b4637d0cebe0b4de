"""Money: integer minor units with an ISO 4217 currency inside, decimals only at the edge."""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from types import MappingProxyType

from crm.core.errors import Invalid

# ISO 4217 minor units that are not 2. Stripe and ISO agree on these; CLDR's display digits do not and are not used.
EXPONENTS = MappingProxyType(
    dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
)
CURRENCIES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "ANG",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYI",
        "UYU",
        "UZS",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)
LARGEST_MINOR = 10**15 - 1  # the 15 digits that a JSON number carries exactly, wherever its point stands
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])  # the default context rounds to 28 digits


def exponent(currency: str) -> int:
    """Return how many decimals the currency has."""
    return EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str, *, field: str = "amount") -> int:
    """Return major units as minor units; more decimals than the currency has, or too large a sum, is `Invalid`."""
    if not amount.is_finite():
        raise Invalid({field: "Enter a number."})
    minor = amount.scaleb(exponent(currency), _EXACT)
    if minor != minor.to_integral_value():
        raise Invalid({field: f"{currency} has {exponent(currency)} decimals."})
    if minor.copy_abs() > LARGEST_MINOR:
        raise Invalid({field: "This amount is too large."})
    return int(minor)


def to_major(minor: int, currency: str) -> float:
    """Return minor units as the JSON number in major units; exact up to `LARGEST_MINOR`."""
    scale: int = 10 ** exponent(currency)
    return minor / scale


def exact(minor: int, currency: str) -> Decimal:
    """Return minor units as major units with the currency's decimals: 1250 cents as 12.50."""
    return Decimal(minor).scaleb(-exponent(currency), _EXACT)


def text(minor: int, currency: str) -> str:
    """Return minor units as people read them: `1,500.00 USD`."""
    return f"{exact(minor, currency):,f} {currency}"


def currency_code(text: str, *, field: str = "currency") -> str:
    """Return the currency's code in capitals; `Invalid` where there is no such currency."""
    code = text.upper()
    if code not in CURRENCIES:
        raise Invalid({field: "Choose an ISO 4217 currency, such as EUR."})
    return code
