"""From the raw request to a validated command. The order matters: card data is looked for before anything is said."""

from collections.abc import Iterator
from typing import NoReturn

import msgspec

from payflowx.application.payments.create_payment import NewPayment
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.domain.payments.checkout import DEFAULT_LIFETIME_SECONDS, Presentation
from payflowx.domain.payments.hosted import CHECKOUT
from payflowx.domain.payments.payment import Address, Customer, PaymentMethod
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_FREE_TEXT_BYTES
from payflowx.domain.shared.money import is_currency
from payflowx.domain.shared.statuses import CaptureMode, Initiator
from payflowx.domain.shared.text import is_clean, is_order_id, unclean_part
from payflowx.domain.shared.urls import why_not_allowed
from payflowx.entrypoints.api.bodies import converted, key_in, read_body
from payflowx.entrypoints.api.field_rules import RULES
from payflowx.entrypoints.api.payments.fingerprints import content_fingerprint, fingerprint
from payflowx.entrypoints.api.payments.types import CreatePaymentRequest, CustomerRequest
from payflowx.entrypoints.api.requests import ApiRequest, idempotency_key


def decode_new_payment(request: ApiRequest, *, loopback_allowed: bool = False) -> NewPayment:
    """Raises `Refusal` with the precise code; nothing of the request is repeated in it.

    `loopback_allowed`: the payer may return to a shop on this machine, as a developer's payer does.
    """
    request.check_path_and_query()
    request.check_no_query()
    request.check_headers()
    body = read_body(request, CreatePaymentRequest)
    key = idempotency_key(request.headers("idempotency-key"), key_in(body))
    typed = converted(body, CreatePaymentRequest)
    _check(typed, loopback_allowed=loopback_allowed)
    return _command(request.merchant_id, key, fingerprint("POST", "/payments", body), typed)


def _check(typed: CreatePaymentRequest, *, loopback_allowed: bool) -> None:
    """Check the rules that a schema cannot express."""
    if not is_currency(typed.currency):
        _refuse("currency", "The currency is not an active one of ISO 4217.")
    method = typed.payment_method
    if method.type == CHECKOUT:
        _check_checkout(typed)
    else:
        _check_token(typed)
    tokens = method.tokens or {}
    # The decoder's $ lets a final line break pass, which the document's $ does not.
    if not all(is_clean(text) for text in [method.type, method.token or "", *tokens.keys(), *tokens.values()]):
        _refuse("paymentMethod", RULES["paymentMethod"][1])
    if Initiator(typed.initiator) is Initiator.MERCHANT and typed.save_payment_method:
        _refuse("savePaymentMethod", "A merchant charges a payment method that is saved already; leave this out.")
    if typed.order_id is not None and not is_order_id(typed.order_id):
        _refuse("orderId", RULES["orderId"][1])
    if typed.order_id is None and not typed.once_per_order:
        _refuse("oncePerOrder", RULES["oncePerOrder"][1])
    texts = list(_free_texts(typed))
    for field, text in texts:
        if part := unclean_part(text):
            raise Refusal("text_invalid", f"{field} holds {part}. Remove it.", field=field)
    if typed.return_url is not None:
        _check_return_url(typed.return_url, loopback_allowed=loopback_allowed)
    size = sum(len(text.encode()) for _, text in [*texts, ("returnUrl", typed.return_url or "")])
    if size > MAX_FREE_TEXT_BYTES:
        raise Refusal(
            "text_too_large",
            "Customer, receiptEmail, metadata, description, statementDescriptorSuffix and URLs may have "
            f"{MAX_FREE_TEXT_BYTES} bytes together, not {size}.",
        )


def _check_return_url(url: str, *, loopback_allowed: bool) -> None:
    if fault := why_not_allowed(url, loopback_allowed=loopback_allowed):
        _refuse("returnUrl", f"The return URL is not allowed: {fault}.")


def _check_token(typed: CreatePaymentRequest) -> None:
    method = typed.payment_method
    if (method.token is None) == (not method.tokens):
        _refuse("paymentMethod", "Send either token or tokens, not both.")
    only_with_checkout = {
        "paymentMethod.methods": method.methods is not None,
        "paymentMethod.presentation": Presentation(method.presentation) is not Presentation.PAGE,
        "expiresInSeconds": typed.expires_in_seconds is not None,
    }
    for field, is_given in only_with_checkout.items():
        if is_given:
            _refuse(
                field, f"{field} is for a checkout: send paymentMethod.type checkout without a token, or leave it out."
            )


def _check_checkout(typed: CreatePaymentRequest) -> None:
    method = typed.payment_method
    if method.token is not None or method.tokens is not None:
        _refuse("paymentMethod", "A checkout takes no token: its payer chooses. Leave token and tokens out.")
    if method.methods is not None and len(set(method.methods)) < len(method.methods):
        _refuse("paymentMethod.methods", RULES["paymentMethod.methods"][1])
    if Initiator(typed.initiator) is Initiator.MERCHANT:
        _refuse("initiator", "The payer of a checkout is present: leave initiator out, or send customer.")
    if typed.save_payment_method:
        _refuse("savePaymentMethod", "A checkout saves no payment method. Leave this out.")


def _free_texts(typed: CreatePaymentRequest) -> Iterator[tuple[str, str]]:
    """The texts that a person may have written, each with the name of its field."""
    given = msgspec.to_builtins(typed)
    for field in ("description", "statementDescriptorSuffix", "receiptEmail"):
        yield field, given[field] or ""
    customer = given["customer"] or {}
    address = customer.pop("address", None) or {}
    yield from ((f"customer.{name}", value or "") for name, value in customer.items())
    yield from ((f"customer.address.{name}", value or "") for name, value in address.items())
    for name, value in (given["metadata"] or {}).items():
        yield from (("metadata", name), ("metadata", value))


def _refuse(field: str, detail: str) -> NoReturn:
    raise Refusal(RULES[field][0], detail, field=field)


def _command(merchant_id: str, key: str, sent: str, typed: CreatePaymentRequest) -> NewPayment:
    method = typed.payment_method
    return NewPayment(
        merchant_id=merchant_id,
        idempotency_key=key,
        fingerprint=sent,
        content_fingerprint=content_fingerprint(typed),
        amount=typed.amount,
        currency=typed.currency,
        capture=CaptureMode(typed.capture),
        payment_method=PaymentMethod(type=method.type, token=method.token, tokens=method.tokens or {}),
        customer=_customer(typed.customer) if typed.customer else None,
        description=typed.description,
        metadata=typed.metadata or {},
        statement_descriptor_suffix=typed.statement_descriptor_suffix,
        receipt_email=typed.receipt_email,
        initiator=Initiator(typed.initiator),
        save_payment_method=typed.save_payment_method,
        return_url=typed.return_url,
        checkout=_checkout(typed) if method.type == CHECKOUT else None,
        order_id=typed.order_id,
        once_per_order=typed.once_per_order,
    )


def _checkout(typed: CreatePaymentRequest) -> NewCheckout:
    return NewCheckout(
        methods=tuple(typed.payment_method.methods or ()),
        presentation=Presentation(typed.payment_method.presentation),
        lifetime_seconds=typed.expires_in_seconds or DEFAULT_LIFETIME_SECONDS,
    )


def _customer(given: CustomerRequest) -> Customer:
    lines = msgspec.structs.asdict(given.address) if given.address else {}
    address = Address(**lines) if any(lines.values()) else None
    return Customer(**msgspec.structs.asdict(given) | {"address": address})
