"""Webhooks of providers through the receiving function, the queue, and the function that applies them."""

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payflowx.adapters.sqs.queue import Queue
from payflowx.domain.payments.outcome import Accepted, ActionRequired, NextAction, Succeeded
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_WEBHOOK_BYTES
from payflowx.entrypoints import provider_events
from payflowx.entrypoints import webhook_receiver as webhooks
from testing.secrets_manager import SecretsManager
from tests.support.handlers import Context, Functions

ACTION = ActionRequired(reference="act-1", action=NextAction(kind="redirect", url="https://bank.test/3ds"))
SIGNED = {"Signature": "secret"}


@dataclass
class Post:
    """The provider alpha, posting to the address that its account was given."""

    functions: Functions
    token: str

    @property
    def alpha(self) -> Any:
        return self.functions.providers.get("alpha")

    def says(self, provider_event: ProviderEvent) -> bytes:
        body = json.dumps({"event": provider_event.event_id}).encode()
        self.alpha.provider_events[body] = provider_event
        return body

    def post(self, body: bytes, *, token: str | None = None, headers: Any = None, encoded: bool = False) -> Any:
        event = {
            "pathParameters": {"provider": "alpha", "accountToken": token or self.token},
            "headers": SIGNED if headers is None else headers,
            "body": base64.b64encode(body).decode() if encoded else body.decode(),
            "isBase64Encoded": encoded,
            "requestContext": {"requestId": "req-9"},
        }
        answer = webhooks.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def queued(self) -> list[dict[str, Any]]:
        return self.functions.messages(self.functions.platform.environment["NOTICES_QUEUE_URL"])

    def apply(self, records: list[dict[str, Any]] | None = None) -> Any:
        return provider_events.handler({"Records": self.queued() if records is None else records}, Context())

    def waiting_payment(self) -> dict[str, Any]:
        self.alpha.charges = [ACTION]
        created = self.functions.pay()[1]
        self.functions.work()
        self.functions.messages()
        return self.shown(created["transactionId"])

    def shown(self, transaction_id: str) -> dict[str, Any]:
        return self.functions.call("GET", f"/payments/{transaction_id}")[1]


@pytest.fixture
def post(functions: Functions) -> Post:
    known = SecretsManager({"arn:x": ("secret", "the one of before")})
    functions.platform.clients.secretsmanager = known  # type: ignore[assignment]
    merchant = functions.api.merchants.get("acme")
    assert merchant is not None
    account = merchant.account("alpha", "main")
    assert account is not None
    return Post(functions, str(account.webhook_token))


def success(payment: dict[str, Any], event_id: str = "evt_1", **changes: Any) -> ProviderEvent:
    key = payment["attempts"][0]["providerKey"]
    charged = Succeeded(
        reference="ch_9", amount=payment["amount"], currency=payment["currency"], merchant_reference=key
    )
    return ProviderEvent(
        event_id=event_id, type="charge.succeeded", charge_key=key, outcome=replace(charged, **changes)
    )


