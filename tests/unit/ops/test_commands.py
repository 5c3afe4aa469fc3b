"""What an operator types, what is asked, and what is shown."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli import payflowx
from ops.commands import dlq, doctor
from ops.errors import Exit
from ops.session import Session
from ops.target import Target

PAYMENT = "pay_aaaaaaaaaaaaaaaa"
WHY = ("--reason", "TICKET-1")


class FakeFunction:
    """Answers as the operations function would, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"show_merchant": {"accounts": []}} | answers
        self.asked: list[dict[str, Any]] = []

    def __call__(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(json.loads(json.dumps(command)))
        answer = self.answers[command["command"]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        return {"ok": True, **answer} if "error" not in answer else {"ok": False, **answer}


class LocalTarget(Target):
    def who(self) -> str:
        return "local:ada"


def local(**changes: Any) -> Target:
    fields = {
        "name": "local",
        "outputs": {},
        "options": {},
        "base_url": "http://127.0.0.1:3000",
        "stack_prefix": "Dev",
        "merchant": "demo",
    }
    return LocalTarget(**(fields | changes))


Run = Callable[..., Result]


def runner_of(function: FakeFunction, target: Target | None = None) -> Run:
    def run(*words: str, typed: str | None = None) -> Result:
        session = Session(
            find_target=lambda name, _region: target or local(name=name),
            find_invoker=lambda _target, _function: function,
        )
        return CliRunner().invoke(payflowx, list(words), obj=session, input=typed)

    return run


def asked_by(answers: dict[str, Any], *words: str) -> dict[str, Any]:
    function = FakeFunction(**answers)
    result = runner_of(function)(*words)
    assert result.exit_code == 0, result.output
    return function.asked[-1]


def payment(**changes: Any) -> dict[str, Any]:
    shown = {
        "merchantId": "demo",
        "transactionId": PAYMENT,
        "status": "IN_REVIEW",
        "money": "19.99 USD",
        "provider": "mock",
        "capturable": 0,
        "captured": 0,
        "refundable": 0,
        "refunded": 0,
        "routing": {"reasons": ["rule default: it has no conditions"]},
        "lastError": {"code": "outcome_unknown", "message": "A person has to look.", "attempt": 1},
        "cancelRequested": False,
        "attempts": [{"number": 1, "provider": "mock", "state": "UNKNOWN", "providerKey": "pfx-a-1"}],
        "operations": [],
        "dueAt": None,
        "leaseUntil": None,
        "createdAt": "2026-11-01T00:00:00.000Z",
        "updatedAt": "2026-11-02T00:00:00.000Z",
    }
    return shown | changes


def shown_review(**changes: Any) -> dict[str, Any]:
    amounts = {"capturable": 0, "captured": 100, "refundable": 40, "refunded": 0, "reserved": 60, "excess": 0}
    ours = {"operationStatus": "IN_REVIEW", "held": "reserved", "paymentStatus": "IN_REVIEW", **amounts}
    booked = {"operationStatus": "SUCCEEDED", "held": "booked", "paymentStatus": "SUCCESS", "refunded": 61}
    back = {"operationStatus": "FAILED", "held": "given_back", "paymentStatus": "FAILED", "refundable": 102}
    shown = {
        "currency": "USD",
        "requested": 60,
        "reason": "mismatch",
        "ours": ours,
        "theirs": {"provider": "mock", "providerKey": "pfx-a-1", "reportedAmount": 59},
        "verdicts": {"charged": ours | booked, "not_charged": ours | back},
    }
    return shown | changes


# -- every command


def leaves() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in payflowx.commands.items():
        inner = getattr(command, "commands", None)
        found += [(name, leaf) for leaf in inner] if inner else [(name,)]
    return found


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_explains_itself_and_needs_no_stage_for_that(words: tuple[str, ...]) -> None:
    def nowhere(_name: str, _region: str | None) -> Target:
        raise AssertionError("help must not look for a target")

    result = CliRunner().invoke(payflowx, [*words, "--help"], obj=Session(find_target=nowhere))
    assert result.exit_code == 0
    assert "--json" in result.output
    assert "--env" in result.output


CHANGES = [
    ("merchants", "create"),
    ("merchants", "set-checkout"),
    ("checkout", "rotate-secret"),
    ("merchants", "set-orders"),
    ("merchants", "set-approvals"),
    ("approvals", "approve"),
    ("approvals", "withdraw"),
    ("keys", "create"),
    ("keys", "rotate"),
    ("keys", "revoke"),
    ("credentials", "set"),
    ("credentials", "rotate"),
    ("providers", "disable"),
    ("providers", "enable"),
    ("restore", "run"),
    ("routing", "publish"),
    ("routing", "rollback"),
    ("versions", "rollback"),
    ("payments", "resolve"),
    ("payments", "erase"),
    ("review", "close"),
    ("review", "reindex"),
    ("deliveries", "redeliver"),
    ("dlq", "replay"),
    ("dlq", "purge"),
    ("reconcile",),
    ("payments", "read-refunds"),
    ("payments", "record-refund"),
    ("payments", "record-extra-refund"),
    ("payments", "personal-data"),
]


def test_exactly_the_changes_need_a_reason() -> None:
    needing = {
        words
        for words in leaves()
        if any(
            param.name == "reason" and param.required
            for param in (
                payflowx.commands[words[0]].commands[words[1]] if len(words) > 1 else payflowx.commands[words[0]]
            ).params
        )
    }
    assert needing == set(CHANGES)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_that_says_nothing_is_a_usage_error(reason: str) -> None:
    function = FakeFunction()
    result = runner_of(function)("routing", "rollback", "--reason", reason)
    assert result.exit_code == Exit.USAGE
    assert function.asked == []


def test_a_change_carries_who_and_why() -> None:
    asked = asked_by({"set_provider_switch": {}}, "providers", "disable", "mock", *WHY)
    assert asked == {
        "command": "set_provider_switch",
        "operator": "local:ada",
        "reason": "TICKET-1",
        "provider": "mock",
        "disabled": True,
    }


def test_a_merchants_part_of_the_page_is_set_option_by_option() -> None:
    answer = {"merchantId": "acme", "shownName": None, "support": None, "accent": "#1f5fa8", "newCheckouts": False}
    answer["maxRefusedStarts"] = None
    words = ("merchants", "set-checkout", "acme", "--accent", "#1F5FA8", "--new-checkouts", "off", "--support", "")
    asked = asked_by({"set_checkout": answer}, *words, *WHY)
    sent = {name: asked[name] for name in asked if name not in {"command", "operator", "reason"}}
    assert sent == {"merchantId": "acme", "accent": "#1f5fa8", "newCheckouts": False, "support": ""}


def test_a_merchants_part_of_the_page_needs_a_setting() -> None:
    function = FakeFunction()
    assert runner_of(function)("merchants", "set-checkout", "acme", *WHY).exit_code == Exit.USAGE
    assert function.asked == []


# -- where options may stand


@pytest.mark.parametrize("words", [("--env", "prod", "dlq", "ls"), ("dlq", "ls", "--env", "prod")])
def test_the_environment_may_be_named_before_or_after(words: tuple[str, ...]) -> None:
    seen: list[str] = []

    def find(name: str, _region: str | None) -> Target:
        seen.append(name)
        return local(name=name)

    function = FakeFunction(count_dead_letters={"items": []})
    session = Session(find_target=find, find_invoker=lambda _target, _function: function)
    assert CliRunner().invoke(payflowx, list(words), obj=session).exit_code == 0
    assert seen == ["prod"]


def test_what_is_typed_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYFLOWX_ENV", "prod")
    seen: list[str] = []

    def find(name: str, _region: str | None) -> Target:
        seen.append(name)
        return local(name=name)

    def run(*words: str) -> None:
        function = FakeFunction(count_dead_letters={"items": []})
        session = Session(
            find_target=find,
            find_invoker=lambda _target, _function: function,
        )
        CliRunner().invoke(payflowx, list(words), obj=session)

    run("dlq", "ls")
    run("--env", "dev", "dlq", "ls")
    run("dlq", "ls", "--env", "staging")
    assert seen == ["prod", "dev", "staging"]


@pytest.mark.parametrize("name", ["Prod", "a/b", "../x", "-x", ""])
def test_an_environments_name_is_checked(name: str) -> None:
    assert runner_of(FakeFunction())("--env", name, "dlq", "ls").exit_code == Exit.USAGE


def test_json_is_one_document_on_standard_output() -> None:
    function = FakeFunction(create_key={"merchantId": "demo", "keyId": "key_1", "apiKey": "pfx_test_sk_x"})
    result = runner_of(function)("keys", "create", "demo", *WHY, "--json")
    assert json.loads(result.stdout) == {"merchantId": "demo", "keyId": "key_1", "apiKey": "pfx_test_sk_x"}
    assert "nobody will see it again" in result.stderr


# -- merchants


def test_an_id_alone_needs_its_merchant_where_there_is_no_demo_merchant() -> None:
    function = FakeFunction(show_payment=payment())
    run = runner_of(function, local(name="prod", merchant=None))
    refused = run("payments", "show", PAYMENT)
    assert refused.exit_code == Exit.USAGE
    assert "--merchant ID" in refused.stderr
    assert run("payments", "show", PAYMENT, "--merchant", "acme").exit_code == 0
    assert function.asked[-1]["merchantId"] == "acme"


def test_a_merchant_that_was_created_is_shown_with_its_key_and_webhook_addresses() -> None:
    answer = {
        "merchantId": "acme",
        "keyId": "key_1",
        "apiKey": "pfx_test_sk_x",
        "webhooks": [{"provider": "mock", "accountId": "sandbox", "path": "/webhooks/mock/T"}],
    }
    function = FakeFunction(create_merchant=answer)
    result = runner_of(function)("merchants", "create", "acme", "--name", "Acme", *WHY)
    assert "pfx_test_sk_x" in result.stdout
    assert "http://127.0.0.1:3000/webhooks/mock/T" in result.stdout
    assert function.asked[0]["accounts"] == []


class Vault:
    def describe_secret(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 names it
        return {"ARN": f"arn:{SecretId}"}


class TargetWithVault(LocalTarget):
    def client(self, service: str) -> Any:
        assert service == "secretsmanager"
        return Vault()


def test_a_sandbox_merchant_has_the_mocks_that_share_their_credentials_and_no_real_provider() -> None:
    made = {"merchantId": "acme", "keyId": "key_1", "apiKey": "pfx_test_sk_x", "webhooks": []}
    listed = [{"provider": "mock", "simulated": True}, {"provider": "stripe", "simulated": False}]
    function = FakeFunction(create_merchant=made, list_providers={"items": listed})
    addresses = {"mock": "http://127.0.0.1:1", "stripe": "http://127.0.0.1:2"}
    fields = {name: getattr(local(), name) for name in ("name", "outputs", "options", "base_url", "stack_prefix")}
    target = TargetWithVault(**fields, merchant="demo", simulators=addresses)
    result = runner_of(function, target)("merchants", "create", "acme", "--name", "Acme", "--sandbox", *WHY)
    assert result.exit_code == 0, result.output
    (account,) = function.asked[-1]["accounts"]
    assert (account["provider"], account["endpoint"]) == ("mock", "http://127.0.0.1:1")


def test_lists_are_read_to_their_end() -> None:
    pages = [
        {"items": [{"merchantId": "a"}], "nextAfter": "a"},
        {"items": [], "nextAfter": "b"},
        {"items": [{"merchantId": "c"}], "nextAfter": None},
    ]
    function = FakeFunction(list_merchants=pages)
    result = runner_of(function)("merchants", "list", "--json")
    assert [m["merchantId"] for m in json.loads(result.stdout)] == ["a", "c"]
    assert [asked.get("after") for asked in function.asked] == [None, "a", "b"]


# -- secrets


SECRETS = {"keyId": "rzp_x", "keySecret": "canary-key-secret", "webhookSecret": "canary-webhook-secret"}
ACCOUNT = {"merchantId": "acme", "provider": "razorpay", "accountId": "main", "path": "/webhooks/razorpay/T"}


def test_secrets_come_from_standard_input_and_are_shown_nowhere() -> None:
    function = FakeFunction(set_credentials=ACCOUNT)
    words = ("credentials", "set", "razorpay", "--merchant", "acme", "--endpoint", "https://api.razorpay.com", *WHY)
    result = runner_of(function)(*words, "--secret-file", "-", typed=json.dumps(SECRETS))
    assert result.exit_code == 0
    assert function.asked[0]["secret"] == SECRETS
    assert "canary" not in result.output + repr(words)


def test_secrets_come_from_a_file_and_an_open_file_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "secret.json"
    file.write_text(json.dumps(SECRETS))
    file.chmod(0o644)
    function = FakeFunction(rotate_credentials=ACCOUNT)
    result = runner_of(function)("credentials", "rotate", "razorpay", "--secret-file", str(file), *WHY)
    assert function.asked[0]["secret"] == SECRETS
    assert "others can read" in result.stderr
    assert "canary" not in result.output


@pytest.mark.parametrize(
    "text",
    [
        "canary",
        '["canary"]',
        '{"keyId": "canary"}',
        '{"keyId": "canary", "keySecret": 1}',
        '{"keyId": "canary", "keySecret": ""}',
        '{"keyId": "a", "keySecret": "b", "canary": "c"}',
    ],
)
def test_wrong_secrets_are_refused_without_repeating_them(text: str) -> None:
    function = FakeFunction()
    result = runner_of(function)("credentials", "rotate", "mock", "--secret-file", "-", *WHY, typed=text)
    assert result.exit_code == Exit.USAGE
    assert function.asked == []
    assert "canary" not in result.output


def test_no_command_takes_a_secret_as_an_argument() -> None:
    for words in leaves():
        command = payflowx.commands[words[0]]
        leaf = command.commands[words[1]] if len(words) > 1 else command
        names = {param.name for param in leaf.params}
        assert not names & {"key_secret", "webhook_secret", "secret", "password", "api_key"}, words


def test_without_a_terminal_or_a_file_there_is_nobody_to_type_secrets() -> None:
    result = runner_of(FakeFunction())("credentials", "rotate", "mock", *WHY)
    assert result.exit_code == Exit.USAGE
    assert "--secret-file" in result.stderr


# -- what cannot be taken back


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "revoke", "demo", "key_aaaaaaaaaaaa"),
        ("dlq", "purge", "jobs"),
        ("payments", "erase", PAYMENT),
        ("payments", "record-refund", PAYMENT, "--reference", "re_1", "--amount", "5", "--evidence", "line 7"),
        ("payments", "record-extra-refund", PAYMENT, "--charge", "pi_2", "--reference", "re_2", "--evidence", "case 7"),
        ("review", "close", PAYMENT, "--charged", "--evidence", "line 7"),
    ],
)
def test_what_cannot_be_taken_back_is_asked_about(words: tuple[str, ...]) -> None:
    function = FakeFunction(count_dead_letters={"items": []}, show_review=shown_review())
    result = runner_of(function)(*words, *WHY)
    assert result.exit_code == Exit.USAGE
    assert "--yes" in result.stderr
    assert not [asked for asked in function.asked if "reason" in asked]


