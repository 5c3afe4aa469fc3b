"""Broken designs of checkouts: doors, choices, pages, tries, expiries, further charges."""

from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.payments import review_items
from payflowx.application.checkout.page import CheckoutPage, Contact
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.payments import charge_request
from payflowx.application.payments.new_checkout import CheckoutOpener
from payflowx.domain.checkout import offers
from payflowx.domain.payments import closed_attempts, erasure, recovery_plan, state_machine, verification
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout
from payflowx.domain.payments.hosted import FailedTries
from payflowx.domain.payments.outcome import ConfirmedCancelled
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.providers import mock_sessions
from payflowx.providers.cashfree import hosted_responses as cashfree
from payflowx.providers.payu import hosted_responses as payu
from payflowx.providers.razorpay import hosted_responses as razorpay
from payflowx.providers.stripe import hosted_responses as stripe
from simulation.mutants.mutant import Edit, Mutant, Patches, broken, replaced

_ROOM: Final = "checkout"


def _expiry_anew() -> Patches:
    """Each send has an expiry of its own instead of the stored one."""
    real = charge_request.charge_request_of

    def anew(payment: Any, attempt: Any) -> Any:
        request = real(payment, attempt)
        if request.hosted is None:
            return request
        expires_at_ms = request.hosted.expires_at_ms - 60_000 * payment.lease.epoch
        return replace(request, hosted=replace(request.hosted, expires_at_ms=expires_at_ms))

    return replaced(charge_request, "charge_request_of", anew)


def _not_watched() -> Patches:
    """A closed object that may still be charged holds nothing back."""
    return [patch.object(Attempt, "is_watched", property(lambda _attempt: False))]


