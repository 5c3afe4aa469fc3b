"""HINTS: what a provider's event says about a closed attempt is asked about, though the event proves nothing."""

from collections.abc import Iterator

from simulation.checker.evidence import Evidence, Violation
from simulation.history import PostedWebhook

_HELD = b"authorized"


def told_holds_are_watched(evidence: Evidence) -> Iterator[Violation]:
    """An amount that a provider holds for a declined attempt is watched until it lapses, once a true event names it.

    A restore forgets the event; the search after it asks about other keys. Where reads lack charges for a while, the
    question may be answered as if nothing was held.
    """
    result = evidence.result
    is_hidden = any(strike.kind == "gateway_forgets" for strike in result.history.strikes)
    if not result.settled or result.forgotten is not None or is_hidden:
        return
    told = [webhook for webhook in result.history.webhooks if _is_true(webhook) and _HELD in webhook.body.lower()]
    for name, payment in evidence.payments.items():
        for attempt in (payment.item or {}).get("attempts", ()):
            if attempt["state"] != "DECLINED" or "reopens_until_ms" in attempt:
                continue
            held = [
                b for b in payment.books if (b["reference"], b["status"]) == (attempt["provider_key"], "authorized")
            ]
            for webhook in told if held else ():
                is_named = attempt["provider_key"].encode() in webhook.body
                if is_named and (webhook.provider, webhook.merchant) == (attempt["provider"], payment.merchant):
                    what = f"attempt {attempt['number']} is not watched, and an event told that its amount is held"
                    yield Violation("HINTS", name, what)
                    break


def _is_true(webhook: PostedWebhook) -> bool:
    return webhook.status == 200 and webhook.merchant == webhook.address == webhook.signed_by
