"""The small adapters: caches, secrets, routing rules, jobs, cursors, logs."""

import io
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import example, given
from hypothesis import strategies as st

from payflowx.adapters.appconfig.reader import AppConfigRules
from payflowx.adapters.platform.clock import SystemRandomness
from payflowx.adapters.platform.cursors import Cursors
from payflowx.adapters.platform.secrets_manager import SecretsManagerSecrets, secrets_of
from payflowx.adapters.platform.signing_secret import SecretsManagerSigningSecret
from payflowx.adapters.platform.telemetry import PowertoolsTelemetry, redacted_line, redacting_formatter
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.adapters.sqs.messages import JOBS
from payflowx.adapters.sqs.queue import Queue
from payflowx.domain.checkout.signing_secret import SecretVersion
from payflowx.domain.merchants.api_keys import compose_api_key
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.errors import ConfigurationError, Refusal, StorageUnavailableError, UnreadableMessageError
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.transport import Credentials
from tests.support.memory import ManualClock, cache_of

DOWN = EndpointConnectionError(endpoint_url="https://aws.test")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "x")
NO_SUCH_VERSION = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, "x")
DOCUMENT = b'{"version": "%s", "rules": [{"name": "rest", "when": {}, "use": {"providers": ["mock"]}}]}'


@dataclass
class FakeClient:
    """Answers any call in order; an exception is raised."""

    answers: list[Any]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append((name, request))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


START = {"InitialConfigurationToken": "t1"}


def secret(text: str) -> dict[str, str]:
    return {"SecretString": text}


class TestCache:
    def test_it_forgets_in_time_and_remembers_no_failure(self) -> None:
        clock, values = ManualClock(), iter(["a", "b"])
        cache: TtlCache[str] = cache_of(clock)(60_000)
        with pytest.raises(ZeroDivisionError):
            cache.get("k", lambda: str(1 // 0))
        assert [cache.get("k", lambda: next(values)) for _ in range(3)] == ["a"] * 3
        clock.advance(60)
        assert cache.get("k", lambda: next(values)) == "b"

    def test_it_is_bounded(self) -> None:
        cache: TtlCache[int] = cache_of(ManualClock())(60_000)
        for number in range(3_000):
            cache.get(str(number), partial(int, number))
        assert len(cache._entries) == 1_000

    def test_a_full_cache_gives_up_its_oldest_value_only(self) -> None:
        cache: TtlCache[int] = cache_of(ManualClock())(60_000)
        for number in range(1_001):
            cache.get(str(number), partial(int, number))
        for number in range(1, 1_001):
            assert cache.get(str(number), lambda: -1) == number
        assert cache.get("0", lambda: -1) == -1


class TestOneLoader:
    """Ten threads of a cold batch ask at the same time."""

    def ask(self, load: Callable[[], str], threads: int = 10) -> list[Any]:
        cache: TtlCache[str] = TtlCache(60_000, ManualClock().now_ms, time.sleep)
        barrier = threading.Barrier(threads)

        def one(_number: int) -> Any:
            barrier.wait()
            try:
                return cache.get("k", load)
            except StorageUnavailableError as error:
                return error

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, range(threads)))

    def test_one_loads_and_the_others_wait_for_its_value(self) -> None:
        loads: list[int] = []

        def load() -> str:
            loads.append(1)
            time.sleep(0.1)
            return "value"

        assert self.ask(load) == ["value"] * 10
        assert len(loads) == 1

    def test_its_failure_is_the_failure_of_those_who_wait(self) -> None:
        loads: list[int] = []

        def load() -> str:
            loads.append(1)
            time.sleep(0.1)
            raise StorageUnavailableError("down")

        assert [type(answer) for answer in self.ask(load)] == [StorageUnavailableError] * 10
        assert len(loads) == 1

    def test_another_key_does_not_wait(self) -> None:
        clock = ManualClock()
        cache: TtlCache[str] = TtlCache(60_000, clock.now_ms, lambda _seconds: pytest.fail("it waits"))
        assert cache.get("a", lambda: cache.get("b", lambda: "inner")) == "inner"

    def test_who_waits_for_a_loader_that_hangs_loads_after_a_bounded_time(self) -> None:
        waits: list[float] = []
        cache: TtlCache[str] = TtlCache(60_000, ManualClock().now_ms, waits.append)
        assert cache.get("k", lambda: cache.get("k", lambda: "inner") + " and outer") == "inner and outer"
        assert 1 <= sum(waits) <= 5


