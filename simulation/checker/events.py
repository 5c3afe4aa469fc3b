"""I19 and ACCOUNTS: which provider events may change anything, and whose credentials a request may carry."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation
from simulation.history import PostedWebhook

_CLOCKS_MS: Final = 7_000


def i19_provider_events(evidence: Evidence) -> Iterator[Violation]:
    """A change by a provider event has a genuine event, to this merchant's address, about this payment.

    Providers that number their events in headers, or not at all, are recognized by what the body names.
    """
    told: dict[tuple[str, str], list[PostedWebhook]] = defaultdict(list)
    for webhook in evidence.result.history.webhooks:
        if webhook.signed_by == webhook.address == webhook.merchant:
            told[webhook.merchant, webhook.provider].append(webhook)
    for name, payment in evidence.payments.items():
        applied: set[str] = set()
        for event in payment.events:
            if event["actor"] != "webhook":
                continue
            event_id, provider = str(event["facts"].get("webhook")), event["facts"].get("provider")
            candidates = [w for (merchant, _), found in told.items() if merchant == payment.merchant for w in found]
            names = _names_of(payment)
            if not any(_proves(webhook, names, provider, event) for webhook in candidates):
                yield Violation("I19", name, f"event {event['seq']} was proven by {event_id}, which nobody sent to it")
            if event_id in applied:
                yield Violation("I19", name, f"event {event_id} of the provider was applied twice")
            applied.add(event_id)


def webhooks_are_answered(evidence: Evidence) -> Iterator[Violation]:
    """An event that is not signed with a key of its address is refused; one that is, is not refused as not authentic.

    A provider uses a new key at once: an account that was rotated, or removed for a while, may not know it. PayU's
    posts are left out.
    """
    rotated = {
        f"{command.command['provider']}@{command.command['merchantId']}"
        for command in evidence.result.history.commands
        if command.command["command"] == "rotate_credentials"
    }
    unsure = rotated | {s.about for s in evidence.result.history.strikes if s.kind == "account_removed"}
    for webhook in evidence.result.history.webhooks:
        is_authentic = webhook.signed_by == webhook.address
        name = f"{webhook.provider}@{webhook.address}"
        if webhook.provider == "payu":
            continue  # some of its posts bear no hash; the others keep their first one, whoever sends them again
        if not is_authentic and webhook.status in _TAKEN:
            yield Violation("I19", name, f"{webhook.event_id}, signed by {webhook.signed_by}, was taken")
        if is_authentic and webhook.status == _UNAUTHORIZED and name not in unsure:
            yield Violation("I19", name, f"{webhook.event_id} is authentic, and was refused as if it were not")


def rotated_secrets_verify(evidence: Evidence) -> Iterator[Violation]:
    """While a rotation is open, what the provider signs with the secret of before is not refused as not authentic."""
    history = evidence.result.history
    removed = {strike.about for strike in history.strikes if strike.kind == "account_removed"}
    if evidence.result.forgotten is not None:
        return
    known_ms = _known_secrets(evidence)
    for webhook in history.webhooks:
        name = f"{webhook.provider}@{webhook.address}"
        is_authentic = webhook.signed_by == webhook.address
        if webhook.status != _UNAUTHORIZED or not is_authentic or webhook.provider == "payu" or name in removed:
            continue
        from_ms, until_ms = known_ms.get((name, webhook.pair), (0, _NEVER_MS if webhook.pair == 0 else 0))
        if from_ms <= webhook.at_ms <= until_ms:
            yield Violation("I19", name, f"{webhook.event_id}, signed with secret {webhook.pair}, was refused")


def _known_secrets(evidence: Evidence) -> Mapping[tuple[str, int], tuple[int, int]]:
    """From when to when each key pair verifies events, for certain, by account and number."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    current: dict[str, int] = defaultdict(int)
    for command in evidence.result.history.commands:
        fields = command.command
        name = f"{fields.get('provider')}@{fields.get('merchantId')}"
        if fields["command"] == "rotate_credentials" and command.ok:
            current[name] = int(fields["secret"]["keyId"].rpartition("-")[2])
            found[name, current[name]] = (command.answered_ms + _CACHED_MS, _NEVER_MS)
        if fields["command"] == "finish_credentials_rotation":
            for number in range(current[name]):
                from_ms, until_ms = found.get((name, number), (0, _NEVER_MS))
                found[name, number] = (from_ms, min(until_ms, command.at_ms - _CACHED_MS))
    return found


_CACHED_MS: Final = 10 * 60_000
_NEVER_MS: Final = 1 << 62
_TAKEN: Final = range(200, 300)
_UNAUTHORIZED: Final = 401


def _names_of(payment: PaymentEvidence) -> tuple[bytes, ...]:
    """Our keys and the providers' ids of this payment and its operations."""
    books = [*payment.books, *(line for operation in payment.operations.values() for line in operation.books)]
    sent = [*payment.sent, *(s for operation in payment.operations.values() for s in operation.sent)]
    ids = {str(line[name]) for line in books for name in ("chargeId", "operationId", "reference") if line.get(name)}
    return tuple(name.encode() for name in ids | {s.provider_key for s in sent if s.provider_key})


def _proves(webhook: PostedWebhook, names: tuple[bytes, ...], provider: str | None, event: Stored) -> bool:
    return (
        provider in {None, webhook.provider}
        and webhook.at_ms <= event["at"] + _CLOCKS_MS
        and any(name in webhook.body for name in names)
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
