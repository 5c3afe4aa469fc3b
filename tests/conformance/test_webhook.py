"""A provider's webhooks: only the provider can sign them, and they agree with an inquiry."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent
from payflowx.domain.providers.events import Webhook as Received
from payflowx.domain.shared.limits import MAX_WEBHOOK_BYTES
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from sandbox.ledger import Webhook
from tests.support.altered import altered as altered_members
from tests.support.altered import other_numbers
from tests.support.conformance import DAY_SECONDS, ProviderHarness

PART = 20_000
SIGNED_INSIDE = {"payu": "its hash is a field of the form, and covers only some of the others"}
"""A byte that no signature covers may change only if the event stays the same."""
UNSIGNED = {("payu", "refund"): "bears no hash: a hint that causes a read, and is no proof"}


class Mailbox:
    """The webhooks of a paid payment and of its refund."""

    def __init__(self, provider: str) -> None:
        self.harness = ProviderHarness(provider)
        self.payment: Payment = self.harness.paid_for(OperationKind.REFUND)
        self.of_charge = self._webhooks_due()
        self.refund = self.harness.settle(self.harness.request(OperationKind.REFUND, self.payment, PART))
        assert self.refund.status is OperationStatus.SUCCEEDED
        self.of_refund = self._webhooks_due()
        self.secrets = tuple(self.harness.world.secrets.webhook_secrets(self.harness.account.secret_arn))

    def _webhooks_due(self) -> list[Webhook]:
        provider = self.harness.provider
        return [webhook for webhook in self.harness.webhooks_due() if (provider, webhook.type) not in UNSIGNED]

    @property
    def all(self) -> list[Webhook]:
        return [*self.of_charge, *self.of_refund]

    def read(self, webhook: Webhook, *secrets: str, later_seconds: float = 0) -> ProviderEvent:
        """Read the webhook as if it had just arrived, by default with the account's own secrets."""
        at_ms = self.harness.world.clock.now_ms() + int(later_seconds * 1000)
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        received = Received(headers=headers, body=webhook.body, received_at_ms=at_ms)
        return self.harness.http_provider.read_webhook(received, secrets or self.secrets)

    def is_forged(self, webhook: Webhook, *secrets: str) -> bool:
        try:
            self.read(webhook, *secrets)
        except InvalidSignatureError:
            return True
        return False

    def signed(self, body: bytes) -> Webhook:
        """A webhook with this body and the provider's signature."""
        headers = self.harness.simulator.sign(body, self.harness.now)
        return Webhook(id="x", type="x", headers=headers, body=body)


@pytest.fixture
def mailbox(provider: str) -> Mailbox:
    return Mailbox(provider)


def test_it_tells_of_a_charge(mailbox: Mailbox) -> None:
    provider_events = [mailbox.read(webhook) for webhook in mailbox.of_charge]
    (attempt,) = mailbox.payment.attempts
    assert any(n.charge_reference == attempt.reference or n.charge_key == attempt.provider_key for n in provider_events)
    assert {n.charge_reference for n in provider_events} <= {None, attempt.reference}
    assert {n.charge_key for n in provider_events} <= {None, attempt.provider_key}
    assert len({n.event_id for n in provider_events}) == len(provider_events)


def test_what_it_says_of_a_charge_is_what_an_inquiry_says(mailbox: Mailbox) -> None:
    (attempt,) = mailbox.payment.attempts
    harness = mailbox.harness
    charge = charge_request_of(mailbox.payment, attempt)
    asked = verify_outcome(
        harness.http_provider.inquire(charge, harness.account), mailbox.payment, attempt, first_send=False
    )
    for provider_event in map(mailbox.read, mailbox.of_charge):
        if provider_event.outcome is not None:
            verified = verify_outcome(provider_event.outcome, mailbox.payment, attempt, first_send=False)
            assert isinstance(verified, Succeeded), provider_event.type
            assert verified == asked, provider_event.type