class TestSecrets:
    def secrets(self, *answers: Any) -> tuple[SecretsManagerSecrets, FakeClient, ManualClock]:
        client, clock = FakeClient(list(answers)), ManualClock()
        return secrets_of(client, cache_of(clock)), client, clock

    def test_a_rotated_secret_is_used_after_five_minutes(self) -> None:
        secrets, client, clock = self.secrets(
            secret('{"keyId":"a","keySecret":"1"}'), secret('{"keyId":"a","keySecret":"2"}')
        )
        assert secrets.credentials("arn").key_secret == "1"
        clock.advance(299)
        assert secrets.credentials("arn").key_secret == "1"
        clock.advance(2)
        assert secrets.credentials("arn").key_secret == "2"
        assert len(client.calls) == 2

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"keyId":"canary"}', "canary"])
    def test_a_secret_that_is_none_is_not_shown(self, text: str) -> None:
        secrets, _, _ = self.secrets(secret(text))
        with pytest.raises(StorageUnavailableError) as failed:
            secrets.credentials("arn")
        assert "canary" not in str(failed.value)
        assert failed.value.__cause__ is None

    @pytest.mark.parametrize("value", [None, True, 1.5, {}, ["a"], "", "canary\n", "can\rary", "can\u2026ry", "a\0b"])
    @pytest.mark.parametrize("name", ["keyId", "keySecret"])
    def test_credentials_that_cannot_be_sent_are_not_read(self, name: str, value: Any) -> None:
        """No request could leave with them in a header: that is known before, and not an unknown outcome after."""
        secrets, _, _ = self.secrets(secret(json.dumps({"keyId": "a", "keySecret": "b", name: value})))
        with pytest.raises(StorageUnavailableError) as failed:
            secrets.credentials("arn")
        assert "can" not in str(failed.value).replace("cannot", "")
        assert failed.value.__cause__ is None

    @pytest.mark.parametrize("value", [None, True, 1.5, {}, ["a"], ""])
    @pytest.mark.parametrize("fields", [{"keySecret": ...}, {"keySecret": "b", "webhookSecret": ...}])
    def test_only_a_text_verifies_webhooks(self, fields: dict[str, Any], value: Any) -> None:
        """The words None and True would be secrets that everybody knows. An empty webhook secret is none."""
        secrets, _, _ = self.secrets(secret(json.dumps({"keyId": "a", **fields}, default=lambda _: value)))
        if "webhookSecret" in fields and value in (None, ""):
            assert secrets.webhook_secrets("arn") == ("b",)
            return
        with pytest.raises(StorageUnavailableError):
            secrets.webhook_secrets("arn")

    @pytest.mark.parametrize("value", [None, 5, True, ["a"], "", {}, {"keySecret": None}, {"keySecret": True}])
    def test_a_secret_of_before_that_is_none_does_not_stop_the_current_one(self, value: Any) -> None:
        secrets, _, _ = self.secrets(secret(json.dumps({"keyId": "a", "keySecret": "b", "previous": value})))
        assert secrets.webhook_secrets("arn") == ("b",)

    def test_a_number_without_quotes_is_its_digits(self) -> None:
        text = '{"keyId": 12, "keySecret": 345, "previous": {"keySecret": 6}}'
        secrets, _, _ = self.secrets(secret(text))
        assert secrets.credentials("arn") == Credentials(key_id="12", key_secret="345")
        assert secrets.webhook_secrets("arn") == ("345", "6")

    def test_credentials_hold_every_printable_character(self) -> None:
        text = "".join(map(chr, range(0x20, 0x7F))) + " "
        secrets, _, _ = self.secrets(secret(json.dumps({"keyId": "a b", "keySecret": text})))
        assert secrets.credentials("arn") == Credentials(key_id="a b", key_secret=text)

    @pytest.mark.parametrize("error", [DOWN, THROTTLED])
    def test_a_service_that_is_down(self, error: Exception) -> None:
        secrets, _, _ = self.secrets(error)
        with pytest.raises(StorageUnavailableError):
            secrets.credentials("arn")


