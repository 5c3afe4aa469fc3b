"""Which accounts may be used: test accounts only, recognized before the first request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from payflowx.domain.shared.transport import Credentials

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAccountRule:
    """How a provider's test accounts differ from its live ones.

    `live`: credentials that are refused at every address. `test`: what the credentials must show where one host serves
    both; None where the host decides.
    """

    endpoint: str
    live: re.Pattern[str]
    test: re.Pattern[str] | None = None


RULES: Final[Mapping[str, TestAccountRule]] = {
    "stripe": TestAccountRule(
        endpoint="https://api.stripe.com",
        live=re.compile(r"(?:sk|rk|pk)_live_"),
        test=re.compile(r"(?:sk|rk)_test_"),
    ),
    "razorpay": TestAccountRule(
        endpoint="https://api.razorpay.com",
        live=re.compile(r"rzp_live_"),
        test=re.compile(r"rzp_test_"),
    ),
    "cashfree": TestAccountRule(endpoint="https://sandbox.cashfree.com/pg", live=re.compile(r"cfsk_ma_prod_")),
    "payu": TestAccountRule(endpoint="https://test.payu.in", live=re.compile(r"(?!)")),
}
"""PayU's keys do not show whether they are live: its host decides."""


def why_refused(provider: str, endpoint: str, credentials: Credentials) -> str | None:
    """Return the reason why this account may not be used; None for a test account. Repeats no key."""
    rule = RULES[provider]
    given = (credentials.key_id, credentials.key_secret)
    if any(rule.live.search(value.strip()) for value in given):
        return f"These are live credentials of {provider}."
    try:
        parts, sandbox = urlsplit(endpoint), urlsplit(rule.endpoint)
    except ValueError:
        return "The endpoint is no address."
    if parts.hostname in _LOOPBACK:
        return None
    if (parts.scheme, parts.netloc.casefold()) != (sandbox.scheme, sandbox.netloc):
        return f"{provider} is certified at {rule.endpoint}, or at a simulator on this machine."
    if rule.test is not None and not any(rule.test.match(value) for value in given):
        return f"The credentials do not show that they belong to a test account of {provider}."
    return None