# -- refusals and failures


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("invalid_state", Exit.REFUSED),
        ("not_found", Exit.REFUSED),
        ("command_invalid", Exit.REFUSED),
        ("unavailable", Exit.UNAVAILABLE),
    ],
)
def test_a_refusal_is_said_on_standard_error_and_ends_with_its_code(code: str, exit_code: Exit) -> None:
    function = FakeFunction(show_payment={"error": {"code": code, "message": "There is no such thing"}})
    result = runner_of(function)("payments", "show", PAYMENT, "--json")
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert "There is no such thing" in result.stderr


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Expected `str` of length >= 1 - at `$.text`", "text is not valid: it must be text of length >= 1."),
        ("Expected `str` matching regex '^key_$' - at `$.keyId`", "keyId is not valid: it must be text matching regex"),
        ("Expected `int` <= 9 - at `$.amount`", "amount is not valid: it must be a whole number <= 9."),
    ],
)
def test_a_value_that_is_not_valid_is_named_and_no_older_deployment_is_suspected(message: str, said: str) -> None:
    function = FakeFunction(find_payments={"error": {"code": "command_invalid", "message": message}})
    result = runner_of(function)("payments", "find", "x")
    assert result.exit_code == Exit.REFUSED
    assert said in result.stderr
    assert "older" not in result.stderr


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("payments", "list"), "list_payments"),
        (("review", "list"), "list_reviews"),
        (("disputes", "list"), "list_disputes"),
        (("approvals", "list"), "list_proposals"),
        (("deliveries", "endpoints"), "list_endpoints"),
    ],
)
def test_an_empty_list_of_a_merchant_that_does_not_exist_is_refused(words: tuple[str, ...], asked: str) -> None:
    empty: dict[str, Any] = {"items": [], "nextPosition": None, "complete": True}
    missing = {"error": {"code": "not_found", "message": "There is no merchant with this id."}}
    function = FakeFunction(show_merchant=missing, **{asked: empty})
    result = runner_of(function)(*words, "--merchant", "acmee")
    assert (result.exit_code, result.stdout) == (Exit.REFUSED, "")
    assert "There is no merchant with this id." in result.stderr
    assert runner_of(FakeFunction(**{asked: empty}))(*words, "--merchant", "acme").exit_code == 0