class TestSigningKeys:
    """The text of the first one signs, and all of them verify."""

    def keys(self, clock: ManualClock, *answers: Any) -> tuple[SecretsManagerSecrets, FakeClient]:
        client = FakeClient(list(answers))
        return secrets_of(client, cache_of(clock)), client

    @staticmethod
    def version(text: str, created_at_ms: int) -> dict[str, Any]:
        return {"SecretString": text, "CreatedDate": datetime.fromtimestamp(created_at_ms / 1000, tz=UTC)}

    def test_a_secret_that_was_never_rotated_has_one(self) -> None:
        clock = ManualClock()
        secrets, client = self.keys(clock, self.version("a", clock.now_ms()), NO_SUCH_VERSION)
        assert [secrets.signing_keys("arn") for _ in range(3)] == [("a",)] * 3
        assert [request["VersionStage"] for _, request in client.calls] == ["AWSCURRENT", "AWSPREVIOUS"]

    def test_a_new_version_signs_after_every_instance_must_have_read_it(self) -> None:
        clock = ManualClock()
        rotated_at_ms = clock.now_ms()
        new, old = self.version("new", rotated_at_ms), self.version("old", 0)
        secrets, _ = self.keys(clock, new, old, new, old, new, old)
        assert secrets.signing_keys("arn") == ("old", "new")
        clock.advance(599)
        assert secrets.signing_keys("arn") == ("old", "new")
        clock.advance(300)
        assert secrets.signing_keys("arn") == ("new", "old")

    @pytest.mark.parametrize("answers", [[DOWN], [THROTTLED], [True, DOWN], [True, THROTTLED], [{}]])
    def test_a_service_that_is_down(self, answers: list[Any]) -> None:
        """Without the version of before, addresses that it signed would be called unknown."""
        clock = ManualClock()
        found = [self.version("a", clock.now_ms()) if answer is True else answer for answer in answers]
        secrets, _ = self.keys(clock, *found, NO_SUCH_VERSION)
        with pytest.raises(StorageUnavailableError):
            secrets.signing_keys("arn")


class TestRotation:
    """The secret of checkout addresses, replaced without its text being read."""

    def secret(self, *answers: Any) -> tuple[SecretsManagerSigningSecret, FakeClient]:
        client = FakeClient(list(answers))
        return SecretsManagerSigningSecret(client=client, arn="arn"), client

    def test_the_current_version_is_found_among_all(self) -> None:
        at = datetime.fromtimestamp(1_700_000_000, tz=UTC)
        versions = [
            {"VersionId": "old", "CreatedDate": at, "VersionStages": ["AWSPREVIOUS"]},
            {"VersionId": "older", "CreatedDate": at},
            {"VersionId": "new", "CreatedDate": at, "VersionStages": ["AWSCURRENT"]},
        ]
        found, _ = self.secret({"Versions": versions})
        assert found.current() == SecretVersion(version_id="new", created_at_ms=1_700_000_000_000)

    def test_two_rotations_of_one_version_ask_for_the_same_new_one(self) -> None:
        version = SecretVersion(version_id="v", created_at_ms=0)
        taken = ClientError({"Error": {"Code": "ResourceExistsException", "Message": "other text"}}, "x")
        found, client = self.secret({}, taken)
        assert [found.replace(version, "a"), found.replace(version, "b")] == [True, False]
        tokens = {request["ClientRequestToken"] for _, request in client.calls}
        assert [len(token) for token in tokens] == [64]

    @pytest.mark.parametrize("answer", [DOWN, THROTTLED, {"Versions": []}])
    def test_a_service_that_is_down(self, answer: Any) -> None:
        found, _ = self.secret(answer)
        with pytest.raises(StorageUnavailableError):
            found.current()