def test_what_it_says_of_a_refund_is_what_an_inquiry_says(mailbox: Mailbox) -> None:
    harness, refund = mailbox.harness, mailbox.refund
    attempt = refund.last_attempt
    assert attempt is not None
    asked = harness.http_provider.inquire_operation(harness.operation_request(refund), harness.account)
    for provider_event in map(mailbox.read, mailbox.of_refund):
        assert provider_event.operation_key in {None, attempt.provider_key}, provider_event.type
        assert provider_event.operation_reference in {None, attempt.reference}, provider_event.type
        if provider_event.operation_outcome is not None:
            verified = verify_outcome(provider_event.operation_outcome, refund, attempt, first_send=False)
            assert isinstance(verified, Succeeded), provider_event.type
            assert verified == verify_outcome(asked, refund, attempt, first_send=False), provider_event.type


def test_a_wrong_secret_no_secret_and_an_empty_one(mailbox: Mailbox) -> None:
    for webhook in mailbox.all:
        assert not mailbox.is_forged(webhook)
        assert mailbox.is_forged(webhook, "another secret")
        assert mailbox.is_forged(webhook, "")
        now_ms = mailbox.harness.world.clock.now_ms()
        received = Received(headers=dict(webhook.headers), body=webhook.body, received_at_ms=now_ms)
        with pytest.raises(InvalidSignatureError):
            mailbox.harness.http_provider.read_webhook(received, ())


@pytest.mark.except_for(**SIGNED_INSIDE)
def test_an_empty_secret_signs_nothing(mailbox: Mailbox) -> None:
    """An account without a secret must not accept a signature with the empty one."""
    simulator = mailbox.harness.simulator
    if hasattr(simulator, "webhook_secret"):
        simulator.webhook_secret = ""
    simulator.credentials = replace(simulator.credentials, key_secret="")
    again = simulator.redelivered(mailbox.all[0], mailbox.harness.now)
    assert again.headers != mailbox.all[0].headers
    assert mailbox.is_forged(again, "")
    assert mailbox.is_forged(again, "", "another secret")


def test_both_secrets_of_a_rotation(mailbox: Mailbox) -> None:
    for webhook in mailbox.all:
        expected = mailbox.read(webhook)
        assert mailbox.read(webhook, *mailbox.secrets, "the next one") == expected
        assert mailbox.read(webhook, "the next one", *mailbox.secrets) == expected


def test_one_byte_of_the_body(mailbox: Mailbox) -> None:
    for webhook in mailbox.all:
        for body in altered(webhook.body):
            other = replace(webhook, body=body)
            if mailbox.harness.provider in SIGNED_INSIDE and not mailbox.is_forged(other):
                assert said(mailbox.read(other)) == said(mailbox.read(webhook)), SIGNED_INSIDE[mailbox.harness.provider]
            else:
                assert mailbox.is_forged(other)


def test_a_signature_that_is_cut_or_missing(mailbox: Mailbox) -> None:
    if mailbox.harness.provider in SIGNED_INSIDE:
        assert mailbox.is_forged(replace(mailbox.all[0], body=mailbox.all[0].body.replace(b"hash=", b"hush=")))
        return
    for webhook in mailbox.all:
        names = [name for name in webhook.headers if "signature" in name.lower()]
        assert names, "no header bears a signature"
        for name in names:
            value = webhook.headers[name]
            for wrong in ("", value[:-1], value[1:], "é" * 20, "0" * 10_000):
                assert mailbox.is_forged(replace(webhook, headers={**webhook.headers, name: wrong})), wrong[:20]
            without = {known: text for known, text in webhook.headers.items() if known != name}
            assert mailbox.is_forged(replace(webhook, headers=without))


def test_the_same_event_again_is_known_as_the_same(mailbox: Mailbox) -> None:
    """Providers sign a repetition anew. An old one is refused or has the same event id."""
    for webhook in mailbox.all:
        first = mailbox.read(webhook)
        mailbox.harness.world.clock.advance(60)
        assert mailbox.read(mailbox.harness.simulator.redelivered(webhook, mailbox.harness.now)) == first
        mailbox.harness.world.clock.advance(-60)
        try:
            assert mailbox.read(webhook, later_seconds=30 * DAY_SECONDS) == first
        except InvalidSignatureError:
            continue


UNKNOWN_EVENTS: tuple[object, ...] = (
    {"id": "evt_1", "type": "something.new", "event": "something.new", "data": {"object": {"object": "novelty"}}},
    {"id": "evt_2", "type": "something.new", "event": "something.new", "payload": {}, "data": {}},
    {"type": 7, "event": None, "data": [], "payload": "x"},
    [],
    None,
    "text",
)


