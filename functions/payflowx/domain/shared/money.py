"""Money is an integer in the currency's minor unit. Floats never touch it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

_EXPONENTS: Final[Mapping[int, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF"
        " CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD"
        " HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK"
        " MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD"
        " RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS"
        " UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}

_WITHDRAWN: Final[Mapping[str, int]] = {"ANG": 2, "BGN": 2, "UYI": 0}
"""Accepted by release 0.2.0. ANG became XCG on 31 March 2025, BGN the euro on 1 January 2026; UYI is a fund's code."""

_MAX_MAJOR_DIGITS: Final = 15
"""Longer than any amount of ours; a provider's longer number is invalid."""

ACTIVE_CURRENCIES: Final[Mapping[str, int]] = {
    code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()
}
"""The codes of ISO 4217, List One, that are no fund's and have a minor unit, with its number of decimals.

A test holds them to the list that was published on 1 January 2026.
"""
CURRENCY_EXPONENTS: Final[Mapping[str, int]] = {**ACTIVE_CURRENCIES, **_WITHDRAWN}
"""With withdrawn currencies: payments in them are stored, refunded and reported still."""


def is_currency(code: str) -> bool:
    """Return whether a new payment may be in this currency: an active one of ISO 4217, in capitals."""
    return code in ACTIVE_CURRENCIES


def to_major(amount: int, currency: str) -> Decimal:
    """1234 USD -> Decimal('12.34'), 1234 JPY -> Decimal('1234'), 1234 KWD -> Decimal('1.234'); exact."""
    return Decimal(amount).scaleb(-CURRENCY_EXPONENTS[currency])


def to_minor(major: Decimal, currency: str) -> int | None:
    """Reverse `to_major`; None for a fraction of a minor unit (12.345 USD) or NaN.

    In integers: decimal arithmetic rounds to 28 digits, and a provider may send any number of digits.
    """
    exponent = CURRENCY_EXPONENTS.get(currency)
    if exponent is None or not major.is_finite() or major.adjusted() > _MAX_MAJOR_DIGITS:
        return None
    sign, digits, places = major.as_tuple()
    whole, shift = int("".join(map(str, digits))), int(places) + exponent
    if shift < 0:
        if whole and -shift > len(digits):
            return None
        whole, rest = divmod(whole, 10 ** min(-shift, len(digits)))
        return None if rest else (-whole if sign else whole)
    return (-whole if sign else whole) * int(10**shift)