class TestRules:
    def rules(self, *answers: Any) -> tuple[AppConfigRules, FakeClient, ManualClock]:
        client, clock = FakeClient(list(answers)), ManualClock()
        return AppConfigRules(client=client, application="a", environment="e", profile="p", clock=clock), client, clock

    @staticmethod
    def answer(data: bytes, token: str = "t2") -> dict[str, Any]:
        return {"NextPollConfigurationToken": token, "Configuration": io.BytesIO(data)}

    def test_it_asks_once_a_minute_and_keeps_what_did_not_change(self) -> None:
        rules, client, clock = self.rules(
            START, self.answer(DOCUMENT % b"1"), self.answer(b""), self.answer(DOCUMENT % b"2")
        )
        assert [rules.current().version for _ in range(3)] == ["1"] * 3
        clock.advance(60)
        assert rules.current().version == "1"
        clock.advance(60)
        assert rules.current().version == "2"
        assert [call for call, _ in client.calls] == ["start_configuration_session"] + ["get_latest_configuration"] * 3

    @pytest.mark.parametrize("error", [DOWN, THROTTLED])
    def test_the_last_document_stays_while_nobody_answers(self, error: Exception) -> None:
        rules, _, clock = self.rules(START, self.answer(DOCUMENT % b"1"), error, START, self.answer(DOCUMENT % b"2"))
        rules.current()
        clock.advance(60)
        assert rules.current().version == "1"
        clock.advance(60)
        assert rules.current().version == "2"

    def test_a_wrong_document_does_not_replace_a_good_one(self) -> None:
        rules, _, clock = self.rules(START, self.answer(DOCUMENT % b"1"), self.answer(b"{}"))
        rules.current()
        clock.advance(60)
        assert rules.current().version == "1"

    def test_without_any_document_there_is_no_routing(self) -> None:
        with pytest.raises(StorageUnavailableError):
            self.rules(DOWN)[0].current()
        with pytest.raises(ConfigurationError):
            self.rules(START, self.answer(b"{}"))[0].current()


class TestJobs:
    JOB = Job(
        merchant_id="acme", transaction_id="pay_x", version=1, provider="mock", account_id="main", request_hash="h"
    )

    def test_there_and_back(self) -> None:
        assert JOBS.decode(JOBS.encode(self.JOB, None)) == self.JOB
        bare = Job(merchant_id="acme", transaction_id="pay_x")
        assert JOBS.decode(JOBS.encode(bare, None)) == bare

    def test_a_later_versions_hints_are_ignored(self) -> None:
        body = json.dumps({**json.loads(JOBS.encode(self.JOB, None)), "new_hint": 1})
        assert JOBS.decode(body) == self.JOB

    @given(
        st.text(max_size=40)
        | st.dictionaries(
            st.sampled_from(["format", "merchant_id", "transaction_id", "version"]),
            st.none() | st.integers() | st.text(max_size=3),
        ).map(json.dumps)
    )
    def test_garbage_is_refused_and_nothing_else_happens(self, body: str) -> None:
        try:
            job = JOBS.decode(body)
        except UnreadableMessageError:
            return
        assert job.merchant_id
        assert job.transaction_id

    @pytest.mark.parametrize("error", [DOWN, THROTTLED])
    def test_a_queue_that_is_down(self, error: Exception) -> None:
        with pytest.raises(StorageUnavailableError):
            Queue(client=FakeClient([error]), url="u", codec=JOBS).send(self.JOB)

    def test_the_merchant_is_the_group(self) -> None:
        client = FakeClient([{}])
        Queue(client=client, url="u", codec=JOBS).send(self.JOB, delay_seconds=7)
        _, request = client.calls[0]
        assert (request["MessageGroupId"], request["DelaySeconds"]) == ("acme", 7)

    def many(self, count: int) -> list[Job]:
        return [replace(self.JOB, transaction_id=f"pay_{number}") for number in range(count)]

    def test_many_are_sent_by_tens(self) -> None:
        client = FakeClient([{}, {}, {}])
        assert Queue(client=client, url="u", codec=JOBS).send_all(self.many(21)) == []
        assert [len(request["Entries"]) for _, request in client.calls] == [10, 10, 1]
        first = client.calls[0][1]["Entries"][0]
        assert (JOBS.decode(first["MessageBody"]).transaction_id, first["MessageGroupId"]) == ("pay_0", "acme")

    def test_the_refused_ones_of_a_batch_are_sent_once_more(self) -> None:
        client = FakeClient([{"Failed": [{"Id": "3"}, {"Id": "7"}]}, {"Failed": [{"Id": "1"}]}, {}])
        jobs = self.many(11)
        assert Queue(client=client, url="u", codec=JOBS).send_all(jobs) == [jobs[7]]
        assert [len(request["Entries"]) for _, request in client.calls] == [10, 2, 1]

    @pytest.mark.parametrize("error", [DOWN, THROTTLED])
    def test_a_batch_that_fails_ends_the_sending(self, error: Exception) -> None:
        client = FakeClient([{"Failed": [{"Id": "3"}]}, {"Failed": [{"Id": "0"}]}, error])
        jobs = self.many(30)
        assert Queue(client=client, url="u", codec=JOBS).send_all(jobs) == [jobs[3], *jobs[10:]]

    def test_the_length_of_a_queue(self) -> None:
        client = FakeClient([{"Attributes": {"ApproximateNumberOfMessages": "12"}}, DOWN])
        queue = Queue(client=client, url="u", codec=JOBS)
        assert queue.waiting() == 12
        with pytest.raises(StorageUnavailableError):
            queue.waiting()