def test_a_list_of_events_that_was_cut_off_does_not_say_that_all_are_delivered() -> None:
    busy = {"items": [], "nextPosition": "1800000000000#pay_aaaaaaaaaaaaaaaa#000001"}
    function = FakeFunction(list_merchant_events=busy)
    result = runner_of(function)("deliveries", "list", "--merchant", "acme")
    assert result.stdout == "Every event since 2027-01-15T08:00:00Z is delivered.\n"
    assert "Older events than 2027-01-15T08:00:00Z were not looked at" in result.stderr
    whole = runner_of(FakeFunction(list_merchant_events={"items": [], "nextPosition": None}))
    assert whole("deliveries", "list", "--merchant", "acme").stdout == "Every event is delivered.\n"


def test_lists_that_were_cut_off_say_so() -> None:
    function = FakeFunction(
        list_providers={"items": [], "unwellComplete": False}, list_reconciliations={"items": [], "complete": False}
    )
    run = runner_of(function)
    assert "first 500 merchants" in run("providers", "status").stderr
    assert "first hundred accounts" in run("reconciliations").stderr


def test_the_status_of_providers_names_each_account_that_is_not_well() -> None:
    unwell = [
        {"merchantId": "acme", "accountId": "main", "state": "passed over", "since": "2026-12-01T00:00:00.000Z"},
        {"merchantId": "globex", "accountId": "eu", "state": "slow", "since": None},
    ]
    items = [{"provider": "alpha", "unwellAccounts": unwell}, {"provider": "beta", "unwellAccounts": []}]
    shown = " ".join(runner_of(FakeFunction(list_providers={"items": items}))("providers", "status").stdout.split())
    assert "acme/main: passed over since 2026-12-01T00:00:00.000Z; globex/eu: slow" in shown
    assert shown.count("slow") == 1


def test_a_list_to_an_earlier_day_is_refused() -> None:
    result = runner_of(FakeFunction())("payments", "list", "--from", "2026-11-02", "--to", "2026-11-01")
    assert result.exit_code == Exit.USAGE
    assert "--from must not be later than --to" in result.stderr


def test_a_verdict_is_one() -> None:
    words = ("review", "close", PAYMENT, "--evidence", "x", "--yes", *WHY)
    for flags in ((), ("--charged", "--not-charged"), ("--not-charged", "--charged")):
        function = FakeFunction(show_review=shown_review())
        result = runner_of(function)(*words, *flags)
        assert result.exit_code == Exit.USAGE
        assert function.asked == []


def test_a_wrong_id_is_found_out_before_anything_is_asked() -> None:
    function = FakeFunction()
    result = runner_of(function)("payments", "show", "pay_1")
    assert result.exit_code == Exit.USAGE
    assert "such as pay_4fr6q27belrmwp3h" in result.stderr
    assert function.asked == []


