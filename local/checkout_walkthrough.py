"""A checkout walked as a payer without script: our page, a failed try, a paid one, the way back, the receipt."""

import time
from typing import Any, Final

from local.api import Api
from local.console import say
from local.payer import Payer

_FINAL_SECONDS: Final = 90
_POLL_SECONDS: Final = 0.25
_FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
_SHOP: Final = "https://shop.example.com/thanks"
_CURRENCIES: Final = {"razorpay": "INR", "cashfree": "INR", "payu": "INR", "razorpay_mock": "INR"}

Json = dict[str, Any]


def walk_through_checkout(api: Api, provider: str | None, run: str) -> bool:
    """True when the payer's second try was charged once. Prints a further link to try by hand."""
    payment = api.post("/payments", _request(provider, f"order-{run}"), f"{run}-checkout")
    address = payment["nextAction"]["url"]
    say(f"\nA checkout over {payment['amount'] / 100:.2f} {payment['currency']}")
    say(f"  {payment['transactionId']} {payment['status']}; the payer opens {address}")
    payer = Payer()
    payer.open(address)
    payer.press(_button(payer, "Continue"), method="card", **_contact(payer))
    if "Fail" not in _buttons(payer):
        _wait_for_the_provider(payer)
    say(f"  the payer chose a card and is at {payer.url}")
    payer.press("Fail")
    say("  a first try fails there; the same page takes another")
    payer.press("Pay")
    pages = address.rpartition("/")[0]
    if payer.url.startswith(pages):
        say(f"  the payer is sent back to {payer.url.partition('?')[0][: len(pages) + 15]}...")
    ended = _watch(api, f"/payments/{payment['transactionId']}")
    payer.open(address)
    say(f"  the page says: {payer.text[:120]}")
    is_expected = ended["status"] == "SUCCESS" and ended["captured"] == ended["amount"] and not ended["extraCharges"]
    say(f"  {ended['status']} through {ended['provider']}{'' if is_expected else '  <- not as expected'}")
    return is_expected


def a_link_to_try(api: Api, run: str) -> str:
    """Return the address of a new checkout, to open in a browser."""
    payment = api.post("/payments", _request(None, f"try-{run}"), f"{run}-try")
    address: str = payment["nextAction"]["url"]
    return address


def _request(provider: str | None, order_id: str) -> Json:
    currency = _CURRENCIES.get(provider or "", "EUR" if provider == "stripe" else "USD")
    return {
        "amount": 49_900,
        "currency": currency,
        "paymentMethod": {"type": "checkout"},
        "description": "Two tickets",
        "orderId": order_id,
        "returnUrl": _SHOP,
        **({"metadata": {"gateway": provider}} if provider else {}),
    }


def _buttons(payer: Payer) -> set[str]:
    return {text for form in payer.forms for text in form.buttons}


def _button(payer: Payer, text: str) -> str:
    """Return the button that begins so: with one method, its name is part of the button."""
    return next((button for button in sorted(_buttons(payer)) if button.startswith(text)), text)


def _contact(payer: Payer) -> dict[str, str]:
    """Return the fields that the page asks for, and no others."""
    known = {"name": "Jane Doe", "email": "payer@example.com", "phone": "+919876543210"}
    asked = {name for form in payer.forms for name in form.fields}
    return {name: value for name, value in known.items() if name in asked}


def _wait_for_the_provider(payer: Payer) -> None:
    """From our page to the provider's: at once, by "check again", or by a button or link of our page."""
    deadline = time.monotonic() + _FINAL_SECONDS
    while "Fail" not in _buttons(payer) and time.monotonic() < deadline:
        onward = next((text for text in (*_buttons(payer), *payer.links) if text.startswith("Go to")), None)
        if onward is None:
            time.sleep(_POLL_SECONDS)
            payer.press("Check again")
        elif onward in payer.links:
            payer.follow(onward)
        else:
            payer.press(onward)


def _watch(api: Api, path: str) -> Json:
    """Print events as they appear, until the payment is final."""
    shown, deadline = 0, time.monotonic() + _FINAL_SECONDS
    while True:
        payment: Json = api.get(path)
        for event in api.get(f"{path}/events")["items"][shown:]:
            say(f"    {event['at']}  #{event['seq']} {event['type']:<24} {event['from'] or '-'} -> {event['to']}")
            shown += 1
        if payment["status"] in _FINAL or time.monotonic() > deadline:
            return payment
        time.sleep(_POLL_SECONDS)