class TestReceiving:
    def test_an_authentic_one_is_queued_without_its_body_and_acknowledged(self, post: Post) -> None:
        payment = post.waiting_payment()
        body = post.says(success(payment))
        assert post.post(body) == (200, {"received": True})
        (message,) = post.queued()
        assert json.loads(message["body"])["charge_key"] == payment["attempts"][0]["providerKey"]
        assert post.shown(payment["transactionId"])["status"] == "REQUIRES_ACTION"

    def test_base64_is_decoded_before_the_signature_is_checked(self, post: Post) -> None:
        assert post.post(post.says(success(post.waiting_payment())), encoded=True)[0] == 200

    def test_the_secret_of_before_is_good_during_a_rotation(self, post: Post) -> None:
        body = post.says(success(post.waiting_payment()))
        assert post.post(body, headers={"SIGNATURE": "the one of before"})[0] == 200

    @pytest.mark.parametrize("trouble", ["no signature", "another's", "unknown address", "odd address", "no base64"])
    def test_what_is_not_authentic_is_401_and_nothing_is_stored(self, post: Post, trouble: str) -> None:
        body = post.says(success(post.waiting_payment()))
        status, problem = {
            "no signature": lambda: post.post(body, headers={}),
            "another's": lambda: post.post(body, headers={"signature": "guessed"}),
            "unknown address": lambda: post.post(body, token="A" * 32),
            "odd address": lambda: post.post(body, token="../../etc"),
            "no base64": lambda: _raw(post, "%%%"),
        }[trouble]()
        assert (status, problem["code"]) == (401, "webhook_refused")
        assert post.queued() == []

    def test_too_large_is_413(self, post: Post) -> None:
        assert post.post(b"x" * (MAX_WEBHOOK_BYTES + 1))[1]["code"] == "body_too_large"
        assert post.queued() == []

    def test_an_unknown_type_is_200_and_queued_for_nobody(self, post: Post) -> None:
        assert post.post(post.says(ProviderEvent(event_id="e", type="capability.updated")))[0] == 200
        assert post.queued() == []

    def test_a_queue_that_is_down_makes_the_provider_come_again(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(_self: object, *_args: object, **_more: object) -> None:
            raise StorageUnavailableError("the queue did not take the webhook")

        body = post.says(success(post.waiting_payment()))
        monkeypatch.setattr(Queue, "send", down)
        assert post.post(body)[0] == 503

    def test_a_defect_is_500_without_a_word_of_the_webhook(self, post: Post) -> None:
        post.alpha.provider_events = None
        status, problem = post.post(b'{"card":"4111111111111111"}')
        assert (status, problem["code"]) == (500, "internal_error")
        assert "4111" not in json.dumps(problem)


class TestApplying:
    def test_a_proof_closes_the_payment_with_the_webhook_in_its_audit_log(self, post: Post) -> None:
        payment = post.waiting_payment()
        post.post(post.says(success(payment)))
        assert post.apply() == {"batchItemFailures": []}
        shown = post.shown(payment["transactionId"])
        assert (shown["status"], shown["providerRef"]) == ("SUCCESS", "ch_9")
        last = post.functions.call("GET", f"/payments/{payment['transactionId']}/events")[1]["items"][-1]
        assert (last["actor"], last["facts"]["webhook"]) == ("webhook", "evt_1")

    def test_the_same_twice_and_another_event_of_the_same_change_nothing(self, post: Post) -> None:
        payment = post.waiting_payment()
        bodies = [post.says(success(payment)), post.says(success(payment, "evt_2"))]
        for body in [*bodies, *bodies]:
            post.post(body)
            post.apply()
        audit_log = post.functions.call("GET", f"/payments/{payment['transactionId']}/events")[1]["items"]
        assert [event["type"] for event in audit_log].count("attempt.succeeded") == 1

    @pytest.mark.parametrize("change", [{"amount": 1}, {"currency": "EUR"}, {"merchant_reference": "pfx-x-1"}])
    def test_a_success_that_differs_is_a_reason_to_ask_and_nothing_more(
        self, post: Post, change: dict[str, Any]
    ) -> None:
        payment = post.waiting_payment()
        post.post(post.says(success(payment, **change)))
        post.apply()
        assert post.shown(payment["transactionId"])["status"] == "REQUIRES_ACTION"
        assert len(post.functions.messages()) == 1

    def test_a_hint_makes_a_worker_ask_now(self, post: Post) -> None:
        payment = post.waiting_payment()
        post.alpha.inquiries = ["charged"]
        hint = replace(success(payment), outcome=None)
        post.post(post.says(hint))
        post.apply()
        post.functions.work()
        assert post.shown(payment["transactionId"])["status"] == "SUCCESS"

    def test_a_refund_is_closed_by_its_webhook(self, post: Post) -> None:
        payment = post.functions.pay()[1]["transactionId"]
        post.functions.work()
        post.alpha.moves = [Accepted(reference="re_1")]
        _, refund, headers = post.functions.call(
            "POST", f"/payments/{payment}/refunds", {"amount": 5}, headers={"Idempotency-Key": "r"}
        )
        post.functions.work()
        moved = Succeeded(
            reference="re_1",
            amount=5,
            currency="USD",
            merchant_reference=f"pfx-{refund['operationId'][4:]}-1",
        )
        provider_event = ProviderEvent(
            event_id="e", type="refund.done", operation_reference="re_1", operation_outcome=moved
        )
        post.post(post.says(provider_event))
        post.apply()
        assert post.functions.call("GET", headers["Location"])[1]["status"] == "SUCCEEDED"

    def test_one_that_overtook_our_own_write_is_put_back_and_then_kept(self, post: Post) -> None:
        key = "pfx-aaaaaaaaaaaaaaaa-1"
        post.post(post.says(ProviderEvent(event_id="e", type="t", charge_key=key)))
        records = post.queued()
        for _ in range(3):
            assert post.apply(records) == {"batchItemFailures": []}
            message = json.loads(records[0]["body"])
            records = [{**records[0], "body": json.dumps({**message, "tries": message["tries"] + 1})}]
        assert len(post.apply(records)["batchItemFailures"]) == 1

    def test_what_is_not_ours_is_dropped_after_a_while(self, post: Post) -> None:
        post.post(post.says(ProviderEvent(event_id="e", type="t", charge_reference="ch_of_somebody_else")))
        (record,) = post.queued()
        late = {**record, "body": json.dumps({**json.loads(record["body"]), "tries": 3})}
        assert post.apply([late]) == {"batchItemFailures": []}

    def test_another_account_cannot_speak_for_this_one(self, post: Post) -> None:
        payment = post.waiting_payment()
        post.post(post.says(success(payment)))
        (record,) = post.queued()
        for change in ({"provider": "beta"}, {"account_id": "second"}, {"merchant_id": "other", "tries": 3}):
            forged = {**record, "body": json.dumps({**json.loads(record["body"]), **change})}
            post.apply([forged])
            assert post.shown(payment["transactionId"])["status"] == "REQUIRES_ACTION"

    @pytest.mark.parametrize(
        "body", ["", "{}", "[]", '{"format":2}', '{"format":1}', "null", '{"format":1,"tries":"x"}']
    )
    def test_garbage_in_the_queue_comes_back_alone(self, post: Post, body: str) -> None:
        payment = post.waiting_payment()
        post.post(post.says(success(payment)))
        answer = post.apply([{"messageId": "bad", "body": body, "attributes": {}}, *post.queued()])
        assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
        assert post.shown(payment["transactionId"])["status"] == "SUCCESS"


def _raw(post: Post, text: str) -> Any:
    event = {
        "pathParameters": {"provider": "alpha", "accountToken": post.token},
        "headers": SIGNED,
        "body": text,
        "isBase64Encoded": True,
        "requestContext": {},
    }
    answer = webhooks.handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"])