CHECKOUTS: Final[tuple[Mutant, ...]] = (
    # -- one door at a time
    Mutant(_ROOM, "the next object opens while a try in the last one may still be charged", _not_watched),
    broken(
        _ROOM,
        "an expired session of Stripe is closed while its bank processes a try",
        Edit(stripe, "_expired", "if status in _UNDER_WAY:", "if False:"),
        Edit(stripe, "_expired", "if status not in _UNPAID:", "if False:"),
    ),
    broken(
        _ROOM,
        "a cancelled link of Razorpay is closed whatever payments its order has",
        Edit(razorpay, "_untaken", "if not payments:", "if status != 'paid':"),
        scenario="closings",
    ),
    broken(
        _ROOM,
        "a failed payment of a closed link of Razorpay is final",
        Edit(
            razorpay,
            "_closed_without_proof",
            "return Declined(",
            "return ConfirmedCancelled(reference=link_id)\n    Declined(",
        ),
        ConfirmedCancelled=ConfirmedCancelled,
        scenario="closings",
    ),
    broken(
        _ROOM,
        "an expired order of Cashfree is closed at once",
        Edit(cashfree, "_expired", "if reopens_for_seconds <= 0:", "if True:"),
        Edit(cashfree, "whole", 'if "PENDING" in words or', "if"),
    ),
    broken(
        _ROOM,
        "an order of Cashfree whose termination was asked for is closed",
        Edit(cashfree, "_without_money", 'case "TERMINATED":', 'case "TERMINATED" | "TERMINATION_REQUESTED":'),
        Edit(cashfree, "whole", 'if "PENDING" in words or', "if"),
        scenario="closings",
    ),
    broken(
        _ROOM,
        "an expired invoice of PayU is closed while a try is under way",
        Edit(payu, "read_closed", "case NotFound() if closed == _IN_PROGRESS:", "case NotFound() if False:"),
        Edit(
            payu,
            "read_closed",
            "case Declined() | Accepted():\n",
            "case Declined() | Accepted():\n            return ConfirmedCancelled(reference=reference)\n",
        ),
        scenario="closings",
    ),
    broken(
        _ROOM,
        "a failed try in an expired invoice of PayU is final",
        Edit(payu, "_watched", "reopens_for_seconds=REOPENS_FOR_SECONDS", "reopens_for_seconds=0"),
    ),
    broken(
        _ROOM,
        "a closed session of the mocks is closed while its bank processes a try",
        Edit(
            mock_sessions.Sessions,
            "_outcome",
            'if any(payment["status"] == "processing" for payment in payments):',
            "if False:",
        ),
    ),
    broken(
        _ROOM,
        "a failed try in a closed session of Razorpay's mock is final",
        Edit(mock_sessions.Sessions, "_closed", "if not failed or not self.reopens_for_seconds:", "if True:"),
        scenario="closings",
    ),
    broken(
        _ROOM,
        "the read after a closing does not count",
        Edit(
            mock_sessions,
            "closed",
            'return Progress(facts={"close_sent": "true"})',
            "return ConfirmedCancelled()",
        ),
    ),
    # -- choices
    broken(
        _ROOM,
        "a wake without a choice begins an attempt",
        Edit(
            Checkout,
            "choice_for",
            "return self.choice if self.choice is not None and self.choice.number == number else None",
            "return replace(self.choice, number=number) if self.choice is not None else None",
        ),
        Edit(Checkout, "without_choice", "choice=None, closing=None", "closing=None"),
    ),
    broken(
        _ROOM,
        "opening the page begins an attempt",
        Edit(
            CheckoutPage,
            "show",
            "return self._page(*found) if found else None",
            "if found and (offered := self._offers(*found)) and not offered[0].missing:\n"
            "        self.choose(token, offered[0].method, Contact())\n"
            "    return self._page(*found) if found else None",
        ),
        Contact=Contact,
    ),
    broken(
        _ROOM,
        "a checkout that waits for its payer is due for nothing",
        Edit(
            closed_attempts,
            "_due_for_its_end",
            "return replace(owner, ready_at_ms",
            "return owner or replace(owner, ready_at_ms",
        ),
        Edit(
            state_machine,
            "_door_closed",
            "at_ms = context.now_ms if checkout.choice else checkout.expires_at_ms",
            "if not checkout.choice:\n            return replace(payment, due_at_ms=None), None\n"
            "        at_ms = context.now_ms",
        ),
    ),
    # -- tries inside an object
    broken(
        _ROOM,
        "a failed try ends the object",
        Edit(
            verification,
            "verify_outcome",
            "case NotSent() if not first_send:",
            "case ActionRequired(failed_tries=FailedTries()):\n"
            "            return Declined(kind=DeclineKind.SOFT, code='try_failed')\n"
            "        case NotSent() if not first_send:",
        ),
        FailedTries=FailedTries,
        DeclineKind=DeclineKind,
    ),
    broken(
        _ROOM,
        "a further charge inside an object is dropped",
        Edit(
            state_machine,
            "_with_extra_charges",
            "extra_charges = (*payment.extra_charges, *noted)[:MAX_EXTRA_CHARGES]",
            "extra_charges = payment.extra_charges",
        ),
    ),
    broken(
        _ROOM,
        "a paid object is not read once more",
        Edit(closed_attempts, "with_final_read", "if at_ms is None:", "if True:"),
    ),
    broken(
        _ROOM,
        "ten failed tries inside an object do not close it",
        Edit(recovery_plan, "is_to_close", "return asked or attempt.failed_tries >= MAX_FAILED_TRIES", "return asked"),
        survives="Payers of the simulator do not fail so often; the bound is for a program that tests stolen cards. "
        "`tests/unit/application/checkout/test_checkout.py` plays one.",
    ),
    # -- the object itself
    Mutant(_ROOM, "the expiry of an object is computed anew at each send", _expiry_anew),
    broken(
        _ROOM,
        "the amount of a created session of the mocks is not compared",
        Edit(mock_sessions, "_difference", "return next(", "return None and next("),
    ),
    broken(
        _ROOM,
        "the amount of a created session of Stripe is not compared",
        Edit(stripe, "_is_as_requested", "== asked", "is not asked"),
        scenario="other_objects",
    ),
    broken(
        _ROOM,
        "the amount of a created link of Razorpay is not compared",
        Edit(razorpay, "_opened", "if (link.get", "if False and (link.get"),
        scenario="other_objects",
    ),
    broken(
        _ROOM,
        "the amount of a created order of Cashfree is not compared",
        Edit(cashfree, "opened", "if (why := _difference(request, order)) is not None:", "if False:"),
    ),
    # -- what is left
    broken(
        _ROOM,
        "erasure keeps the address of the page",
        Edit(
            erasure,
            "erase_payment",
            "checkout=erased_checkout(payment.checkout) if payment.checkout else None,",
            "checkout=payment.checkout,",
        ),
    ),
    broken(
        _ROOM,
        "erasure keeps the address of the object",
        Edit(erasure, "_erase_attempt", "next_action=None, message=None", "message=None"),
        survives="A second net: every outcome of an attempt removes the address, and only a payment without an open "
        "attempt is erased.",
    ),
    broken(
        "checkout",
        "an event's read of a paid object takes the place of its last read",
        Edit(closed_attempts, "inquired", "if final_ms is not None and final_ms > now_ms:", "if False:"),
        scenario="closings",
    ),
    broken(
        "checkout",
        "an event about one charge of a paid object is believed",
        Edit(
            ProcessProviderEvent,
            "_only_a_read_tells",
            "return is_paid or (hosted is not None and hosted.returns_extra_charges)",
            "return False and is_paid",
        ),
        scenario="closings",
    ),
    broken(
        "checkout",
        "a payment that owes a further charge is on no list",
        Edit(review_items, "_owed_keys", "if not owed or not isinstance(item, Payment):", "if owed is not None:"),
        scenario="closings",
    ),
    broken(
        "checkout",
        "a checkout lives twice as long as was asked for",
        Edit(
            CheckoutOpener,
            "opened",
            "expires_at_ms = payment.created_at_ms + request.lifetime_ms",
            "expires_at_ms = payment.created_at_ms + 2 * request.lifetime_ms",
        ),
    ),
    broken(
        "checkout",
        "our page offers methods that the merchant excludes",
        Edit(offers, "offers", "allowed = payment.checkout.methods or CHECKOUT_METHODS", "allowed = CHECKOUT_METHODS"),
        scenario="closings",
    ),
)