def test_no_stage_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.target.ENVIRONMENT_FILE", tmp_path / "stage.json")
    result = CliRunner().invoke(payflowx, ["dlq", "ls"])
    assert result.exit_code == Exit.NO_ACCESS
    assert "make run" in result.stderr


# -- payments


def test_a_payment_is_shown_with_what_went_wrong() -> None:
    result = runner_of(FakeFunction(show_payment=payment()))("payments", "show", PAYMENT)
    for words in ("IN_REVIEW", "19.99 USD", "outcome_unknown: A person has to look.", "pfx-a-1", "rule default"):
        assert words in result.stdout


def test_a_list_asks_for_whole_days() -> None:
    words = ("payments", "list", "--from", "2026-11-01", "--to", "2026-11-01", "--status", "failed")
    asked = asked_by({"list_payments": {"items": [], "nextPosition": None}}, *words)
    assert asked["untilMs"] - asked["fromMs"] == 86_400_000
    assert asked["status"] == "FAILED"


def test_a_list_stops_at_its_limit() -> None:
    pages = [{"items": [payment()] * 100, "nextPosition": f"{n:013d}"} for n in range(9)]
    result = runner_of(FakeFunction(list_payments=pages))("payments", "list", "--limit", "150", "--json")
    assert len(json.loads(result.stdout)) == 150
    assert len(pages) == 7


COST = {"calls": 8, "writeUnits": 25, "readUnits": 2.5, "messages": 2, "apiRequests": 1, "microDollars": 22}


def test_a_payments_cost_is_shown() -> None:
    result = runner_of(FakeFunction(show_payment_cost={**COST, "complete": True}))("payments", "cost", PAYMENT)
    assert result.exit_code == 0
    for shown in ("micro-dollars", "22", "25", "2.5"):
        assert shown in result.stdout
    assert "It cost more" not in result.stdout


def test_a_cost_that_is_not_counted_to_the_end_says_so() -> None:
    result = runner_of(FakeFunction(show_payment_cost={**COST, "complete": False}))("payments", "cost", PAYMENT)
    assert "It cost more: it has more events or operations than were looked at." in result.stdout


def test_a_broken_audit_log_is_bad_news() -> None:
    answers = {"verify_trail": {"whole": False, "faults": ["event 2 was altered"], "events": 3, "complete": True}}
    function = FakeFunction(**answers)
    result = runner_of(function)("payments", "verify", PAYMENT)
    assert result.exit_code == Exit.BAD_NEWS
    assert "event 2 was altered" in result.stdout


def test_a_whole_audit_log_is_good_news() -> None:
    answers = {"verify_trail": {"whole": True, "faults": [], "events": 3, "complete": True}}
    assert runner_of(FakeFunction(**answers))("payments", "verify", PAYMENT).exit_code == 0


def test_an_erasure_goes_on_until_all_operations_are_erased() -> None:
    function = FakeFunction(erase_personal_data=[{"erased": False}, {"erased": False}, {"erased": True}])
    result = runner_of(function)("payments", "erase", PAYMENT, "--yes", *WHY)
    assert (result.exit_code, result.stdout) == (0, "Erased.\n")
    assert len(function.asked) == 3


def test_an_audit_log_beyond_the_limit_is_not_called_broken() -> None:
    answers = {"verify_trail": {"whole": False, "faults": [], "events": 100_000, "complete": False}}
    result = runner_of(FakeFunction(**answers))("payments", "verify", PAYMENT)
    assert result.exit_code == Exit.UNAVAILABLE
    assert "Not verified to the end: the audit log has more than 100000 events." in result.stdout


def test_a_payment_is_shown_with_all_its_operations() -> None:
    first = [{"operationId": f"ref_aaaaaaaaaaaaaa{n:02d}"} for n in range(3)]
    rest = {"items": [{"operationId": "ref_bbbbbbbbbbbbbbbb"}], "nextPosition": None}
    shown = payment() | {"operations": first, "operationsPosition": "here"}
    function = FakeFunction(show_payment=shown, list_operations=rest)
    result = runner_of(function)("payments", "show", PAYMENT, "--json")
    operations = json.loads(result.stdout)["operations"]
    assert [o["operationId"] for o in operations] == [*(o["operationId"] for o in first), "ref_bbbbbbbbbbbbbbbb"]
    assert function.asked[-1]["position"] == "here"


@pytest.mark.parametrize(
    ("answer", "text", "exit_code"),
    [
        ({"booked": ["re_1"], "waiting": [], "contradicting": []}, "booked now: re_1.", Exit.DONE),
        ({"booked": [], "waiting": ["re_2"], "contradicting": []}, "repeat the command: re_2.", Exit.DONE),
        ({"booked": [], "waiting": [], "contradicting": []}, "Every refund there is known here.", Exit.DONE),
        ({"booked": [], "waiting": [], "counted": ["re_4"], "contradicting": []}, "closed: re_4.", Exit.DONE),
        ({"booked": [], "waiting": [], "contradicting": ["re_3"]}, "dashboard: re_3.", Exit.BAD_NEWS),
        (
            {"booked": [], "waiting": [], "contradicting": [], "unavailable": "no_refund_list"},
            "could not be read: no_refund_list",
            Exit.BAD_NEWS,
        ),
    ],
)
def test_refunds_made_at_the_provider_are_read_on_request(answer: dict[str, Any], text: str, exit_code: Exit) -> None:
    function = FakeFunction(read_refunds=answer)
    result = runner_of(function)("payments", "read-refunds", PAYMENT, *WHY)
    assert (text in result.stdout, result.exit_code) == (True, exit_code)
    assert function.asked == [
        {
            "command": "read_refunds",
            "operator": "local:ada",
            "reason": "TICKET-1",
            "merchantId": "demo",
            "transactionId": PAYMENT,
        }
    ]


def test_a_refund_that_cannot_be_read_is_booked_with_evidence() -> None:
    words = ("payments", "record-refund", PAYMENT, "--reference", "re_1", "--amount", "5", "--evidence", "line 7")
    asked = asked_by({"record_refund": payment(refunded=5, refundable=95)}, *words, "--yes", *WHY)
    assert (asked["reference"], asked["amount"], asked["evidence"]) == ("re_1", 5, "line 7")


EXTRA_CHARGE = {
    "provider": "razorpay",
    "providerRef": "pay_second",
    "amount": 4990,
    "currency": "INR",
    "foundAt": "2026-11-02",
    "refundRef": None,
    "refundedAt": None,
}


def test_the_refund_of_an_extra_charge_is_recorded_with_evidence() -> None:
    words = ("payments", "record-extra-refund", PAYMENT, "--charge", "pay_second", "--reference", "rfnd_2")
    extras = [EXTRA_CHARGE, {**EXTRA_CHARGE, "refundRef": "rfnd_2"}]
    function = FakeFunction(record_extra_refund=payment(extraCharges=extras))
    result = runner_of(function)(*words, "--evidence", "case 7", "--yes", *WHY)
    assert result.stdout == "1 extra charges of this payment are still owed.\n"
    (asked,) = function.asked
    assert (asked["charge"], asked["reference"], asked["evidence"]) == ("pay_second", "rfnd_2", "case 7")
    assert (asked["transactionId"], asked["reason"]) == (PAYMENT, "TICKET-1")