class TestCursors:
    @given(st.text(max_size=50), st.text(max_size=20))
    def test_there_and_back(self, position: str, scope: str) -> None:
        cursors = Cursors(lambda: "key")
        assert cursors.open(cursors.sign(position, scope), scope) == position

    @given(st.text(max_size=60))
    def test_nobody_makes_one_up(self, cursor: str) -> None:
        with pytest.raises(Refusal):
            Cursors(lambda: "key").open(cursor, "scope")

    def test_another_key_or_scope_opens_nothing(self) -> None:
        cursor = Cursors(lambda: "key").sign("p", "scope")
        for key, scope in (("other", "scope"), ("key", "other")):
            with pytest.raises(Refusal):
                Cursors(partial(str, key)).open(cursor, scope)


class TestLogs:
    KEY = compose_api_key("live", "a" * 32)

    @pytest.mark.parametrize(
        "text", [KEY, "4111 1111 1111 1111", "Bearer abcdefgh1234", "Basic YWJjZDplZmdo", "tok_secret"]
    )
    def test_what_must_not_be_said_is_removed_wherever_it_comes_from(self, text: str) -> None:
        stream = io.StringIO()
        service = f"redaction-{len(text)}-{text[0]}"  # Powertools keeps a logger a service for the process's life
        logger = Logger(service=service, stream=stream, logger_formatter=redacting_formatter())
        telemetry = PowertoolsTelemetry(logger, "PayFlowX", "dev")
        telemetry.info(f"said {text}", fact=text)
        try:
            raise RuntimeError(text)
        except RuntimeError:
            logger.exception("failed")
        said = stream.getvalue()
        assert text not in said
        assert "removed]" in said
        assert all(json.loads(line) for line in said.strip().splitlines())

    @given(st.dictionaries(st.text(max_size=5), st.integers() | st.floats() | st.text(max_size=30), max_size=4))
    @example({"": 3403427892279920})
    def test_a_redacted_line_is_still_json(self, facts: dict[str, Any]) -> None:
        json.loads(redacted_line(facts))

    @pytest.mark.parametrize(
        "value",
        [4111111111111111, ["4111 1111 1111 1111"], {"4111111111111111": 1}, {"a": ({"b": "4111111111111111"},)}],
    )
    def test_a_card_number_is_removed_at_any_depth(self, value: Any) -> None:
        assert "4111" not in redacted_line({"fact": value})
        assert "removed]" in redacted_line({"fact": value})

    @pytest.mark.parametrize(
        "text",
        [
            "61502dee-3518-4376-8241-0ad1f6da7a63",
            "request b416da5b-1ea5-4600-9172-01545c79ed2e accepted",
            "1-5759e988-4111111111111111e1be46a9",
        ],
    )
    def test_ids_of_requests_and_traces_stay_searchable(self, text: str) -> None:
        assert json.loads(redacted_line({"fact": text}))["fact"] == text

    def test_an_object_that_json_does_not_know_is_redacted_too(self) -> None:
        assert "4111" not in redacted_line({"fact": RuntimeError("4111111111111111")})

    def test_metrics_are_emf_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry = PowertoolsTelemetry(Logger(service="worker", stream=io.StringIO()), "PayFlowX", "dev")
        telemetry.count(Metric.ATTEMPT_OUTCOMES, provider="mock", outcome="SUCCEEDED")
        line = json.loads(capsys.readouterr().out)
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "PayFlowX"
        assert (line["environment"], line["provider"], line["AttemptOutcomes"]) == ("dev", "mock", [1.0])
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["environment", "provider", "outcome"]]
        assert "function" not in line, "its log group names it"


class TestSystem:
    def test_no_two_owners_and_no_two_secrets(self) -> None:
        randomness = SystemRandomness()
        assert len({randomness.owner() for _ in range(100)}) == 100
        assert len({randomness.secret_text(32) for _ in range(100)}) == 100
        assert all(0 <= randomness.jitter() < 1 for _ in range(100))
