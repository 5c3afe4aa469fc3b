"""The merchant's own words on an intent, within Stripe's lengths and characters. Pure.

Equal payments give equal fields in a fixed order. A payment without these words gives none, so that a stored request
of an older release keeps its bytes.
"""

import re
from collections.abc import Iterator
from typing import Final

from payflowx.domain.payments.payment import Address
from payflowx.domain.providers.ports import ChargeRequest

CAPTURE_FIELD: Final = "payflowx_capture"
"""An intent is captured once: the key of the capture that took the money stays in its metadata."""
KEY_FIELD: Final = "payflowx_key"
"""The metadata field that holds our provider key on an intent, a charge or a refund."""

_MAX_DESCRIPTION_CHARS: Final = 1_000
_MAX_METADATA: Final = 50 - 2  # https://docs.stripe.com/api/metadata; two fields are ours
_MAX_METADATA_NAME_CHARS: Final = 40
_MAX_METADATA_VALUE_CHARS: Final = 500
_MAX_SUFFIX_CHARS: Final = 22
_NOT_IN_DESCRIPTORS: Final = re.compile(
    r"""[<>\\'"*]|[^\x20-\x7e]"""
)  # https://docs.stripe.com/get-started/account/statement-descriptors
_LETTER: Final = re.compile("[A-Za-z]")
_ADDRESS_FIELDS: Final = ("line1", "line2", "city", "state", "postal_code", "country")

Fields = list[tuple[str, str]]


def merchant_fields(request: ChargeRequest) -> Fields:
    """Return description, metadata, statement descriptor, receipt address and the payer's name with address."""
    return [*_texts(request), *_metadata(request), *_shipping(request)]


def _texts(request: ChargeRequest) -> Iterator[tuple[str, str]]:
    if request.description:
        yield "description", request.description[:_MAX_DESCRIPTION_CHARS]
    suffix = _NOT_IN_DESCRIPTORS.sub("", request.statement_descriptor_suffix or "")[:_MAX_SUFFIX_CHARS].strip()
    if _LETTER.search(suffix):
        yield "statement_descriptor_suffix", suffix
    if request.receipt_email:
        yield "receipt_email", request.receipt_email


def _metadata(request: ChargeRequest) -> Iterator[tuple[str, str]]:
    """Names in the order of the alphabet. A name that Stripe does not take, or that is ours, is left out."""
    taken = [name for name in sorted(request.metadata) if _is_a_name(name) and request.metadata[name].strip()]
    for name in taken[:_MAX_METADATA]:
        yield f"metadata[{name}]", request.metadata[name][:_MAX_METADATA_VALUE_CHARS]


def _is_a_name(name: str) -> bool:
    is_ours = name in {KEY_FIELD, CAPTURE_FIELD}
    return 1 <= len(name) <= _MAX_METADATA_NAME_CHARS and not is_ours and not set(name) & {"[", "]"}


def _shipping(request: ChargeRequest) -> Iterator[tuple[str, str]]:
    """Name and address together, because one without the other is refused. Accounts in India must send both."""
    customer = request.customer
    if customer is None or not customer.name or not _lines(customer.address):
        return
    yield "shipping[name]", customer.name
    yield from ((f"shipping[address][{name}]", value) for name, value in _lines(customer.address))


def _lines(address: Address | None) -> Fields:
    values = [(name, getattr(address, name, None)) for name in _ADDRESS_FIELDS]
    return [(name, value) for name, value in values if value]