def test_a_payment_is_shown_with_its_extra_charges() -> None:
    shown = runner_of(FakeFunction(show_payment=payment(extraCharges=[EXTRA_CHARGE])))("payments", "show", PAYMENT)
    assert "pay_second" in shown.stdout


def test_owed_charges_of_all_merchants_are_listed_the_longest_owed_first() -> None:
    newer = {
        "merchantId": "a",
        "transactionId": PAYMENT,
        "provider": "razorpay",
        "accountId": "main",
        "providerRef": "pay_newer",
        "money": "49.90 INR",
        "refundedBy": "operator",
        "foundAt": "2026-11-03",
        "ageSeconds": 7_200,
    }
    older = {**newer, "merchantId": "b", "providerRef": "pay_older", "foundAt": "2026-11-01", "ageSeconds": 180_000}
    function = FakeFunction(
        list_merchants={"items": [{"merchantId": "a"}, {"merchantId": "b"}], "nextAfter": None},
        list_owed_charges=[
            {"items": [newer], "unreadable": [], "nextPosition": "next"},
            {"items": [], "unreadable": [], "nextPosition": None},
            {"items": [older], "unreadable": [], "nextPosition": None},
        ],
    )
    result = runner_of(function)("payments", "owed")
    assert result.stdout.index("pay_older") < result.stdout.index("pay_newer")
    assert "2d 2h" in result.stdout


def test_without_owed_charges_a_sentence_says_so() -> None:
    function = FakeFunction(list_owed_charges={"items": [], "unreadable": [], "nextPosition": None})
    shown = runner_of(function)("payments", "owed", "--merchant", "acme")
    assert shown.stdout == "No extra charge is owed to a payer.\n"


# -- review


def test_reviews_of_all_merchants_are_listed_oldest_first_with_age_and_key() -> None:
    newer = {
        "transactionId": PAYMENT,
        "since": "2026-11-03",
        "ageSeconds": 7_200,
        "providerKey": "pfx-a-1",
        "reason": "mismatch",
    }
    older = {**newer, "since": "2026-11-01", "ageSeconds": 180_000, "operationId": "ref_aaaaaaaaaaaaaaaa"}
    function = FakeFunction(
        list_merchants={"items": [{"merchantId": "a"}, {"merchantId": "b"}], "nextAfter": None},
        list_reviews=[
            {"items": [newer], "nextPosition": "next", "complete": True},
            {"items": [], "nextPosition": None, "complete": True},
            {"items": [older], "nextPosition": None, "complete": True},
        ],
    )
    result = runner_of(function)("review", "list")
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [PAYMENT, PAYMENT]
    assert result.stdout.index("2026-11-01") < result.stdout.index("2026-11-03")
    assert result.stdout.index("2d 2h") < result.stdout.index("0d 2h")
    assert "ref_aaaaaaaaaaaaaaaa" in result.stdout
    assert result.stderr == ""
    assert [(a.get("merchantId"), a.get("position")) for a in function.asked] == [
        (None, None),
        ("a", None),
        ("a", "next"),
        ("b", None),
    ]


def test_a_list_that_may_miss_older_reviews_says_so_and_names_the_command() -> None:
    result = runner_of(FakeFunction(list_reviews={"items": [], "nextPosition": None, "complete": False}))(
        "review", "list", "--merchant", "acme"
    )
    assert "Nothing waits for a person." in result.stdout
    assert "payflowx review reindex" in result.stderr


def test_a_reindex_walks_all_pages_of_all_merchants() -> None:
    function = FakeFunction(
        list_merchants={"items": [{"merchantId": "a"}, {"merchantId": "b"}], "nextAfter": None},
        reindex_reviews=[
            {"payments": 100, "added": 2, "nextPosition": "next"},
            {"payments": 3, "added": 0, "nextPosition": None},
            {"payments": 0, "added": 1, "nextPosition": None},
        ],
    )
    result = runner_of(function)("review", "reindex", *WHY)
    assert "103 payments walked, 3 reviews added to the list." in result.stdout
    assert [(a.get("merchantId"), a.get("position")) for a in function.asked[1:]] == [
        ("a", None),
        ("a", "next"),
        ("b", None),
    ]


@pytest.mark.parametrize("ident", ["ref_aaaaaaaaaaaaaaaa", "cap_aaaaaaaaaaaaaaaa", "void_aaaaaaaaaaaaaaaa"])
def test_an_operations_review_is_closed_by_its_own_id(ident: str) -> None:
    words = ("review", "close", ident, "--not-charged", "--evidence", "returned", "--yes", *WHY)
    asked = asked_by({"close_operation_review": {"status": "FAILED"}, "show_review": shown_review()}, *words)
    assert (asked["operationId"], asked["verdict"]) == (ident, "not_charged")


@pytest.mark.parametrize(("flag", "verdict"), [("--charged", "charged"), ("--not-charged", "not_charged")])
def test_a_review_is_closed_with_a_verdict_and_its_evidence(flag: str, verdict: str) -> None:
    words = ("review", "close", PAYMENT, flag, "--evidence", "settlement 7", "--yes", *WHY)
    asked = asked_by({"close_review": payment(), "show_review": shown_review()}, *words)
    assert (asked["verdict"], asked["evidence"]) == (verdict, "settlement 7")


@pytest.mark.parametrize(("ident", "name"), [(PAYMENT, "transactionId"), ("ref_aaaaaaaaaaaaaaaa", "operationId")])
def test_a_review_shows_the_amounts_now_and_after_each_verdict(ident: str, name: str) -> None:
    function = FakeFunction(show_review=shown_review())
    result = runner_of(function)("review", "show", ident, "--amount", "59", "--held", "booked")
    assert function.asked == [
        {"command": "show_review", "merchantId": "demo", name: ident, "amount": 59, "held": "booked"}
    ]
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["refunded"] == ["0", "61", "0"]
    assert lines["refundable"] == ["40", "40", "102"]
    assert "provider's reportedAmount" in result.stdout


def test_the_amounts_are_shown_before_a_review_is_closed() -> None:
    function = FakeFunction(show_review=shown_review(), close_operation_review={"status": "SUCCEEDED"})
    words = ("--charged", "--amount", "61", "--held", "reserved", "--evidence", "x", "--yes", *WHY)
    result = runner_of(function)("review", "close", "ref_aaaaaaaaaaaaaaaa", *words)
    assert [asked["command"] for asked in function.asked] == ["show_review", "close_operation_review"]
    assert (function.asked[1]["amount"], function.asked[1]["held"]) == (61, "reserved")
    assert "given_back" in result.stderr
    assert result.stdout == "ref_aaaaaaaaaaaaaaaa is SUCCEEDED.\n"


