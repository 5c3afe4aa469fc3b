"""`payflowx links`: payment links, made through the merchants' API with a merchant's key."""

import hashlib
import json
import os
from typing import Any, Final

import click
import segno
import urllib3

from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.session import Session, pass_session

KEY_VARIABLE: Final = "PAYFLOWX_API_KEY"
_TIMEOUT_SECONDS: Final = 30
_ACCEPTED: Final = 202
_ENDED: Final = {"FAILED", "CANCELLED"}
_MAX_LINKS: Final = 20
"""Links of one order, for one request, that ended unpaid."""


@click.group()
def links() -> None:
    """Links by which a payer pays: our page, then a provider's page."""


@links.command("create")
@click.option("--amount", required=True, type=click.IntRange(min=1), help="In the currency's minor unit.")
@click.option("--currency", required=True, metavar="CODE", help="ISO 4217, in capitals.")
@click.option("--order", "order_id", required=True, metavar="TEXT", help="Your own reference of what is paid.")
@click.option("--description", metavar="TEXT", help="What the payer reads on the page.")
@click.option("--method", "methods", multiple=True, help="card, upi, netbanking or wallet; repeat it. All, without it.")
@click.option("--expires-in-seconds", type=int, metavar="SECONDS", help="900 to 2592000; a day without it.")
@click.option("--qr", "with_qr", is_flag=True, help="Show the link as a QR code, too.")
@target_options
@pass_session
def create(session: Session, /, *, with_qr: bool, methods: tuple[str, ...], **given: Any) -> None:
    """Make a link with which one payer pays one order once.

    The merchant is that of the API key in PAYFLOWX_API_KEY; the local environment's demo merchant needs none. The same
    command again shows the same link; after that one has expired or was cancelled, it makes a new one. A request that
    differs is refused while the order's link may still be paid.
    """
    payment = _linked(session, _request(methods, **given))
    action = payment["nextAction"]
    if action is None:
        raise OperatorError(
            f"This order's payment {payment['transactionId']} is {payment['status']} and has no link any more.",
            Exit.REFUSED,
            hint="Name another order, or look with `payflowx payments show`.",
        )
    lines = [action["url"], f"{payment['transactionId']} {payment['status']}, ends at {action['expiresAt']}"]
    session.show(payment, "\n".join(lines))
    if with_qr and not session.as_json:
        segno.make(action["url"], error="m").terminal(compact=True)


def _request(methods: tuple[str, ...], **given: Any) -> dict[str, Any]:
    names = {"amount": "amount", "currency": "currency", "order_id": "orderId", "description": "description"}
    names["expires_in_seconds"] = "expiresInSeconds"
    request = {wire: given[name] for name, wire in names.items() if given[name] is not None}
    method: dict[str, Any] = {"type": "checkout"} | ({"methods": list(methods)} if methods else {})
    return request | {"paymentMethod": method}


def _linked(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    """The payment of the link that can be paid, or was paid. The API refuses a second payment of an order."""
    content = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:32]
    for number in range(1, _MAX_LINKS + 1):
        payment = _accepted(session, request, f"link-{content}-{number}")
        if payment["nextAction"] is not None or payment["status"] not in _ENDED:
            return payment
    raise OperatorError(
        f"{_MAX_LINKS} links of this order ended unpaid.",
        Exit.REFUSED,
        hint="Name another order.",
    )


def _accepted(session: Session, request: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
    """POST /payments. Raises `OperatorError` with the problem's own sentence."""
    key = os.environ.get(KEY_VARIABLE) or session.target.api_key
    if not key:
        hint = f"Set {KEY_VARIABLE}; `payflowx keys create` makes a key."
        raise OperatorError("Which merchant? There is no API key.", Exit.USAGE, hint=hint)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": idempotency_key,
    }
    address = f"{session.target.base_url}/payments"
    try:
        answer = urllib3.request(
            "POST", address, body=json.dumps(request), headers=headers, timeout=_TIMEOUT_SECONDS, retries=False
        )
        found: dict[str, Any] = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise OperatorError(
            f"The API at {session.target.base_url} gave no answer.", Exit.NO_ACCESS, hint="Repeat the same command."
        ) from error
    if answer.status != _ACCEPTED:
        raise OperatorError(str(found.get("detail", f"status {answer.status}")), Exit.REFUSED)
    return found