@pytest.mark.parametrize("event", UNKNOWN_EVENTS, ids=lambda event: json.dumps(event)[:30])
def test_an_unknown_type_becomes_an_empty_provider_event(mailbox: Mailbox, event: object) -> None:
    check_nothing(mailbox, json.dumps(event).encode())


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"{", b"[" * 50_000, b'{"a":' * 5_000, b"1e999", b"1e9999999999999999999", b"NaN"]
)
def test_an_authentic_body_that_cannot_be_read_becomes_an_empty_provider_event(mailbox: Mailbox, body: bytes) -> None:
    check_nothing(mailbox, body)


@pytest.mark.except_for(**SIGNED_INSIDE)
def test_one_member_altered(mailbox: Mailbox) -> None:
    """An authentic body is always read, and proves nothing that the event as it was did not prove."""
    for webhook in mailbox.all:
        known = mailbox.read(webhook)
        for change, document in altered_members(json.loads(webhook.body)):
            found = mailbox.read(mailbox.signed(json.dumps(document).encode()))
            assert found.outcome is None or known.outcome is not None, f"{webhook.type}: {change}"
            assert found.operation_outcome is None or known.operation_outcome is not None, f"{webhook.type}: {change}"


@pytest.mark.except_for(**SIGNED_INSIDE)
def test_a_proof_is_of_the_bodys_own_amount(mailbox: Mailbox) -> None:
    for webhook in mailbox.all:
        known = mailbox.read(webhook)
        found = mailbox.read(mailbox.signed(json.dumps(other_numbers(json.loads(webhook.body))).encode()))
        for before, after in [(known.outcome, found.outcome), (known.operation_outcome, found.operation_outcome)]:
            if isinstance(before, Succeeded) and isinstance(after, Succeeded):
                assert before.amount != after.amount, webhook.type


def test_one_that_is_too_large_is_refused(mailbox: Mailbox) -> None:
    assert mailbox.is_forged(mailbox.signed(b" " * (MAX_WEBHOOK_BYTES + 1)))


def check_nothing(mailbox: Mailbox, body: bytes) -> None:
    """An authentic body without meaning changes nothing; with the signature inside the body it is a forgery."""
    webhook = mailbox.signed(body)
    if mailbox.harness.provider in SIGNED_INSIDE:
        assert mailbox.is_forged(webhook)
        return
    provider_event = mailbox.read(webhook)
    assert said(provider_event) == (None,) * 6
    assert provider_event.event_id
    before = mailbox.harness.world.now(mailbox.payment)
    mailbox.harness.world.receive(mailbox.harness.provider, webhook.body, webhook.headers)
    mailbox.harness.world.deliver_provider_events()
    assert mailbox.harness.world.now(mailbox.payment) == before


def test_every_one_twice_and_backwards_changes_nothing(mailbox: Mailbox) -> None:
    world = mailbox.harness.world
    before = world.now(mailbox.payment)
    for webhook in [*reversed(mailbox.all), *mailbox.all]:
        again = mailbox.harness.simulator.redelivered(webhook, mailbox.harness.now)
        world.receive(mailbox.harness.provider, again.body, again.headers)
        world.deliver_provider_events()
        world.work_until_idle()
    after = world.now(mailbox.payment)
    assert (after.status, after.captured, after.refunded) == (PaymentStatus.SUCCESS, before.captured, PART)
    assert world.operation_now(mailbox.refund).status is OperationStatus.SUCCEEDED
    assert mailbox.harness.refunded() == PART


def altered(body: bytes) -> Iterator[bytes]:
    """The body with one bit changed in every 97th byte and at both ends, one byte longer, one byte shorter."""
    for place in sorted({0, len(body) - 1, *range(0, len(body), 97)}):
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    yield body + b" "
    yield body[:-1]


def said(provider_event: ProviderEvent) -> tuple[object, ...]:
    """All fields of an event that have an effect."""
    return (
        provider_event.charge_reference,
        provider_event.charge_key,
        provider_event.operation_reference,
        provider_event.operation_key,
        provider_event.outcome,
        provider_event.operation_outcome,
    )