def test_a_charge_is_named_by_its_provider_account_and_key() -> None:
    function = FakeFunction(show_review=shown_review(), close_review=payment())
    place = ("--provider", "stripe", "--account", "second", "--key", "pfx-aaaaaaaaaaaaaaaa-2")
    words = ("--charged", "--reference", "pi_1", "--amount", "61", "--evidence", "x", "--yes", *WHY)
    runner_of(function)("review", "close", PAYMENT, *place, *words)
    named = {"provider": "stripe", "accountId": "second", "providerKey": "pfx-aaaaaaaaaaaaaaaa-2"}
    assert [asked["command"] for asked in function.asked] == ["show_review", "close_review"]
    assert all(named.items() <= asked.items() for asked in function.asked)


@pytest.mark.parametrize(
    ("ident", "place", "why"),
    [
        (PAYMENT, ("--account", "second"), "need --provider"),
        (PAYMENT, ("--key", "pfx-aaaaaaaaaaaaaaaa-2"), "need --provider"),
        ("ref_aaaaaaaaaaaaaaaa", ("--provider", "stripe"), "at its charge"),
    ],
)
def test_a_place_that_says_nothing_is_refused(ident: str, place: tuple[str, ...], why: str) -> None:
    function = FakeFunction()
    result = runner_of(function)("review", "show", ident, *place)
    assert (result.exit_code, function.asked) == (Exit.USAGE, [])
    assert why in " ".join(result.stderr.split())


def test_a_verdict_that_is_refused_is_not_asked_about() -> None:
    refused = {"refused": "held_unknown", "why": "Say whether it is reserved, booked or given_back."}
    function = FakeFunction(show_review=shown_review(verdicts={"charged": refused, "not_charged": refused}))
    words = ("review", "close", "ref_aaaaaaaaaaaaaaaa", "--charged", "--evidence", "x", "--yes", *WHY)
    result = runner_of(function)(*words)
    assert result.exit_code == Exit.REFUSED
    assert "--charged is refused: Say whether" in result.stderr
    assert [asked["command"] for asked in function.asked] == ["show_review"]


def test_a_review_is_not_closed_without_a_verdict() -> None:
    function = FakeFunction()
    result = runner_of(function)("review", "close", PAYMENT, "--evidence", "x", "--yes", *WHY)
    assert result.exit_code == Exit.USAGE
    assert function.asked == []


# -- dead letters


def letter(number: int, step: str) -> dict[str, Any]:
    return {
        "messageId": f"m-{number}",
        "what": f"wake-up of payment {PAYMENT}",
        "sentAt": "2026-11-01T00:00:00.000Z",
        "status": "PENDING",
        "transactionId": PAYMENT,
        "step": step,
        "why": "attempt 1 at mock is UNKNOWN",
        "failures": ["StorageUnavailableError: the database did not answer"],
        "sent": step != "skip",
    }


def test_an_explanation_says_what_it_was_what_is_now_and_why_it_died() -> None:
    result = runner_of(FakeFunction(explain_dead_letters={"items": [letter(1, "resolve")]}))("dlq", "explain", "jobs")
    for words in (f"wake-up of payment {PAYMENT}", "PENDING", "the database did not answer", "resolve: attempt 1"):
        assert words in result.stdout


def test_a_plan_asks_no_log_and_changes_nothing() -> None:
    function = FakeFunction(
        explain_dead_letters={"items": [letter(1, "resolve"), letter(2, "skip")]},
        count_dead_letters={"items": [{"queue": "jobs", "dead": 9}]},
    )
    result = runner_of(function)("dlq", "plan", "jobs")
    assert "1 resolve, 1 skip" in result.stdout
    assert "7 more" in result.stderr
    assert function.asked[0]["withLog"] is False
    assert not [asked for asked in function.asked if "reason" in asked]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(dlq.time, "sleep", pauses.append)
    monkeypatch.setattr(dlq.time, "monotonic", lambda: 0.0)
    return pauses


def test_a_replay_goes_on_until_nothing_is_left_at_its_pace(slept: list[float]) -> None:
    batches = [{"items": [letter(n, "resolve") for n in range(4)]}, {"items": [letter(9, "keep")]}, {"items": []}]
    function = FakeFunction(replay_dead_letters=batches, count_dead_letters={"items": [{"queue": "jobs", "dead": 5}]})
    result = runner_of(function)("dlq", "replay", "jobs", "--rate", "4", *WHY)
    assert result.exit_code == 0
    assert "1 keep, 4 resolve" in result.stdout
    assert "1 messages were left for a person" in result.stderr
    assert slept == [1.0, 0.25]
    assert {asked["limit"] for asked in function.asked if "limit" in asked} == {4}
    assert {asked["queue"] for asked in function.asked if "queue" in asked} == {"jobs"}


def test_a_replay_never_takes_more_than_its_limit(slept: list[float]) -> None:
    batches = [{"items": [letter(n, "skip") for n in range(size)]} for size in (10, 3)]
    function = FakeFunction(replay_dead_letters=batches)
    result = runner_of(function)("dlq", "replay", "jobs", "--limit", "13", "--rate", "100", *WHY)
    assert result.exit_code == 0
    assert [asked["limit"] for asked in function.asked] == [10, 3]


def test_an_interrupted_replay_says_how_far_it_came(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dlq.time, "sleep", interrupt)
    function = FakeFunction(
        replay_dead_letters=[{"items": [letter(1, "resolve")]}],
        count_dead_letters={"items": [{"queue": "jobs", "dead": 5}]},
    )
    result = runner_of(function)("dlq", "replay", "jobs", *WHY)
    assert result.exit_code == Exit.INTERRUPTED
    assert "Interrupted after 1 messages. Run it again to go on." in result.stderr


def test_without_a_name_all_queues_are_meant(slept: list[float]) -> None:
    function = FakeFunction(
        replay_dead_letters=[
            {"items": [letter(1, "resolve")]},
            {"items": []},
            {"items": []},
            {"items": [letter(2, "apply")]},
            *[{"items": []}] * 4,
        ],
        count_dead_letters={"items": [{"queue": "jobs", "dead": 1}, {"queue": "notices", "dead": 1}]},
    )
    result = runner_of(function)("dlq", "replay", *WHY)
    assert "1 apply, 1 resolve" in result.stdout
    names = [asked["queue"] for asked in function.asked if "queue" in asked]
    assert names == ["jobs", "jobs", "slow-jobs", "notices", "notices", "deliveries", "slow-deliveries", "runs"]


def test_only_queues_with_dead_letters_can_be_named() -> None:
    assert runner_of(FakeFunction())("dlq", "ls", "cats").exit_code == Exit.USAGE
    assert runner_of(FakeFunction())("dlq", "plan", "cats").exit_code == Exit.USAGE


