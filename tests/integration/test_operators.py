"""Operators' commands through the handler, over the engine: real tables, queues, secrets, AppConfig and logs."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli import payflowx
from ops.session import Session
from ops.target import Target
from payflowx.application.routing import publish_routing
from payflowx.domain.merchants.api_keys import hash_api_key
from payflowx.domain.merchants.directory import AccountSecret, ApiKeyRecord, AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.change import Context as ChangeContext
from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.payments.outcome import Mismatch, Unknown
from payflowx.domain.payments.state_machine import record_dispute
from payflowx.domain.providers.health import AccountHealth, AccountName
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_KEYS_PER_MERCHANT
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.wiring.operators import OperatorsWiring
from payflowx.wiring.provider_events import ProviderEventsWiring
from tests.support.handlers import Context, Functions

DOCUMENT = {"version": "one", "rules": [{"name": "all", "when": {}, "use": {"providers": ["alpha", "beta"]}}]}
SECRET = {"keyId": "canary-id", "keySecret": "canary-secret", "webhookSecret": "canary-webhook"}


@pytest.fixture
def routing(functions: Functions) -> Iterator[str]:
    """An application with one document in force, as the stack makes it."""
    client = functions.engine.client("appconfig")
    application = client.create_application(Name="payflowx")["Id"]
    environment = client.create_environment(ApplicationId=application, Name="dev")["Id"]
    profile = client.create_configuration_profile(ApplicationId=application, Name="routing", LocationUri="hosted")["Id"]
    strategy = client.create_deployment_strategy(
        Name="at-once", DeploymentDurationInMinutes=0, GrowthFactor=100, FinalBakeTimeInMinutes=0, ReplicateTo="NONE"
    )["Id"]
    functions.deploy(
        ROUTING_APPLICATION=application,
        ROUTING_ENVIRONMENT=environment,
        ROUTING_PROFILE=profile,
        ROUTING_STRATEGY=strategy,
    )
    functions.operators.routing_publisher.publish(json.dumps(DOCUMENT).encode(), "set-up")
    yield application
    client.delete_application(ApplicationId=application)


def stored(functions: Functions, table: str = "configuration") -> str:
    return json.dumps(functions.engine.client("dynamodb").scan(TableName=table)["Items"])


def refused(answer: dict[str, Any]) -> str:
    assert answer["ok"] is False
    return answer["error"]["code"]


def records(functions: Functions) -> list[dict[str, Any]]:
    month = time.strftime("%Y-%m", time.gmtime(functions.clock.now_ms() / 1000))
    return functions.operate(command="list_records", month=month)["items"]


class TestMerchantsAndKeys:
    def test_merchants_are_listed_page_by_page(self, functions: Functions) -> None:
        for name in ("m1", "m2"):
            assert functions.operate(command="create_merchant", merchantId=name, name=name)["ok"]
        first = functions.operate(command="list_merchants", limit=2)
        rest = functions.operate(command="list_merchants", limit=2, after=first["nextAfter"])
        assert [m["merchantId"] for m in first["items"] + rest["items"]] == ["acme", "m1", "m2"]
        assert rest["nextAfter"] is None

    def test_a_key_works_until_it_is_revoked(self, functions: Functions) -> None:
        made = functions.operate(command="create_key", merchantId="acme")
        assert allowed(functions, made["apiKey"])
        assert functions.operate(command="revoke_key", merchantId="acme", keyId=made["keyId"])["state"] == "revoked"
        assert not allowed(functions, made["apiKey"])
        assert refused(functions.operate(command="revoke_key", merchantId="acme", keyId=made["keyId"])) == "key_ended"
        assert allowed(functions, functions.api_key)

    def test_during_a_rotation_both_keys_work_and_then_one(self, functions: Functions) -> None:
        old = functions.operate(command="list_keys", merchantId="acme")["items"][0]["keyId"]
        made = functions.operate(command="rotate_key", merchantId="acme", keyId=old, overlapHours=2)
        assert allowed(functions, functions.api_key)
        assert allowed(functions, made["apiKey"])
        functions.clock.advance(2 * 3600)
        assert not allowed(functions, functions.api_key)
        assert allowed(functions, made["apiKey"])

    def test_a_rotation_never_lengthens_a_keys_life(self, functions: Functions) -> None:
        made = functions.operate(command="create_key", merchantId="acme", expiresInDays=1)
        functions.operate(command="rotate_key", merchantId="acme", keyId=made["keyId"], overlapHours=720)
        functions.clock.advance(24 * 3600)
        assert not allowed(functions, made["apiKey"])

    def test_of_two_rotations_at_once_the_earlier_end_stays(self, functions: Functions) -> None:
        known = functions.operators.list_keys("acme")
        functions.operate(command="rotate_key", merchantId="acme", keyId=known[0].key_id, overlapHours=0)
        slower = replace(functions.operators.rotate_key, list_keys=lambda _merchant: known)
        with pytest.raises(Refusal) as refusal:
            slower("acme", known[0].key_id, 24, OperatorAction(who="ada", why="T-1"))
        assert refusal.value.code == "conflict"
        assert not allowed(functions, functions.api_key)

    @pytest.mark.parametrize("way", ["create_key", "rotate_key"])
    def test_writers_at_once_keep_the_limit_of_keys(self, functions: Functions, way: str) -> None:
        """Lists read no further key than the limit, so nobody could see or end one above it."""
        known = [functions.operators.list_keys("acme")]
        for _ in range(MAX_KEYS_PER_MERCHANT - len(known[0])):
            known = [functions.operators.list_keys("acme")]
            assert functions.operate(command="create_key", merchantId="acme")["ok"]

        def read_before(merchant_id: str) -> Sequence[ApiKeyRecord]:
            return known.pop() if known else functions.operators.list_keys(merchant_id)

        key_id, action = known[0][0].key_id, OperatorAction(who="ada", why="T-1")
        create = partial(replace(functions.operators.create_key, list_keys=read_before), "acme", None)
        rotate = partial(replace(functions.operators.rotate_key, list_keys=read_before), "acme", key_id, 24)
        with pytest.raises(Refusal) as refusal:
            (create if way == "create_key" else rotate)(action)
        assert refusal.value.code == {"create_key": "too_many_keys", "rotate_key": "conflict"}[way]
        assert stored(functions).count("M#acme#K") == MAX_KEYS_PER_MERCHANT

    def test_a_key_that_met_another_one_is_created(self, functions: Functions) -> None:
        known = [functions.operators.list_keys("acme")]
        functions.operate(command="create_key", merchantId="acme")

        def read_before(merchant_id: str) -> Sequence[ApiKeyRecord]:
            return known.pop() if known else functions.operators.list_keys(merchant_id)

        create = replace(functions.operators.create_key, list_keys=read_before)
        assert allowed(functions, create("acme", None, OperatorAction(who="ada", why="T-1")).api_key)

    def test_a_revocation_beside_a_rotation_ends_the_key_at_once(self, functions: Functions) -> None:
        known = functions.operators.list_keys("acme")
        functions.operate(command="rotate_key", merchantId="acme", keyId=known[0].key_id, overlapHours=1)
        slower = replace(functions.operators.revoke_key, list_keys=lambda _merchant: known)
        slower("acme", known[0].key_id, OperatorAction(who="ada", why="T-1"))
        assert not allowed(functions, functions.api_key)

    def test_a_key_expires(self, functions: Functions) -> None:
        made = functions.operate(command="create_key", merchantId="acme", expiresInDays=1)
        assert allowed(functions, made["apiKey"])
        functions.clock.advance(24 * 3600)
        assert not allowed(functions, made["apiKey"])
        assert refused(functions.operate(command="rotate_key", merchantId="acme", keyId=made["keyId"])) == "key_ended"

    def test_only_the_hash_of_a_key_is_stored(self, functions: Functions) -> None:
        made = functions.operate(command="create_key", merchantId="acme")
        assert made["apiKey"] not in stored(functions)
        assert hash_api_key(made["apiKey"]) in stored(functions)

    def test_a_key_of_another_merchant_does_not_exist(self, functions: Functions) -> None:
        functions.operate(command="create_merchant", merchantId="other", name="Other")
        key_id = functions.operate(command="list_keys", merchantId="acme")["items"][0]["keyId"]
        assert refused(functions.operate(command="revoke_key", merchantId="other", keyId=key_id)) == "not_found"
        assert allowed(functions, functions.api_key)

    def test_changes_are_recorded_with_who_and_why(self, functions: Functions) -> None:
        functions.clock.advance(1)
        made = functions.operate(command="create_key", merchantId="acme", operator="ada", reason="TICKET-7")
        newest = records(functions)[0]
        assert newest["action"] == "key.created"
        assert (newest["operator"], newest["reason"]) == ("ada", "TICKET-7")
        assert newest["facts"] == {"keyId": made["keyId"]}

    @pytest.mark.parametrize("missing", ["operator", "reason"])
    def test_nothing_changes_without_who_and_why(self, functions: Functions, missing: str) -> None:
        before = stored(functions)
        from payflowx.entrypoints.operators import handler as operations

        command = {"command": "create_key", "merchantId": "acme", "operator": "ada", "reason": "T"}
        del command[missing]
        assert refused(operations.handler(command, Context())) == "command_invalid"
        assert stored(functions) == before


def allowed(functions: Functions, key: str) -> bool:
    try:
        answer = functions.authorize(f"Bearer {key}")
    except Exception:
        return False
    return answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"


class TestCredentials:
    def vault(self, functions: Functions, name: str = "payflowx/dev/accounts/acme/alpha/second") -> dict[str, Any]:
        text = functions.engine.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        return json.loads(text)

    @pytest.fixture(autouse=True)
    def _empty_vault(self, functions: Functions) -> Iterator[None]:
        yield
        client = functions.engine.client("secretsmanager")
        for secret in client.list_secrets()["SecretList"]:
            if secret["Name"].startswith("payflowx/"):
                client.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)

    def set(self, functions: Functions, **changes: Any) -> dict[str, Any]:
        fields = {
            "merchantId": "acme",
            "provider": "alpha",
            "accountId": "second",
            "endpoint": "https://gateway.test",
            "secret": SECRET,
        }
        return functions.operate(command="set_credentials", **{k: v for k, v in (fields | changes).items() if v})

    def test_an_account_is_added_with_its_secret_and_its_webhook_address(self, functions: Functions) -> None:
        answer = self.set(functions)
        assert answer["path"].startswith("/webhooks/alpha/")
        assert self.vault(functions) == SECRET
        accounts = functions.operate(command="show_merchant", merchantId="acme")["accounts"]
        assert ("alpha", "second") in {(a["provider"], a["accountId"]) for a in accounts}

    def test_the_secret_is_in_the_vault_and_nowhere_else(
        self, functions: Functions, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = [self.set(functions), self.set(functions, provider="nobody"), self.set(functions, surprise=1)]
        answers += [self.set(functions, secret={"keyId": "canary-id", "keySecret": 7})]
        text = json.dumps(answers) + stored(functions) + stored(functions, "transactions")
        captured = capsys.readouterr()
        assert "canary" not in text + captured.out + captured.err

    @pytest.mark.parametrize("text", ["canary\n", " canary", "canary ", "can\u2026ary", "\0", ""])
    @pytest.mark.parametrize("name", SECRET)
    def test_a_secret_that_no_request_can_carry_is_refused(self, functions: Functions, name: str, text: str) -> None:
        answer = self.set(functions, secret={**SECRET, name: text})
        assert refused(answer) == "command_invalid"
        assert "canary" not in json.dumps(answer)

    def test_of_two_new_accounts_at_once_the_second_is_counted_again(self, functions: Functions) -> None:
        """Both read the same number of accounts: their limit must hold."""
        directory = functions.operators.merchant_directory
        merchant = directory.merchant("acme")
        assert merchant is not None
        number, action = len(merchant.accounts) + 1, OperatorAction(who="ada", why="T-1")

        def add(name: str, number: int) -> bool:
            account = Account(
                provider="alpha", account_id=name, endpoint="https://a.test", secret_arn="arn:", webhook_token=name
            )
            entry = AuditEntry(action="account.added", at_ms=number, operator_action=action, facts={"accountId": name})
            return directory.put_account("acme", account, entry, number=number)

        assert add("one", number)
        assert not add("two", number)
        assert add("two", number + 1)
        assert not directory.put_account(
            "nobody",
            merchant.accounts[0],
            AuditEntry(action="account.added", at_ms=1, operator_action=action),
            number=1,
        )

    def test_an_account_that_is_new_needs_an_endpoint(self, functions: Functions) -> None:
        assert refused(self.set(functions, endpoint=None)) == "endpoint_needed"
        assert refused(self.set(functions, endpoint="ftp://gateway.test")) == "merchant_invalid"
        assert refused(self.set(functions, merchantId="nobody")) == "not_found"

    def test_set_again_leaves_nothing_of_before(self, functions: Functions) -> None:
        self.set(functions)
        assert self.set(functions, endpoint=None, secret={"keyId": "a", "keySecret": "b"})["ok"]
        assert self.vault(functions) == {"keyId": "a", "keySecret": "b"}
        assert refused(self.set(functions, endpoint="https://elsewhere.test")) == "endpoint_known"

    def test_during_a_rotation_both_secrets_verify_webhooks(self, functions: Functions) -> None:
        self.set(functions)
        names = {"merchantId": "acme", "provider": "alpha", "accountId": "second"}
        new = {"keyId": "new-id", "keySecret": "new-secret", "webhookSecret": "new-webhook"}
        assert functions.operate(command="rotate_credentials", secret=new, **names)["ok"]
        assert self.vault(functions) == {**new, "previous": SECRET}
        account = functions.operators.merchant_directory.merchant("acme").account("alpha", "second")
        assert functions.platform.secrets.webhook_secrets(account.secret_arn) == ("new-webhook", "canary-webhook")
        assert functions.platform.secrets.credentials(account.secret_arn).key_secret == "new-secret"
        again = functions.operate(command="rotate_credentials", secret=SECRET, **names)
        assert refused(again) == "rotation_open"
        assert functions.operate(command="rotate_credentials", secret=new, **names)["ok"]  # its answer was lost
        assert self.vault(functions) == {**new, "previous": SECRET}
        with pytest.raises(Refusal):  # two operators, both of whom saw no open rotation
            functions.operators.rotate_credentials.secrets.replace(
                account.secret_arn, AccountSecret(key_id="k", key_secret="s"), keep_previous=True
            )
        assert self.vault(functions) == {**new, "previous": SECRET}
        assert functions.operate(command="finish_credentials_rotation", **names)["ok"]
        assert self.vault(functions) == new
        assert refused(functions.operate(command="finish_credentials_rotation", **names)) == "no_rotation"

    def test_the_age_of_credentials_is_told_and_none_of_them(self, functions: Functions) -> None:
        self.set(functions)
        fresh, answer = self.age(functions)
        assert (fresh["isOld"], fresh["isRotating"], fresh["fault"]) == (False, False, None)
        assert "canary" not in json.dumps(answer)
        functions.clock.advance(20 * 366 * 24 * 3600)  # the engine's secrets have the machine's time
        assert self.age(functions)[0] == {**fresh, "isOld": True}
        names = {"merchantId": "acme", "provider": "alpha", "accountId": "second"}
        functions.operate(command="rotate_credentials", secret={"keyId": "k", "keySecret": "s"}, **names)
        assert self.age(functions)[0]["isRotating"] is True
        account = functions.operators.merchant_directory.merchant("acme").account("alpha", "second")
        functions.engine.client("secretsmanager").delete_secret(
            SecretId=account.secret_arn, ForceDeleteWithoutRecovery=True
        )
        gone = self.age(functions)[0]
        assert (gone["writtenAt"], gone["fault"]) == (None, "The account's secret does not exist.")
        assert refused(functions.operate(command="list_credentials", merchantId="nobody")) == "not_found"

    def age(self, functions: Functions) -> tuple[dict[str, Any], dict[str, Any]]:
        answer = functions.operate(command="list_credentials", merchantId="acme")
        return next(item for item in answer["items"] if item["accountId"] == "second"), answer

    def test_a_webhook_secret_that_is_not_named_survives_a_rotation(self, functions: Functions) -> None:
        self.set(functions)
        names = {"merchantId": "acme", "provider": "alpha", "accountId": "second"}
        functions.operate(command="rotate_credentials", secret={"keyId": "k", "keySecret": "s"}, **names)
        assert self.vault(functions)["webhookSecret"] == "canary-webhook"


class TestProviderStatus:
    def test_a_provider_that_is_switched_off_gets_no_new_payment(self, functions: Functions) -> None:
        assert functions.operate(command="set_provider_switch", provider="alpha", disabled=True)["ok"]
        functions.clock.advance(61)
        _, payment, _ = functions.pay()
        assert payment["provider"] == "beta"
        statuses = functions.operate(command="list_providers")["items"]
        assert {s["provider"] for s in statuses if s["disabledForEveryone"]} == {"alpha"}
        functions.operate(command="set_provider_switch", provider="alpha", disabled=False)
        functions.clock.advance(61)
        assert functions.pay("order-2")[1]["provider"] == "alpha"

    def test_an_account_that_is_not_well_is_listed_with_its_state(self, functions: Functions) -> None:
        store, now_ms = functions.wired(OperatorsWiring).account_health, functions.clock.now_ms()
        for number, changes in enumerate(
            (
                {"slow_until_ms": now_ms + 60_000},
                {"open_since_ms": now_ms, "trial_at_ms": now_ms + 60_000, "last_failure_ms": now_ms},
                {"open_since_ms": now_ms, "trial_at_ms": now_ms},
            )
        ):
            name = AccountName(merchant_id="acme", provider=("alpha", "beta", "gamma")[number], account_id="main")
            assert store.save(AccountHealth(name=name), AccountHealth(name=name, version=1, **changes))
        functions.clock.advance(16)
        listed = functions.operate(command="list_providers")
        (alpha,), (beta,), (gamma,) = (item["unwellAccounts"] for item in listed["items"])
        since = timestamp(now_ms)
        assert alpha == {
            "merchantId": "acme",
            "accountId": "main",
            "state": "slow",
            "since": None,
            "lastFailureAt": None,
        }
        assert (beta["state"], beta["since"], beta["lastFailureAt"]) == ("passed over", since, since)
        assert (gamma["state"], gamma["since"]) == ("trial", since)
        assert listed["unwellComplete"]

    def test_one_merchants_switch_is_its_own(self, functions: Functions) -> None:
        functions.operate(command="create_merchant", merchantId="other", name="Other")
        functions.operate(command="set_provider_switch", provider="alpha", merchantId="other", disabled=True)
        assert functions.operate(command="show_merchant", merchantId="other")["disabledProviders"] == ["alpha"]
        assert functions.operate(command="show_merchant", merchantId="acme")["disabledProviders"] == []

    def test_a_merchant_that_does_not_exist_has_no_switch_and_no_list(self, functions: Functions) -> None:
        switch = functions.operate(command="set_provider_switch", provider="alpha", merchantId="nobody", disabled=True)
        assert refused(switch) == "not_found"
        assert refused(functions.operate(command="list_providers", merchantId="nobody")) == "not_found"
        assert len(functions.operate(command="list_providers", merchantId="acme")["items"]) == 3

    def test_a_provider_that_does_not_exist_cannot_be_switched(self, functions: Functions) -> None:
        answer = functions.operate(command="set_provider_switch", provider="nobody", disabled=True)
        assert refused(answer) == "not_found"
        assert "alpha, beta, gamma" in answer["error"]["message"]


class TestWrongInput:
    @pytest.mark.parametrize(
        "command",
        [
            {"command": "create_merchant", "merchantId": "m1", "name": "\ud800"},
            {"command": "find_payments", "merchantId": "acme", "text": "\ud800"},
            {"command": "list_payments", "merchantId": "acme", "limit": "\ud800"},
            {"command": "set_approval_limits", "merchantId": "acme", "limits": {"\ud800": 1}},
        ],
        ids=str,
    )
    def test_a_text_that_is_no_utf8_is_refused_by_every_command(
        self, functions: Functions, command: dict[str, Any]
    ) -> None:
        assert refused(functions.operate(**command)) == "text_invalid"

    def test_an_address_that_cannot_be_read_is_refused(self, functions: Functions) -> None:
        account = {"provider": "alpha", "accountId": "second", "endpoint": "https://[", "secretArn": "arn:x"}
        answer = functions.operate(command="create_merchant", merchantId="m1", name="M1", accounts=[account])
        assert refused(answer) == "merchant_invalid"

    def test_a_position_that_no_answer_gave_is_refused(self, functions: Functions) -> None:
        answer = functions.operate(command="list_merchant_events", merchantId="acme", position="none")
        assert refused(answer) == "command_invalid"


class TestRouting:
    def test_a_document_is_published_and_rolled_back(self, functions: Functions, routing: str) -> None:
        two = json.dumps({**DOCUMENT, "version": "two"})
        assert functions.operate(command="publish_routing", document=two)["number"] == 2
        assert json.loads(functions.operate(command="show_routing")["document"])["version"] == "two"
        assert functions.operate(command="roll_back_routing")["number"] == 1
        assert json.loads(functions.operate(command="show_routing")["document"])["version"] == "one"
        assert {r["action"] for r in records(functions)} >= {"routing.published", "routing.rolled_back"}

    def test_a_roll_back_that_is_repeated_goes_no_further_back(self, functions: Functions, routing: str) -> None:
        """Its answer was lost, so the operator does not know whether it was done."""
        for version in ("two", "three"):
            functions.operate(command="publish_routing", document=json.dumps({**DOCUMENT, "version": version}))
        assert functions.operate(command="roll_back_routing")["number"] == 2
        again = functions.operate(command="roll_back_routing")
        assert refused(again) == "nothing_to_roll_back"
        assert "version 2 is served" in again["error"]["message"]
        assert functions.operate(command="show_routing")["number"] == 2
        (entry,) = [r for r in records(functions) if r["action"] == "routing.rolled_back"]
        assert entry["facts"] == {"from": 3, "to": 2}
        for _ in range(2):
            assert functions.operate(command="roll_back_routing", toVersion=1)["number"] == 1
        assert refused(functions.operate(command="roll_back_routing", toVersion=7)) == "nothing_to_roll_back"
        assert refused(functions.operate(command="roll_back_routing")) == "nothing_to_roll_back"
        assert len([r for r in records(functions) if r["action"] == "routing.rolled_back"]) == 2

    def test_a_document_is_rolled_back_while_it_bakes(self, functions: Functions, routing: str) -> None:
        strategy = functions.engine.client("appconfig").create_deployment_strategy(
            Name="baking",
            DeploymentDurationInMinutes=0,
            GrowthFactor=100,
            FinalBakeTimeInMinutes=10,
            ReplicateTo="NONE",
        )
        functions.deploy(ROUTING_STRATEGY=strategy["Id"])
        two = json.dumps({**DOCUMENT, "version": "two"})
        assert functions.operate(command="publish_routing", document=two)["number"] == 2
        assert functions.operate(command="show_routing")["state"] == "BAKING"
        assert functions.operate(command="roll_back_routing")["number"] == 1

    def test_a_complete_document_is_reverted_at_once_and_nothing_is_deployed_that_an_alarm_could_stop(
        self, functions: Functions, routing: str
    ) -> None:
        two = json.dumps({**DOCUMENT, "version": "two"})
        functions.operate(command="publish_routing", document=two)
        environment = functions.platform.environment["ROUTING_ENVIRONMENT"]
        assert functions.operate(command="roll_back_routing")["number"] == 1
        client = functions.engine.client("appconfig")
        deployments = client.list_deployments(ApplicationId=routing, EnvironmentId=environment)["Items"]
        assert sorted(d["State"] for d in deployments) == ["COMPLETE", "REVERTED"]

    def test_a_faulty_document_is_never_published(self, functions: Functions, routing: str) -> None:
        faulty = json.dumps({"version": "x", "rules": [{"name": "a", "when": {}, "use": {"providers": ["nobody"]}}]})
        answer = functions.operate(command="publish_routing", document=faulty)
        assert refused(answer) == "routing_invalid"
        assert "nobody is not a provider" in answer["error"]["message"]
        assert functions.operate(command="show_routing")["number"] == 1
        assert functions.operate(command="check_routing", document=faulty)["faults"]
        assert functions.operate(command="check_routing", document="no json")["faults"]

    def test_there_is_nothing_before_the_first_document(self, functions: Functions, routing: str) -> None:
        assert refused(functions.operate(command="roll_back_routing")) == "nothing_to_roll_back"
        assert [r for r in records(functions) if r["action"].startswith("routing.")] == []

    def test_a_document_that_is_published_beside_a_roll_out_is_refused_and_not_recorded(
        self, functions: Functions, routing: str
    ) -> None:
        strategy = functions.engine.client("appconfig").create_deployment_strategy(
            Name="slow", DeploymentDurationInMinutes=0, GrowthFactor=100, FinalBakeTimeInMinutes=10, ReplicateTo="NONE"
        )
        functions.deploy(ROUTING_STRATEGY=strategy["Id"])
        functions.operate(command="publish_routing", document=json.dumps({**DOCUMENT, "version": "two"}))
        three = json.dumps({**DOCUMENT, "version": "three"})
        assert refused(functions.operate(command="publish_routing", document=three)) == "routing_busy"
        published = [r["facts"]["document"] for r in records(functions) if r["action"] == "routing.published"]
        assert published == ["two"]

    def test_a_route_is_explained_by_what_is_served_or_by_a_draft(self, functions: Functions, routing: str) -> None:
        question = {"merchantId": "acme", "amount": 1999, "currency": "USD"}
        served = functions.operate(command="explain_route", **question)
        assert [p["provider"] for p in served["providers"]] == ["alpha", "beta"]
        draft = json.dumps({"version": "d", "rules": [{"name": "g", "when": {}, "use": {"providers": ["gamma"]}}]})
        drafted = functions.operate(command="explain_route", document=draft, **question)
        assert [p["provider"] for p in drafted["providers"]] == ["gamma"]
        assert (
            refused(functions.operate(command="explain_route", **{**question, "currency": "XXX"})) == "currency_invalid"
        )

    def test_what_is_in_effect_is_explained_even_if_a_newer_check_would_refuse_it(
        self, functions: Functions, routing: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publish_routing, "document_faults", lambda *_: ["an amount needs currencies"])
        question = {"merchantId": "acme", "amount": 1999, "currency": "USD"}
        assert functions.operate(command="explain_route", **question)["providers"]
        assert (
            refused(functions.operate(command="explain_route", document=json.dumps(DOCUMENT), **question))
            == "routing_invalid"
        )


class TestPayments:
    def test_a_payment_is_shown_without_what_people_entered(self, functions: Functions) -> None:
        _, payment, _ = functions.pay(
            customer={"name": "Ada Canary", "email": "canary@example.com"},
            description="canary",
            metadata={"warning": "canary"},
            paymentMethod={"type": "card", "token": "tok_canary"},
        )
        functions.work()
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        shown = functions.operate(command="show_payment", **names)
        assert (shown["status"], shown["money"]) == ("SUCCESS", "19.99 USD")
        listed = functions.operate(command="list_payments", merchantId="acme")
        audit_log = functions.operate(command="list_events", **names)
        assert [e["type"] for e in audit_log["items"]] == ["payment.accepted", "attempt.succeeded"]
        assert "anary" not in json.dumps([shown, listed, audit_log])

    def test_lists_have_a_status_and_pages(self, functions: Functions) -> None:
        for number in range(3):
            functions.pay(f"order-{number}")
        first = functions.operate(command="list_payments", merchantId="acme", status="PENDING", limit=2)
        rest = functions.operate(
            command="list_payments", merchantId="acme", status="PENDING", limit=2, position=first["nextPosition"]
        )
        assert (len(first["items"]), len(rest["items"])) == (2, 1)
        assert functions.operate(command="list_payments", merchantId="acme", status="FAILED")["items"] == []

    def test_a_review_is_closed_and_the_audit_log_stays_whole(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [Mismatch(code="reference_differs")]
        _, payment, _ = functions.pay()
        functions.work()
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        assert functions.operate(command="show_payment", **names)["status"] == "IN_REVIEW"
        closing = {"command": "close_review", "verdict": "charged", "evidence": "settlement 7", "reference": "ch_7"}
        assert functions.operate(**closing, **names)["status"] == "SUCCESS"
        assert functions.operate(command="verify_trail", **names)["whole"]
        assert refused(functions.operate(**closing, **names)) == "invalid_state"
        _, refund, _ = functions.call(
            "POST", f"/payments/{payment['transactionId']}/refunds", {"amount": 5}, headers={"Idempotency-Key": "r-1"}
        )
        assert refund["status"] == "PENDING"

    def test_what_is_unknown_is_looked_at_on_demand(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [Unknown(code="read_timeout")]
        _, payment, _ = functions.pay()
        functions.work()
        functions.messages()
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        assert functions.operate(command="resolve_payment", **names)["ok"]
        functions.work()
        assert functions.operate(command="show_payment", **names)["status"] == "SUCCESS"
        assert refused(functions.operate(command="resolve_payment", **names)) == "nothing_to_do"
        assert functions.operate(command="verify_trail", **names)["whole"]


class TestDeadLetters:
    def send(self, functions: Functions, body: str, queue: str = "JOBS_DEAD_LETTERS_URL") -> str:
        url = functions.platform.environment[queue]
        return functions.engine.client("sqs").send_message(QueueUrl=url, MessageBody=body)["MessageId"]

    def wake_up(self, functions: Functions, payment: dict[str, Any]) -> str:
        job = {"format": 1, "merchant_id": "acme", "transaction_id": payment["transactionId"]}
        return self.send(functions, json.dumps(job))

    def test_looking_leaves_everything_where_it_is(self, functions: Functions) -> None:
        for _ in range(12):
            self.send(functions, "garbage")
        for _ in range(2):
            looked = functions.operate(command="explain_dead_letters", queue="jobs", limit=50, withLog=False)
            assert len(looked["items"]) == 12
        depths = {d["queue"]: d["dead"] for d in functions.operate(command="count_dead_letters")["items"]}
        assert depths == {"jobs": 12} | dict.fromkeys(
            ("slow-jobs", "notices", "deliveries", "slow-deliveries", "runs"), 0
        )

    def test_a_replay_wakes_the_worker_and_removes_the_message(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.messages()  # the wake-up is lost
        self.wake_up(functions, payment)
        self.send(functions, "garbage")
        done = functions.operate(command="replay_dead_letters", queue="jobs")["items"]
        assert {(d["step"], d["sent"]) for d in done} == {("charge", True), ("keep", False)}
        functions.work()
        assert functions.providers.get("alpha").asked("charge") == 1
        assert functions.operate(command="replay_dead_letters", queue="jobs")["items"] == []

    def test_the_log_says_why_a_message_died(self, functions: Functions) -> None:
        message_id = self.send(functions, "garbage")
        logs = functions.engine.client("logs")
        logs.create_log_group(logGroupName="/worker")
        logs.create_log_stream(logGroupName="/worker", logStreamName="s")
        line = {"message": "message failed", "messageId": message_id, "exception": "Traceback\nValueError: no json"}
        event = {"timestamp": int(time.time() * 1000) + 1, "message": json.dumps(line)}
        logs.put_log_events(logGroupName="/worker", logStreamName="s", logEvents=[event, event])
        try:
            explained = functions.operate(command="explain_dead_letters", queue="jobs")["items"]
        finally:
            logs.delete_log_group(logGroupName="/worker")
        assert explained[0]["failures"] == ["ValueError: no json"]

    def test_without_a_log_the_rest_is_still_explained(self, functions: Functions) -> None:
        self.send(functions, "garbage")
        explained = functions.operate(command="explain_dead_letters", queue="jobs")["items"]
        assert (explained[0]["step"], explained[0]["failures"]) == ("keep", None)

    def test_a_purge_empties_the_queue(self, functions: Functions) -> None:
        self.send(functions, "garbage")
        assert functions.operate(command="purge_dead_letters", queue="jobs")["purged"]
        assert functions.operate(command="explain_dead_letters", queue="jobs", withLog=False)["items"] == []
        assert "dead_letters.purged" in {r["action"] for r in records(functions)}


class TestDoctor:
    def findings(self, functions: Functions) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for item in functions.operate(command="diagnose")["items"]:
            found.setdefault(item["check"], []).append(item)
        return found

    def test_it_says_what_is_wrong_in_words(self, functions: Functions, routing: str) -> None:
        TestDeadLetters().send(functions, "garbage")
        functions.operate(command="set_provider_switch", provider="gamma", disabled=True)
        functions.pay()
        functions.messages()
        functions.clock.advance(3600)
        found = self.findings(functions)
        assert "1 dead letter in jobs" in found["queues"][0]["words"]
        assert found["switches"][0]["advice"] == "payflowx providers enable gamma"
        assert "overdue" in found["recovery"][0]["words"]
        assert {f["health"] for f in found["merchants"]} == {"error"}  # the accounts' secrets do not exist
        assert found["routing"][0]["health"] == "ok"

    def test_what_cannot_be_checked_is_a_finding(self, functions: Functions, routing: str) -> None:
        functions.deploy(ROUTING_APPLICATION="gone")
        assert self.findings(functions)["routing"][0]["health"] == "error"


class TestCommandLine:
    """`payflowx` over the very handler."""

    def run(self, functions: Functions, *words: str, typed: str | None = None) -> Result:
        from payflowx.entrypoints.operators import handler as operations

        class Local(Target):
            def who(self) -> str:
                return "local:ada"

        target = Local(name="local", outputs={}, options={}, base_url="http://api", stack_prefix="Dev", merchant="acme")
        session = Session(
            find_target=lambda _name, _region: target,
            find_invoker=lambda _target, _function: (
                lambda command: operations.handler(json.loads(json.dumps(command)), Context())
            ),
        )
        return CliRunner().invoke(payflowx, list(words), obj=session, input=typed, catch_exceptions=False)

    def test_a_day_on_call(self, functions: Functions, routing: str) -> None:
        functions.providers.get("alpha").charges = [Mismatch(code="currency_differs")]
        _, payment, _ = functions.pay()
        functions.work()
        ident = payment["transactionId"]
        assert ident in self.run(functions, "review", "list").stdout
        assert "mismatch" in self.run(functions, "payments", "show", ident).stdout
        why = ("--evidence", "refunded there, case 7", "--reason", "TICKET-1", "--yes")
        assert self.run(functions, "review", "close", ident, "--charged", *why).exit_code == 4
        closed = self.run(functions, "review", "close", ident, "--not-charged", *why)
        assert closed.stdout.endswith(f"\n{ident} is FAILED.\n")
        assert self.run(functions, "review", "list").stdout == "Nothing waits for a person.\n"
        events = self.run(functions, "payments", "events", ident).stdout
        assert "operator=local:ada, reason=TICKET-1, identity=claimed, evidence=refunded there, case 7" in events
        assert self.run(functions, "payments", "verify", ident).exit_code == 0

    def test_every_command_that_the_command_line_sends_is_one_that_the_function_knows(self) -> None:
        import re
        from pathlib import Path

        from payflowx.entrypoints.operators.commands import reconciliation
        from payflowx.entrypoints.operators.commands.registry import RUNNERS

        known = {command.__struct_config__.tag for command in (*RUNNERS, *reconciliation.COMMANDS)}
        ops = Path(__file__).resolve().parents[2] / "ops"
        sources = (*(ops / "commands").glob("*.py"), *(ops / "restore").glob("*.py"))
        sent = {
            name
            for path in sources
            for name in re.findall(r"session\.(?:ask|change|pages)\(\s*\"(\w+)\"", path.read_text())
        }
        assert sent == known


class TestDisputes:
    def test_a_recorded_dispute_is_listed_with_its_deadline_until_that_is_over(self, functions: Functions) -> None:
        _, paid, _ = functions.pay()
        functions.work()
        wired = functions.wired(ProviderEventsWiring)
        payment = wired.payments.get("acme", paid["transactionId"])
        assert payment is not None
        now_ms = functions.clock.now_ms()
        report = DisputeReport(
            reference="dp_1",
            state=DisputeState.OPEN,
            amount=500,
            currency="USD",
            reason="fraudulent",
            reported_at_ms=now_ms,
            evidence_due_at_ms=now_ms + 3_600_000,
        )
        context = ChangeContext(now_ms=now_ms, actor="webhook", policy=wired.policy)
        change = record_dispute(payment, "alpha", report, context)
        assert isinstance(change, Change)
        assert wired.outcome_writer.commit(change) is not None
        (listed,) = functions.operate(command="list_disputes", merchantId="acme")["items"]
        assert (listed["transactionId"], listed["providerRef"]) == (paid["transactionId"], "dp_1")
        assert 0 < listed["secondsLeft"] <= 3_600
        shown = functions.call("GET", f"/payments/{paid['transactionId']}")[1]["disputes"]
        assert [(d["state"], d["amount"], d["isSigned"]) for d in shown] == [("OPEN", 500, True)]
        functions.clock.advance(3_700)
        assert functions.operate(command="list_disputes", merchantId="acme")["items"] == []


class TestReviewsOfOperations:
    def test_a_refund_in_review_is_listed_and_closed(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.work()
        functions.providers.get("alpha").moves = [Mismatch(code="reference_differs")]
        path = f"/payments/{payment['transactionId']}/refunds"
        _, refund, _ = functions.call("POST", path, {"amount": 500}, headers={"Idempotency-Key": "r-1"})
        functions.work()
        listed = functions.operate(command="list_reviews", merchantId="acme")["items"]
        assert [(r["operationId"], r["reason"], r["money"]) for r in listed] == [
            (refund["operationId"], "mismatch", "5.00 USD")
        ]
        closing = {"merchantId": "acme", "operationId": refund["operationId"], "evidence": "returned by the bank"}
        closed = functions.operate(command="close_operation_review", verdict="not_charged", **closing)
        assert closed["status"] == "FAILED"
        names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
        shown = functions.operate(command="show_payment", **names)
        assert (shown["refunded"], shown["refundable"]) == (0, 1999)
        assert functions.operate(command="verify_trail", **names)["whole"]
        assert functions.operate(command="list_reviews", merchantId="acme")["items"] == []

    def test_what_release_020_put_in_review_is_listed_after_a_reindex(self, functions: Functions) -> None:
        _, payment, _ = functions.pay()
        functions.work()
        functions.providers.get("alpha").moves = [Mismatch(code="reference_differs")]
        path = f"/payments/{payment['transactionId']}/refunds"
        _, refund, _ = functions.call("POST", path, {"amount": 500}, headers={"Idempotency-Key": "r-1"})
        functions.work()
        self.as_release_020_left_it(functions, payment["transactionId"], refund["operationId"])
        assert functions.operate(command="list_reviews", merchantId="acme") == {
            "ok": True,
            "items": [],
            "nextPosition": None,
            "complete": False,
        }
        assert self.reindex(functions) == (1, 1)
        listed = functions.operate(command="list_reviews", merchantId="acme")
        assert [r["operationId"] for r in listed["items"]] == [refund["operationId"]]
        assert listed["complete"] is True
        assert self.reindex(functions) == (1, 0)
        assert "reviews.reindexed" in {record["action"] for record in records(functions)}

    @staticmethod
    def reindex(functions: Functions) -> tuple[int, int]:
        """Walk to the end: payments, and reviews that were added."""
        payments = added = 0
        position: str | None = None
        while True:
            continued = {"position": position} if position else {}
            page = functions.operate(command="reindex_reviews", merchantId="acme", **continued)
            payments, added, position = payments + page["payments"], added + page["added"], page["nextPosition"]
            if position is None:
                return payments, added

    @staticmethod
    def as_release_020_left_it(functions: Functions, transaction_id: str, operation_id: str) -> None:
        """Without the index's keys on the item and the mark on the merchant."""
        client = functions.engine.client("dynamodb")
        client.update_item(
            TableName="transactions",
            Key={"pk": {"S": f"M#acme#P#{transaction_id}"}, "sk": {"S": f"OP#{operation_id}"}},
            UpdateExpression="REMOVE reviewsOf, reviewSort",
        )
        client.update_item(
            TableName="configuration",
            Key={"pk": {"S": "M#acme"}, "sk": {"S": "MERCHANT"}},
            UpdateExpression="REMOVE reviewsIndexedAt",
        )

    def test_reviews_of_an_unknown_merchant_are_not_found(self, functions: Functions) -> None:
        assert refused(functions.operate(command="list_reviews", merchantId="nobody")) == "not_found"
        assert refused(functions.operate(command="reindex_reviews", merchantId="nobody")) == "not_found"

    def test_what_does_not_exist_cannot_be_closed(self, functions: Functions) -> None:
        closing = {"merchantId": "acme", "operationId": "ref_aaaaaaaaaaaaaaaa", "evidence": "x", "verdict": "charged"}
        assert refused(functions.operate(command="close_operation_review", **closing)) == "not_found"
