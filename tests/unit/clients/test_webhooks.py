"""The webhook kit, against what PayFlowX itself signs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.outbound_webhooks.signing import signed_headers
from payflowx_client import (
    EventType,
    MemoryEventStore,
    PaymentStatus,
    Received,
    SqliteEventStore,
    Webhook,
    WebhookContentError,
    WebhookSignatureError,
    WebhookTimeError,
)
from tests.unit.clients.samples import named, payment

SECRET = "whsec_" + "a" * 44
OTHER = "whsec_" + "b" * 44
NOW = 1_790_000_000


def message(sequence: int = 1, **changed: Any) -> dict[str, Any]:
    data = {
        "change": {"from": "PENDING", "to": "SUCCESS"},
        "payment": payment(transactionId="pay_q6h7f5fzinceo5sp"),
        "operation": None,
    }
    whole = named("WebhookMessage", id=f"evt_q6h7f5fzinceo5sp_{sequence}", type="payment.succeeded", data=data)
    return {**whole, "sequence": sequence, **changed}


def signed(content: Any, *secrets: str, at: int = NOW) -> tuple[bytes, dict[str, str]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    event_id = content["id"] if isinstance(content, dict) and "id" in content else "evt_q6h7f5fzinceo5sp_1"
    return body, dict(signed_headers(event_id, at, body, secrets or (SECRET,)))


def kit(secret: Any = SECRET, now: float = NOW, **more: Any) -> Webhook:
    return Webhook(secret, now=lambda: now, **more)


def test_a_message_that_payflowx_signed_is_a_typed_event() -> None:
    received = kit().parse(*signed(message()))
    assert received.event.type is EventType.PAYMENT_SUCCEEDED
    assert received.event.data.change.from_ is PaymentStatus.PENDING
    assert received.event.data.payment.transaction_id == "pay_q6h7f5fzinceo5sp"
    assert (received.is_new, received.missing, received.is_late) == (True, (), False)


@given(body=st.binary(max_size=200), id_=st.from_regex(r"evt_[a-z2-7]{16}_[1-9]", fullmatch=True))
def test_signatures_are_those_of_the_published_library(body: bytes, id_: str) -> None:
    headers = signed_headers(id_, NOW, body, [SECRET])
    kit()._check_signature(f"{id_}.{NOW}.".encode() + body, headers["webhook-signature"])
    expected = standardwebhooks.Webhook(SECRET).sign(id_, datetime.fromtimestamp(NOW, UTC), body.decode("latin-1"))
    kit()._check_signature(f"{id_}.{NOW}.".encode() + body.decode("latin-1").encode(), expected)


@pytest.mark.parametrize(("signing", "known"), [((SECRET, OTHER), OTHER), ((OTHER,), [SECRET, OTHER])])
def test_both_secrets_work_during_a_rotation(signing: tuple[str, ...], known: Any) -> None:
    assert kit(known).parse(*signed(message(), *signing)).is_new


def test_names_of_headers_are_found_in_any_case() -> None:
    body, headers = signed(message())
    assert kit().parse(body, {name.title(): value for name, value in headers.items()}).is_new


@pytest.mark.parametrize("place", ["body", "id", "time", "signature", "version", "secret"])
def test_whatever_is_changed_is_refused(place: str) -> None:
    body, headers = signed(message(), OTHER if place == "secret" else SECRET)
    signature = headers["webhook-signature"]
    match place:
        case "body":
            body = body.replace(b"SUCCESS", b"FAILED ")
        case "id":
            headers["webhook-id"] = "evt_q6h7f5fzinceo5sp_2"
        case "time":
            headers["webhook-timestamp"] = str(NOW + 1)
        case "signature":
            headers["webhook-signature"] = signature[:-5] + ("A" if signature[-5] != "A" else "B") + signature[-4:]
        case "version":
            headers["webhook-signature"] = signature.replace("v1,", "v2,")
    with pytest.raises(WebhookSignatureError):
        kit().parse(body, headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "é", "\udcff", "v1,", "v1,=", "1" * 5000, "-5", "²"])
def test_headers_that_are_missing_or_not_readable(name: str, value: str | None) -> None:
    body, headers = signed(message())
    headers.pop(name) if value is None else headers.update({name: value})
    with pytest.raises(WebhookSignatureError):
        kit().parse(body, headers)


@pytest.mark.parametrize(("seconds", "accepted"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_the_time_is_checked_in_both_directions(seconds: int, accepted: bool) -> None:
    body, headers = signed(message(), at=NOW + seconds)
    if accepted:
        assert kit().parse(body, headers).is_new
    else:
        with pytest.raises(WebhookTimeError):
            kit().parse(body, headers)


@pytest.mark.parametrize("body", [message(), json.dumps(message()), None, [1]])
def test_what_is_not_raw_is_refused_with_what_to_pass(body: Any) -> None:
    _, headers = signed(message())
    with pytest.raises(TypeError, match=r"raw body: pass its bytes .*request\.get_data\(\)"):
        kit().parse(body, headers)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, message(sequence="1")])
def test_content_that_cannot_be_read(content: Any) -> None:
    with pytest.raises(WebhookContentError):
        kit().parse(*signed(content))


def test_the_id_of_the_body_is_that_of_the_header() -> None:
    body = json.dumps(message(sequence=2)).encode()
    with pytest.raises(WebhookContentError, match="id"):
        kit().parse(body, dict(signed_headers("evt_q6h7f5fzinceo5sp_1", NOW, body, [SECRET])))


def test_a_body_that_is_too_large() -> None:
    with pytest.raises(WebhookContentError, match="bytes"):
        kit().parse(b" " * (1024 * 1024 + 1), {})


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!" + "a" * 43, "a" * 44, "whsec_YWJj", [], [SECRET, ""]])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: Any) -> None:
    with pytest.raises(ValueError, match="secret") as raised:
        Webhook(secret)
    assert "YWJj" not in str(raised.value)


def test_a_kit_shows_no_secret() -> None:
    assert "aaaa" not in repr(kit()) + repr(kit().parse(*signed(message())))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MemoryEventStore() if request.param == "memory" else SqliteEventStore(tmp_path / "events.db")


def test_a_repeat_is_dropped_once_the_event_was_handled(store: Any) -> None:
    def parse() -> Received:
        return kit(store=store).parse(*signed(message()))

    assert parse().is_new
    received = parse()  # the first try crashed before it was done
    assert received.is_new
    received.done()
    received.done()
    assert not parse().is_new


def test_gaps_and_disorder_are_reported(store: Any) -> None:
    def receive(sequence: int) -> tuple[bool, tuple[int, ...], bool]:
        received = kit(store=store).parse(*signed(message(sequence)))
        received.done()
        return received.is_new, received.missing, received.is_late

    assert receive(1) == (True, (), False)
    assert receive(4) == (True, (2, 3), False)
    assert receive(3) == (True, (2,), True)
    assert receive(4) == (False, (2,), False)
    assert receive(2) == (True, (), True)
    assert receive(5) == (True, (), False)


def test_what_was_handled_survives_a_restart(tmp_path: Path) -> None:
    kit(store=SqliteEventStore(tmp_path / "e.db")).parse(*signed(message())).done()
    assert not kit(store=SqliteEventStore(tmp_path / "e.db")).parse(*signed(message())).is_new


def test_receive_hands_a_new_event_on_once_and_says_what_to_answer() -> None:
    webhook = kit(store=MemoryEventStore())
    handled: list[Received] = []
    body, headers = signed(message())

    def fails(_: Received) -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        webhook.receive(body, headers, fails)
    assert [webhook.receive(body, headers, handled.append) for _ in range(2)] == [204, 204]
    assert [each.event.sequence for each in handled] == [1]
    assert webhook.receive(body, {}, handled.append) == 400
    with pytest.raises(TypeError):
        webhook.receive("text", headers, handled.append)
    assert len(handled) == 1