def test_the_queues_are_those_of_the_function() -> None:
    from payflowx.domain.recovery.ports import WorkQueueName

    assert set(dlq.QUEUES) == {name.value for name in WorkQueueName}


# -- routing


def test_routing_questions_carry_what_a_rule_can_ask_about() -> None:
    words = (
        "routing",
        "explain",
        "--amount",
        "1999",
        "--currency",
        "inr",
        "--metadata",
        "tier=gold",
        "--country",
        "in",
    )
    answer = {
        "document": "d",
        "rule": "r",
        "reasons": ["rule r: x"],
        "providers": [{"provider": "mock", "accountId": "a"}],
    }
    asked = asked_by({"explain_route": answer}, *words)
    assert asked == {
        "command": "explain_route",
        "merchantId": "demo",
        "amount": 1999,
        "currency": "INR",
        "paymentMethodType": "card",
        "capture": "automatic",
        "country": "IN",
        "metadata": {"tier": "gold"},
    }


def test_a_faulty_document_is_bad_news(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text("{}")
    function = FakeFunction(check_routing={"faults": ["the last rule must be a fallback"]})
    result = runner_of(function)("routing", "check", str(file))
    assert result.exit_code == Exit.BAD_NEWS
    assert "fallback" in result.stdout


def test_the_document_alone_goes_to_standard_output() -> None:
    served = {"number": 3, "state": "COMPLETE", "percent": 100, "document": '{"version": "a"}\n'}
    result = runner_of(FakeFunction(show_routing=served))("routing", "show")
    assert json.loads(result.stdout) == {"version": "a"}
    assert "Version 3" in result.stderr


# -- doctor


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "api_health", lambda _url: doctor.health_check("api", "ok", "answers."))
    monkeypatch.setattr(
        doctor, "alarms", lambda _client, _target: [doctor.health_check("alarms", "ok", "No alarm is active.")]
    )
    monkeypatch.setattr(doctor, "subscribers", lambda _client, _target: [])
    monkeypatch.setattr(doctor, "concurrency", lambda _client, _target: doctor.health_check("account", "ok", "Room."))


def test_a_well_deployment_is_good_news(well: None) -> None:
    function = FakeFunction(diagnose={"items": [doctor.health_check("routing", "warning", "hm")]})
    assert runner_of(function)("doctor").exit_code == 0


def test_an_ill_deployment_is_bad_news_with_advice(well: None) -> None:
    function = FakeFunction(
        diagnose={"items": [doctor.health_check("queues", "error", "3 dead letters.", "payflowx dlq ls")]}
    )
    result = runner_of(function)("doctor")
    assert result.exit_code == Exit.BAD_NEWS
    assert "3 dead letters." in result.stdout
    assert "payflowx dlq ls" in result.stdout


def test_a_function_that_does_not_answer_is_a_finding(well: None) -> None:
    function = FakeFunction(diagnose={"error": {"code": "unavailable", "message": "no"}})
    result = runner_of(function)("doctor", "--json")
    assert result.exit_code == Exit.BAD_NEWS
    assert json.loads(result.stdout)[-1]["check"] == "operations"


def test_an_api_that_is_not_there_is_ill() -> None:
    assert doctor.api_health("http://127.0.0.1:9")["health"] == "error"


def alarm_health(*, seconds_ago: int, missing: str) -> list[str]:
    alarm = {
        "AlarmName": "Dev-Service-SweeperNotRunning",
        "AlarmConfigurationUpdatedTimestamp": datetime.now(UTC) - timedelta(seconds=seconds_ago),
        "TreatMissingData": missing,
        "Period": 300,
        "EvaluationPeriods": 1,
    }
    cloudwatch = type("CloudWatch", (), {"describe_alarms": lambda _self, **_: {"MetricAlarms": [alarm]}})()
    target = LocalTarget(name="local", outputs={}, options={}, base_url="", stack_prefix="Dev")
    return [found["health"] for found in doctor.alarms(lambda _service: cloudwatch, target)]


def test_a_new_deployment_whose_sweeper_has_not_run_yet_is_not_ill() -> None:
    assert alarm_health(seconds_ago=10, missing="breaching") == ["warning"]
    assert alarm_health(seconds_ago=3600, missing="breaching") == ["error"]
    assert alarm_health(seconds_ago=10, missing="notBreaching") == ["error"]


# -- output


def test_text_from_elsewhere_cannot_move_the_terminals_cursor() -> None:
    function = FakeFunction(list_merchants={"items": [{"merchantId": "a", "name": "x\x1b[2Jy"}], "nextAfter": None})
    result = runner_of(function)("merchants", "list")
    assert "\x1b" not in result.stdout
    assert "x?[2Jy" in result.stdout


# -- approvals


def test_proposals_that_wait_are_listed_with_what_was_refused() -> None:
    change = {"command": "close_review", "merchantId": "acme", "transactionId": "pay_aaaaaaaaaaaaaaaa"}
    waiting = {"proposalId": "prop_1", "change": change, "state": "OPEN", "expiresAt": "2126-11-28T10:00:00.000Z"}
    refusal = {"code": "busy", "message": "A worker holds the payment.", "at": "2026-11-28T10:00:00.000Z"}
    refused = {**waiting, "proposalId": "prop_2", "state": "REFUSED", "refusal": refusal}
    over = {**waiting, "proposalId": "prop_3", "expiresAt": "2026-11-28T10:00:00.000Z"}
    done = {**waiting, "proposalId": "prop_4", "state": "DONE"}
    run = runner_of(FakeFunction(list_proposals={"items": [waiting, refused, over, done]}))
    listed = run("approvals", "list", "--merchant", "acme").stdout
    assert [f"prop_{number}" in listed for number in range(1, 5)] == [True, True, False, False]
    assert "REFUSED" in listed
    assert "A worker holds the payment." in listed
    everything = run("approvals", "list", "--merchant", "acme", "--all").stdout
    assert all(f"prop_{number}" in everything for number in range(1, 5))


def test_a_list_of_proposals_says_what_to_do_next_also_with_an_interrupted_one_whose_day_is_over() -> None:
    yesterday = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    refusal = {"code": "busy", "message": "A worker holds the payment.", "at": "2026-11-28T10:00:00.000Z"}
    proposals = [
        *page_of_proposals(["prop_6"], more=False, mayBeDone=False)["items"],
        *page_of_proposals(["prop_5"], more=False, state="APPROVED")["items"],  # an older function does not say
        *page_of_proposals(["prop_4"], more=False, state="APPROVED", mayBeDone=True, expiresAt=yesterday)["items"],
        *page_of_proposals(["prop_3"], more=False, state="REFUSED", mayBeDone=False, refusal=refusal)["items"],
        *page_of_proposals(["prop_2"], more=False, state="REFUSED", mayBeDone=False, expiresAt=yesterday)["items"],
        *page_of_proposals(["prop_1"], more=False, state="WITHDRAWN", mayBeDone=True)["items"],
    ]
    listed = runner_of(FakeFunction(list_proposals={"items": proposals}))("approvals", "list", "--merchant", "acme")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line.startswith("prop_")}
    check = "its change may have been made: check pay_aaaaaaaaaaaaaaaa, then "
    assert sorted(lines) == ["prop_3", "prop_4", "prop_5", "prop_6"]
    assert lines["prop_6"].endswith("approve it or withdraw it")
    assert lines["prop_5"].endswith(check + "approve it again or withdraw it")
    assert lines["prop_4"].endswith(check + "withdraw it")
    assert lines["prop_3"].endswith("approve it or withdraw it")


