"""Amounts are integers in the currency's minor unit. Decimals convert exactly or not at all; floats are refused."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

MAX_AMOUNT: Final = 999_999_999_999
_WITHOUT_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DECIMALS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP"
    " CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR"
    " JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN"
    " NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP"
    " SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
)
_FRACTION: Final = "the amount has more than the {exponent} decimals of {currency}; round it first"
EXPONENTS: Final[Mapping[str, int]] = {
    code: exponent
    for exponent, codes in ((0, _WITHOUT_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS))
    for code in codes.split()
}
"""Decimals of each currency of ISO 4217 that the API takes or has taken."""


def to_minor(amount: Decimal, currency: str) -> int:
    """`to_minor(Decimal("19.99"), "USD")` is 1999.

    Raises `TypeError` for what is no Decimal, `ValueError` for an unknown currency and for fractions of a minor unit:
    how to round is the caller's decision.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"Decimal expected, not {type(amount).__name__}: write Decimal('19.99')")
    exponent = _exponent(currency)
    if not amount.is_finite() or amount.adjusted() > len(str(MAX_AMOUNT)):
        raise ValueError("the amount is too large, or no number")
    if amount and amount.adjusted() < -exponent:
        raise ValueError(_FRACTION.format(exponent=exponent, currency=currency))
    numerator, denominator = amount.as_integer_ratio()
    if numerator * 10**exponent % denominator:
        raise ValueError(_FRACTION.format(exponent=exponent, currency=currency))
    return check_minor(numerator * 10**exponent // denominator)


def from_minor(amount: int, currency: str) -> Decimal:
    """`from_minor(1999, "USD")` is `Decimal("19.99")`, with all decimals of the currency."""
    digits = Decimal(check_minor(amount)).as_tuple()
    return Decimal((digits.sign, digits.digits, -_exponent(currency)))


def check_minor(amount: object) -> int:
    """An integer within the API's range, of either sign. Raises `TypeError`, `ValueError`."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError(f"an amount is an integer in the minor unit, not {type(amount).__name__}; see `to_minor`")
    if abs(amount) > MAX_AMOUNT:
        raise ValueError(f"an amount is at most {MAX_AMOUNT}")
    return amount


def _exponent(currency: str) -> int:
    if currency not in EXPONENTS:
        raise ValueError("the currency is not known; ISO 4217, in capitals")
    return EXPONENTS[currency]
