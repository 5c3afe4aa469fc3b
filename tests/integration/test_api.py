"""The API's promises, through its handler and the engine."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.outcome import Declined, NotSent, Rejected, Unknown
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.statuses import DeclineKind, Initiator
from tests.support.handlers import Functions, payment_body


def items_of(functions: Functions) -> int:
    tables = ("transactions", "idempotency")
    return sum(functions.engine.client("dynamodb").scan(TableName=t)["Count"] for t in tables)


class TestCreate:
    def test_it_answers_at_once_and_tells_where_to_poll(self, functions: Functions) -> None:
        status, body, headers = functions.pay()
        assert (status, body["status"], body["provider"]) == (202, "PENDING", "alpha")
        assert headers["Location"] == f"/payments/{body['transactionId']}"
        assert functions.providers.get("alpha").sent == []

    def test_the_worker_pays_and_the_payment_tells_all(self, functions: Functions) -> None:
        _, created, _ = functions.pay(description="Order 7", metadata={"order": "7"})
        assert functions.work() == {"batchItemFailures": []}
        status, body, _ = functions.call("GET", f"/payments/{created['transactionId']}")
        assert (status, body["status"], body["retryCount"], body["lastError"]) == (200, "SUCCESS", 0, None)
        assert body["routing"]["rule"] == "all"
        assert body["attempts"][0]["state"] == "SUCCEEDED"
        assert (body["description"], body["metadata"]) == ("Order 7", {"order": "7"})
        _, audit_log, _ = functions.call("GET", f"/payments/{created['transactionId']}/events")
        assert [(e["seq"], e["type"], e["from"], e["to"]) for e in audit_log["items"]] == [
            (1, "payment.accepted", None, "PENDING"),
            (2, "attempt.succeeded", "PENDING", "SUCCESS"),
        ]

    def test_the_provider_gets_what_the_merchant_said_and_the_answer_shows_what_is_not_personal(
        self, functions: Functions
    ) -> None:
        address = {"line1": "1 Long Road", "line2": "b", "city": "Pune", "state": "MH", "country": "IN"}
        said: dict[str, Any] = {
            "description": "Order 7",
            "metadata": {"order": "7"},
            "statementDescriptorSuffix": "ORDER 7",
            "receiptEmail": "receipts@example.com",
            "initiator": "merchant",
            "customer": {"name": "Ada", "email": "ada@example.com", "address": {**address, "postalCode": "411001"}},
        }
        _, created, _ = functions.pay(**said)
        functions.work()
        _, request = functions.providers.get("alpha").sent[0]
        assert (request.description, request.metadata) == ("Order 7", {"order": "7"})
        assert (request.statement_descriptor_suffix, request.receipt_email) == ("ORDER 7", "receipts@example.com")
        assert (request.initiator, request.save_payment_method) == (Initiator.MERCHANT, False)
        assert request.customer == Customer(
            name="Ada", email="ada@example.com", address=Address(**address, postal_code="411001")
        )
        _, shown, _ = functions.call("GET", f"/payments/{created['transactionId']}")
        shared = said.keys() & shown.keys()
        assert shared == said.keys() - {"receiptEmail", "customer"}
        assert {name: shown[name] for name in shared} == {name: said[name] for name in shared}
        assert "example.com" not in json.dumps(shown)

    @pytest.mark.parametrize(
        "refused",
        [
            Rejected(code="amount_too_small", message="Amount must be at least 50."),
            Declined(kind=DeclineKind.HARD, code="lost_card", message="Your card was declined."),
        ],
    )
    def test_the_providers_own_sentence_is_shown(self, functions: Functions, refused: Rejected | Declined) -> None:
        functions.providers.get("alpha").charges = [refused]
        _, created, _ = functions.pay(paymentMethod={"type": "card", "tokens": {"alpha": "t"}})
        functions.work()
        _, shown, _ = functions.call("GET", f"/payments/{created['transactionId']}")
        error = shown["lastError"]
        assert (shown["status"], error["providerCode"]) == ("FAILED", refused.code)
        assert error["providerMessage"] == refused.message

    def test_what_the_only_provider_needs_of_the_payer_is_asked_for(self, functions: Functions) -> None:
        alpha = functions.providers.get("alpha")
        alpha.able = replace(alpha.able, needs=frozenset({"customer.email", "customer.phone"}))
        at_alpha = {"paymentMethod": {"type": "card", "tokens": {"alpha": "t"}}}
        status, body, _ = functions.pay(**at_alpha, customer={"email": "ada@example.com"})
        assert (status, body["code"], body["field"]) == (422, "field_missing", "customer.phone")
        payer = {"email": "ada@example.com", "phone": "+919876543210"}
        assert functions.pay(**at_alpha, customer=payer)[0] == 202
        _, elsewhere, _ = functions.pay("other")
        assert elsewhere["provider"] == "beta"

    def test_a_payment_method_is_saved_by_a_provider_that_saves(self, functions: Functions) -> None:
        assert functions.pay(savePaymentMethod=True)[1]["code"] == "no_provider_available"
        beta = functions.providers.get("beta")
        beta.able = replace(beta.able, saves_payment_methods=True)
        _, body, _ = functions.pay(savePaymentMethod=True)
        assert (body["provider"], body["savePaymentMethod"]) == ("beta", True)
        functions.work()
        assert [request.save_payment_method for _, request in beta.sent] == [True]

    @pytest.mark.parametrize(
        "changes",
        [
            {"description": "b"},
            {"metadata": {"a": "b"}},
            {"statementDescriptorSuffix": "B"},
            {"receiptEmail": "b@example.com"},
            {"initiator": "merchant"},
            {"savePaymentMethod": True},
            {"customer": {"name": "b"}},
            {"customer": {"address": {"city": "b"}}},
        ],
    )
    def test_a_key_is_for_one_text(self, functions: Functions, changes: dict[str, Any]) -> None:
        assert functions.pay("k")[0] == 202
        assert functions.pay("k", **changes)[1]["code"] == "idempotency_key_reused"

    def test_a_repeated_key_repeats_the_answer_not_the_payment(self, functions: Functions) -> None:
        answers = [functions.pay("same") for _ in range(50)]
        assert {(status, body["transactionId"]) for status, body, _ in answers} == {
            (202, answers[0][1]["transactionId"])
        }
        assert [h.get("Idempotency-Replayed") for _, _, h in answers] == [None] + ["true"] * 49
        assert len(functions.messages()) == 1
        assert items_of(functions) == 1

    def test_a_repeat_shows_the_present_status(self, functions: Functions) -> None:
        functions.pay()
        functions.work()
        assert functions.pay()[1]["status"] == "SUCCESS"

    def test_a_key_with_another_body_is_refused(self, functions: Functions) -> None:
        functions.pay()
        before = items_of(functions)
        status, body, _ = functions.pay(amount=2000)
        assert (status, body["code"]) == (422, "idempotency_key_reused")
        assert items_of(functions) == before

    def test_an_accepted_key_stays_accepted_when_nothing_would_route_it_any_more(self, functions: Functions) -> None:
        _, first, _ = functions.pay()
        functions.providers.providers.clear()
        status, again, _ = functions.pay()
        assert (status, again["transactionId"]) == (202, first["transactionId"])
        assert functions.pay("new")[1]["code"] == "no_provider_available"

    def test_the_order_of_members_does_not_matter(self, functions: Functions) -> None:
        body = payment_body(idempotencyKey="k", metadata={"a": "1", "b": "2"})
        first = functions.call("POST", "/payments", body)
        second = functions.call("POST", "/payments", dict(reversed(body.items())))
        assert first[1]["transactionId"] == second[1]["transactionId"]

    @pytest.mark.parametrize(
        "spelling",
        [
            {"description": None},
            {"capture": "automatic"},
            {"metadata": {}},
            {"metadata": None},
            {"customer": None},
            {"customer": {}},
            {"customer": {"name": None, "address": {"city": None}}},
            {"returnUrl": None, "receiptEmail": None, "statementDescriptorSuffix": None},
            {"initiator": "customer", "savePaymentMethod": False},
            {"idempotencyKey": None},
            {"paymentMethod": {"type": "card", "token": "tok_success", "tokens": None}},
            {"paymentMethod": {"type": "card", "token": "tok_success", "tokens": {}}},
        ],
    )
    @pytest.mark.parametrize("first", ["plain", "spelled"])
    def test_the_same_request_in_another_spelling_is_a_repeat(
        self, functions: Functions, spelling: dict[str, Any], first: str
    ) -> None:
        plain, spelled = json.dumps(payment_body()), json.dumps({**payment_body(), **spelling})
        bodies = [plain, spelled] if first == "plain" else [spelled, plain]
        (_, made, _), (status, again, headers) = (
            functions.call("POST", "/payments", raw=raw, headers={"Idempotency-Key": "k"}) for raw in bodies
        )
        assert (status, again["transactionId"]) == (202, made["transactionId"])
        assert headers["Idempotency-Replayed"] == "true"
        manual = json.dumps({**payment_body(), **spelling, "capture": "manual"})
        refused = functions.call("POST", "/payments", raw=manual, headers={"Idempotency-Key": "k"})
        assert refused[1]["code"] == "idempotency_key_reused"

    def test_an_empty_description_is_another_request_than_none(self, functions: Functions) -> None:
        functions.pay("k", description="")
        assert functions.pay("k")[1]["code"] == "idempotency_key_reused"

    @pytest.mark.parametrize("row", ["key", "payment"])
    def test_a_payment_of_release_020_is_compared_as_that_release_did(self, functions: Functions, row: str) -> None:
        """Its rows hold the fingerprint of the body as it was sent, and no other."""
        functions.deploy(COMPACT_PAYMENTS="false")
        _, made, _ = functions.pay("k", description="Order 7")
        client = functions.engine.client("dynamodb")
        for table in ("transactions", "idempotency"):
            for item in client.scan(TableName=table)["Items"]:
                if item.pop("contentFingerprint", None):
                    client.put_item(TableName=table, Item=item)
        if row == "payment":
            key = client.scan(TableName="idempotency")["Items"][0]
            client.delete_item(TableName="idempotency", Key={"pk": key["pk"]})
        assert functions.pay("k", description="Order 7")[1]["transactionId"] == made["transactionId"]
        assert functions.pay("k", description="Order 8")[1]["code"] == "idempotency_key_reused"

    def test_the_rows_hold_the_fingerprint_that_release_020_compares(self, functions: Functions) -> None:
        """After a roll-back it still knows the repeats of what this release accepted in its layout."""
        functions.deploy(COMPACT_PAYMENTS="false")
        functions.pay("k", description="Order 7")
        body = {**payment_body(), "description": "Order 7"}
        content = json.dumps([1, "POST", "/payments", body], sort_keys=True, separators=(",", ":"))
        client = functions.engine.client("dynamodb")
        (key,) = client.scan(TableName="idempotency")["Items"]
        assert key["fingerprint"]["S"] == hashlib.sha256(content.encode()).hexdigest()
        assert key["contentFingerprint"]["S"].startswith("2:")

    def test_the_key_may_be_quoted_and_in_either_place(self, functions: Functions) -> None:
        ids = {
            functions.call("POST", "/payments", payment_body(), headers={"Idempotency-Key": '"k1"'})[1][
                "transactionId"
            ],
            functions.call("POST", "/payments", payment_body(), headers={"idempotency-key": "k1"})[1]["transactionId"],
            functions.call("POST", "/payments", payment_body(idempotencyKey="k1"))[1]["transactionId"],
        }
        assert len(ids) == 1

    def test_a_queue_that_is_down_delays_and_loses_nothing(self, functions: Functions) -> None:
        functions.platform.clients.sqs.delete_queue(QueueUrl=functions.queue_url)
        status, body, _ = functions.pay()
        assert status == 202
        functions.engine.client("sqs").create_queue(QueueName="jobs")
        functions.clock.advance(91)
        assert functions.sweep()["woken"] == 1
        functions.work()
        assert functions.call("GET", f"/payments/{body['transactionId']}")[1]["status"] == "SUCCESS"

    def test_a_database_that_is_down_is_503_and_the_same_key_repeats(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from botocore.exceptions import EndpointConnectionError

        def down(**_kwargs: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://engine.test")

        functions.pay("warm")
        store = functions.api.payments
        with monkeypatch.context() as patched:
            patched.setattr(store.client, "put_item", down, raising=False)
            status, body, headers = functions.pay("k")
        assert (status, body["code"]) == (503, "unavailable")
        assert int(headers["Retry-After"]) > 0
        assert functions.pay("k")[0] == 202


class TestCancel:
    def cancel(self, functions: Functions, payment: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        return functions.call("POST", f"/payments/{payment['transactionId']}/cancel")

    def test_before_any_attempt(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        assert [(s, b["status"]) for s, b, _ in (self.cancel(functions, payment), self.cancel(functions, payment))] == [
            (200, "CANCELLED"),
            (200, "CANCELLED"),
        ]
        functions.work()
        assert functions.providers.get("alpha").sent == []

    def test_between_attempts_that_are_proven_uncharged(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [NotSent(code="connection_refused")]
        _, payment, _ = functions.pay()
        functions.work()
        assert self.cancel(functions, payment)[1]["status"] == "CANCELLED"

    def test_after_success_it_is_refused(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.work()
        status, body, _ = self.cancel(functions, payment)
        assert (status, body["code"]) == (409, "invalid_state")

    def test_a_repeat_after_a_charge_that_came_first_is_refused(self, functions: Functions) -> None:
        """`202` would say that the provider has yet to confirm."""
        functions.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="x")]
        functions.providers.get("beta").charges = [Unknown(code="read_timeout")]
        functions.providers.get("beta").cancellations = ["charged"]
        _, payment, _ = functions.pay()
        functions.work()
        functions.work()
        assert self.cancel(functions, payment)[0] == 202
        functions.work()
        _, body, _ = functions.call("GET", f"/payments/{payment['transactionId']}")
        assert (body["status"], body["cancelRequested"]) == ("SUCCESS", True)
        status, body, _ = self.cancel(functions, payment)
        assert (status, body["code"]) == (409, "invalid_state")

    def test_an_unknown_outcome_without_a_confirmed_cancellation_is_409(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [Unknown(code="read_timeout")]
        _, payment, _ = functions.pay()
        functions.work()
        status, body, _ = self.cancel(functions, payment)
        assert (status, body["code"]) == (409, "outcome_unknown")

    def test_an_unknown_outcome_with_a_confirmed_cancellation_is_cancelled_by_proof(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [Declined(kind=DeclineKind.SOFT, code="x")]
        functions.providers.get("beta").charges = [Unknown(code="read_timeout")]
        _, payment, _ = functions.pay()
        functions.work()
        functions.work()
        status, body, _ = self.cancel(functions, payment)
        assert (status, body["status"], body["cancelRequested"]) == (202, "PENDING", True)
        functions.work()
        _, body, _ = functions.call("GET", f"/payments/{payment['transactionId']}")
        assert (body["status"], body["attempts"][1]["state"]) == ("CANCELLED", "FENCED")


class TestRead:
    def test_another_merchants_payment_does_not_exist(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        for method, suffix in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
            path = f"/payments/{payment['transactionId']}{suffix}"
            status, body, _ = functions.call(method, path, merchant_id="other")
            assert (status, body["code"]) == (404, "not_found")

    def test_the_list_is_walked_by_its_cursor(self, functions: Functions) -> None:
        made = []
        for number in range(5):
            made.append(functions.pay(f"k{number}")[1]["transactionId"])
            functions.clock.advance(DAY_MS / SECOND_MS)
        found: list[str] = []
        query: dict[str, Any] = {"limit": "2"}
        for _ in range(9):
            status, body, _ = functions.call("GET", "/payments", query=query)
            assert status == 200
            found += [item["transactionId"] for item in body["items"]]
            if body["nextCursor"] is None:
                break
            query = {"limit": "2", "cursor": body["nextCursor"]}
        assert found == made[::-1]

    def test_a_cursor_opens_only_the_list_it_came_from(self, functions: Functions) -> None:
        for number in range(3):
            functions.pay(f"k{number}")
        cursor = functions.call("GET", "/payments", query={"limit": "1"})[1]["nextCursor"]
        for query, merchant in (
            ({"cursor": cursor[:-2] + "AA"}, "acme"),
            ({"cursor": cursor}, "other"),
            ({"cursor": cursor, "status": "FAILED"}, "acme"),
            ({"cursor": "x"}, "acme"),
            ({"cursor": "é"}, "acme"),
        ):
            status, body, _ = functions.call("GET", "/payments", query=query, merchant_id=merchant)
            assert (status, body["code"]) == (400, "cursor_invalid")

    def test_the_audit_log_in_pages(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.work()
        path = f"/payments/{payment['transactionId']}/events"
        _, first, _ = functions.call("GET", path, query={"limit": "1"})
        _, second, _ = functions.call("GET", path, query={"limit": "5", "cursor": first["nextCursor"]})
        assert [e["seq"] for e in first["items"] + second["items"]] == [1, 2]
        assert second["nextCursor"] is None

    def test_health_and_openapi(self, functions: Functions) -> None:
        assert functions.call("GET", "/health")[:2] == (200, {"status": "ok"})
        status, document, _ = functions.call("GET", "/openapi.json")
        assert (status, document["openapi"]) == (200, "3.1.0")

    def test_no_token_and_no_personal_datum_comes_back(self, functions: Functions) -> None:
        customer = {
            "id": "cust-canary",
            "name": "Ada Canary",
            "email": "canary@example.com",
            "phone": "+441234567890",
        }
        _, payment, _ = functions.pay(customer=customer, paymentMethod={"type": "card", "token": "tok_canary"})
        functions.work()
        functions.call("GET", f"/payments/{payment['transactionId']}")
        functions.call("GET", f"/payments/{payment['transactionId']}/events")
        functions.call("GET", "/payments")
        said = json.dumps(functions.answers)
        assert "anary" not in said
        assert "+441234567890" not in said


class TestAuthorizer:
    def test_a_key_opens_the_whole_api_for_its_merchant(self, functions: Functions) -> None:
        policy = functions.authorize(f"Bearer {functions.api_key}")
        report_page = policy["policyDocument"]["Statement"][0]
        assert (report_page["Effect"], policy["context"]) == ("Allow", {"merchantId": "acme"})
        assert report_page["Resource"].endswith(":api1/v1/*")

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            "Bearer nonsense",
            "Bearer pfx_test_sk_" + "A" * 38,
            "é",
        ],
    )
    def test_everything_else_is_denied(self, functions: Functions, header: str | None) -> None:
        policy = functions.authorize(header)
        assert policy["policyDocument"]["Statement"][0]["Effect"] == "Deny"
        assert policy["context"] == {}

    def test_without_usage_plans_no_request_names_one(self, functions: Functions) -> None:
        assert "usageIdentifierKey" not in functions.authorize(f"Bearer {functions.api_key}")

    @pytest.mark.parametrize(
        ("given", "named"), [("*=others,acme=own", "own"), ("*=others,acme-2=own", "others"), ("*=others", "others")]
    )
    def test_with_them_a_merchants_own_is_named_or_that_of_all_others(
        self, functions: Functions, given: str, named: str
    ) -> None:
        functions.deploy(USAGE_IDENTIFIERS=given)
        assert functions.authorize(f"Bearer {functions.api_key}")["usageIdentifierKey"] == named
        assert "usageIdentifierKey" not in functions.authorize("Bearer nonsense")

    def test_revoked_and_expired_keys_are_denied(self, functions: Functions) -> None:
        client = functions.engine.client("dynamodb")
        key = next(i for i in client.scan(TableName="configuration")["Items"] if i["pk"]["S"].startswith("K#"))
        for name in ("revokedAt", "expiresAtMs"):
            client.put_item(TableName="configuration", Item={**key, name: {"N": "1"}})
            policy = functions.authorize(f"Bearer {functions.api_key}")
            assert policy["policyDocument"]["Statement"][0]["Effect"] == "Deny"


class TestWorker:
    def test_only_the_messages_that_failed_come_back(self, functions: Functions) -> None:
        functions.pay("good")
        good = functions.messages()
        bad = [
            {"messageId": f"bad-{n}", "body": body}
            for n, body in enumerate(["", "{", "[]", '{"format":2}', '{"format":1,"merchant_id":"acme"}', "null"])
        ]
        missing = {
            "messageId": "gone",
            "body": json.dumps({"format": 1, "merchant_id": "acme", "transaction_id": "pay_aaaaaaaaaaaaaaaa"}),
        }
        from payflowx.entrypoints import worker
        from tests.support.handlers import Context

        answer = worker.handler({"Records": [*bad, *good, missing]}, Context())
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        assert failed == {m["messageId"] for m in bad} | {"gone"}
        assert functions.providers.get("alpha").asked("charge") == 1


class TestOperations:
    def test_a_merchant_is_created_once(self, functions: Functions) -> None:
        again = functions.operate(
            command="create_merchant",
            merchantId="acme",
            name="Acme",
            accounts=[{"provider": "alpha", "accountId": "main", "endpoint": "https://g.test", "secretArn": "arn:x"}],
        )
        assert again["error"]["code"] == "merchant_exists"

    @pytest.mark.parametrize(
        "changes",
        [
            {"merchantId": "A B"},
            {"name": ""},
            {"reason": ""},
            {"reason": "paid with 4111 1111 1111 1111"},
            {"operator": ""},
            {"accounts": [{"provider": "nobody", "accountId": "main", "endpoint": "https://g", "secretArn": "arn:x"}]},
            {"accounts": [{"provider": "alpha", "accountId": "main", "endpoint": "ftp://g", "secretArn": "arn:x"}]},
            {"accounts": [{"provider": "alpha", "accountId": "main", "endpoint": "https://g", "secretArn": "plain"}]},
            {"surprise": 1},
        ],
    )
    def test_a_wrong_command_says_why(self, functions: Functions, changes: dict[str, Any]) -> None:
        account = {
            "provider": "alpha",
            "accountId": "main",
            "endpoint": "https://g.test",
            "secretArn": "arn:x",
        }
        command = {
            "command": "create_merchant",
            "merchantId": "m2",
            "name": "M",
            "accounts": [account],
            **changes,
        }
        answer = functions.operate(**command)
        assert answer["ok"] is False
        assert answer["error"]["message"]

    def test_an_audit_log_is_verified_and_tampering_is_found(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.work()
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        assert functions.operate(command="verify_trail", **names) == {
            "ok": True,
            "whole": True,
            "faults": [],
            "events": 2,
            "complete": True,
        }
        key = {"pk": {"S": f"M#acme#P#{payment['transactionId']}"}, "sk": {"S": "EVENT#000002"}}
        functions.engine.client("dynamodb").update_item(
            TableName="transactions",
            Key=key,
            UpdateExpression="SET #first.actor = :x",
            ExpressionAttributeNames={"#first": "first"},
            ExpressionAttributeValues={":x": {"S": "nobody"}},
        )
        assert functions.operate(command="verify_trail", **names)["faults"] == ["event 1 was altered"]

    def test_personal_data_is_erased_from_a_final_payment(self, functions: Functions) -> None:
        _, payment, _ = functions.pay(
            customer={"name": "Ada Canary", "email": "canary@example.com"},
            description="canary",
            metadata={"note": "canary"},
            paymentMethod={"type": "card", "token": "tok_canary"},
        )
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        assert functions.operate(command="erase_personal_data", **names)["error"]["code"] == "invalid_state"
        functions.work()
        assert functions.operate(command="erase_personal_data", **names)["erased"]
        stored = repr(functions.engine.client("dynamodb").scan(TableName="transactions")["Items"])
        assert "anary" not in stored
        assert functions.operate(command="verify_trail", **names)["whole"]
