"""I19 and ACCOUNTS: which provider events may change anything, and whose credentials a request may carry."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation
from simulation.history import PostedWebhook

_CLOCKS_MS: Final = 7_000


def i19_provider_events(evidence: Evidence) -> Iterator[Violation]:
    """What a provider event changes was told by a genuine event, to this merchant's address, about this account."""
    told: dict[str, list[PostedWebhook]] = defaultdict(list)
    for webhook in evidence.result.history.webhooks:
        told[webhook.event_id].append(webhook)
    for name, payment in evidence.payments.items():
        applied: set[str] = set()
        for event in payment.events:
            if event["actor"] != "webhook":
                continue
            event_id = str(event["facts"].get("webhook"))
            if not any(_proves(webhook, payment, event) for webhook in told[event_id]):
                yield Violation("I19", name, f"event {event['seq']} was proven by {event_id}, which nobody sent to it")
            if event_id in applied:
                yield Violation("I19", name, f"event {event_id} of the provider was applied twice")
            applied.add(event_id)


def _proves(webhook: PostedWebhook, payment: PaymentEvidence, event: Stored) -> bool:
    return (
        not webhook.forged
        and webhook.merchant == webhook.address == payment.merchant
        and webhook.provider == event["facts"].get("provider", webhook.provider)
        and webhook.at_ms <= event["at"] + _CLOCKS_MS
    )


def credentials(evidence: Evidence) -> Iterator[Violation]:
    """A request bears the credentials of the payment's own merchant, at that merchant's own account."""
    rotated = {
        command.command.get("merchantId")
        for command in evidence.result.history.commands
        if command.command.get("command") in {"rotate_credentials", "set_credentials"}
    }
    for name, payment in evidence.payments.items():
        for sent in (*payment.sent, *(sent for o in payment.operations.values() for sent in o.sent)):
            was_rotated = sent.credentials is None and payment.merchant in rotated
            owners = {sent.merchant, sent.credentials} - {"", *([None] if was_rotated else [])}
            if owners - {payment.merchant}:
                what = (
                    f"{sent.connector} got {sent.method} {sent.path} at {sent.merchant} with {sent.credentials}'s keys"
                )
                yield Violation("ACCOUNTS", name, what)