@pytest.mark.parametrize("may_be_done", [False, True])
def test_a_withdrawal_says_what_may_have_been_made(may_be_done: bool) -> None:
    (ended,) = page_of_proposals(["prop_1"], more=False, state="WITHDRAWN", mayBeDone=may_be_done)["items"]
    run = runner_of(FakeFunction(withdraw_proposal={"proposal": ended}))
    said = run("approvals", "withdraw", "prop_1", "--merchant", "acme", "--reason", "T-2").stdout
    assert said.startswith("prop_1 is withdrawn.")
    assert ("its change may have been made then: check pay_aaaaaaaaaaaaaaaa" in said) is may_be_done


def page_of_proposals(ids: Iterable[str], *, more: bool, **changes: Any) -> dict[str, Any]:
    change = {"command": "close_review", "merchantId": "acme", "transactionId": "pay_aaaaaaaaaaaaaaaa"}
    common = {
        "change": change,
        "state": "OPEN",
        "expiresAt": "2126-11-28T10:00:00.000Z",
        "proposedBy": "arn:ada",
        "reason": "T-1",
        **changes,
    }
    items = [{**common, "proposalId": identity} for identity in ids]
    return {"items": items, "nextBefore": items[-1]["proposalId"] if more else None}


def test_a_proposal_behind_a_hundred_newer_ones_is_approved_and_listed() -> None:
    newer = page_of_proposals((f"prop_{number}" for number in range(300, 200, -1)), more=True)
    older = page_of_proposals(["prop_200", "prop_199"], more=True)
    function = FakeFunction(list_proposals=[newer, older], approve_proposal={"proposalId": "prop_199"})
    done = runner_of(function)("approvals", "approve", "prop_199", "--merchant", "acme", "--yes", "--reason", "T-2")
    assert (done.exit_code, function.asked[-1]["proposalId"]) == (0, "prop_199")
    assert [asked.get("before") for asked in function.asked[:2]] == [None, "prop_201"]
    last = page_of_proposals(["prop_200"], more=False)
    listed = runner_of(FakeFunction(list_proposals=[newer, last]))("approvals", "list", "--merchant", "acme").stdout
    assert "prop_200" in listed


def test_a_list_of_proposals_ends_where_no_older_one_can_wait() -> None:
    """Each waits for a day, and an interrupted one is listed for 30 days more."""
    over = page_of_proposals(["prop_199"], more=True, expiresAt="2020-11-28T10:00:00.000Z")
    function = FakeFunction(list_proposals=[page_of_proposals(["prop_200"], more=True), over])
    assert "prop_200" in runner_of(function)("approvals", "list", "--merchant", "acme").stdout
    assert len(function.asked) == 2


def test_a_proposal_that_does_not_exist_is_looked_for_no_further_than_its_time() -> None:
    function = FakeFunction(list_proposals=[page_of_proposals(["prop_300", "prop_200"], more=True)])
    run = runner_of(function)
    refused = run("approvals", "approve", "prop_250", "--merchant", "acme", "--yes", "--reason", "T-2")
    assert (refused.exit_code, len(function.asked)) == (int(Exit.REFUSED), 1)


# -- disputes


def test_disputes_of_all_merchants_are_listed_by_deadline_with_the_time_left() -> None:
    later = {
        "transactionId": PAYMENT,
        "merchantId": "a",
        "provider": "stripe",
        "providerRef": "dp_1",
        "evidenceDueAt": "2026-11-09",
        "secondsLeft": 180_000,
    }
    sooner = {**later, "merchantId": "b", "providerRef": "dp_2", "evidenceDueAt": "2026-11-02", "secondsLeft": 7_200}
    function = FakeFunction(
        list_merchants={"items": [{"merchantId": "a"}, {"merchantId": "b"}], "nextAfter": None},
        list_disputes=[
            {"items": [later], "nextPosition": "next"},
            {"items": [], "nextPosition": None},
            {"items": [sooner], "nextPosition": None},
        ],
    )
    result = runner_of(function)("disputes", "list")
    assert result.stdout.index("dp_2") < result.stdout.index("dp_1")
    assert "0d 2h" in result.stdout
    assert "2d 2h" in result.stdout
    assert [(a.get("merchantId"), a.get("position")) for a in function.asked] == [
        (None, None),
        ("a", None),
        ("a", "next"),
        ("b", None),
    ]


def test_without_disputes_a_sentence_says_so() -> None:
    function = FakeFunction(list_disputes={"items": [], "nextPosition": None})
    assert runner_of(function)("disputes", "list", "--merchant", "acme").stdout == "No dispute awaits evidence.\n"


def test_payments_are_found_by_any_name() -> None:
    found = [payment(orderId="A-17", providerRef="ch_1")]
    function = FakeFunction(find_payments={"items": found, "unreadable": []})
    result = runner_of(function)("payments", "find", "A-17")
    assert function.asked == [{"command": "find_payments", "merchantId": "demo", "text": "A-17"}]
    assert PAYMENT in result.output
    assert "A-17" in result.output
    nothing = runner_of(FakeFunction(find_payments={"items": [], "unreadable": []}))("payments", "find", "B-1")
    assert "Nothing of this merchant has that name." in nothing.output


@pytest.mark.parametrize(("typed", "switch"), [("on", True), ("off", False)])
def test_the_automatic_refund_is_a_merchants_switch(typed: str, *, switch: bool) -> None:
    words = ("merchants", "set-orders", "demo", "--automatic-refund", typed, *WHY)
    asked = asked_by({"set_orders": {"merchantId": "demo", "automaticRefund": switch}}, *words)
    assert (asked["merchantId"], asked["automaticRefund"], asked["reason"]) == ("demo", switch, "TICKET-1")


def test_a_payment_is_shown_with_its_order() -> None:
    shown = payment(orderId="A-17", contendsWith="pay_bbbbbbbbbbbbbbbb")
    result = runner_of(FakeFunction(show_payment=shown))("payments", "show", PAYMENT)
    assert "A-17" in result.output
    assert "pay_bbbbbbbbbbbbbbbb" in result.output
