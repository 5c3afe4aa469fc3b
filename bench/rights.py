"""Takes each granted action away in turn and sees what fails: `make rights`, or a part of it: `make rights PIECE=1/4`.

A running local environment with enforced rights gets a denial on one role, one action, one resource. Then payments,
merchants' requests, operators' commands and the schedules run. A right that nothing misses is one too many, unless
`UNREACHED` says why nothing here can miss it. Rights that AWS itself uses under a role are not taken away: the engine
enforces none of them, and `tests/infra/rights.py` names AWS's page for each.
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from local.environment import LocalEnvironment, running_environment
from local.paths import ROOT
from local.processes import free_port
from local.seed import MERCHANT_ID
from ops.cli import payflowx
from ops.deployed import CHECKS, Api, NotAsExpectedError, tried
from ops.errors import OperatorError
from ops.session import Session
from ops.target import LOCAL, Target, find_target
from payflowx.domain.inbound_webhooks.tokens import TOKEN_CHARS
from tests.infra.rights import NEEDS, Need

_POLICY: Final = "taken-away"
_LOUD: Final = frozenset({"WARNING", "ERROR", "CRITICAL"})
_SERVICE: Final = "Dev-Service"
_TABLES: Final = {
    "Transactions": "TransactionsTableName",
    "Idempotency": "IdempotencyTableName",
    "Configuration": "ConfigurationTableName",
}
_UNOPENED: Final = "no payer opens a page here: tests/e2e does"
_SOON: Final = ("--wait-seconds", "120")
"""A run that is refused a right stands still until its message is a dead letter."""
_CACHED_SECONDS: Final = 20
"""Longer than a running function keeps what it has read of a merchant's configuration."""
_ONCE: Final = "a running function has read it, and keeps it for longer than this lasts"
UNREACHED: Final[Mapping[str, str]] = {
    "Checkout": _UNOPENED,
    "Api: appconfig:StartConfigurationSession on routing document": _ONCE,
    "Api: appconfig:GetLatestConfiguration on routing document": _ONCE,
    "Operations: appconfig:StopDeployment on routing document": "a roll-out of dev ends at once: there is none to stop",
    "Operations: dynamodb:PutItem on Transactions": "no review is closed here, and no refund recorded by hand",
    "Api: secretsmanager:GetSecretValue on cursor secret": _ONCE,
    "Deliverer: kms:Decrypt on key (for webhook-endpoint)": "no endpoint here gets a delivery: tests/e2e has one",
    "Operations: logs:FilterLogEvents on logs": "a dead letter is explained without its log, too",
    "Api: secretsmanager:GetSecretValue on checkout secret": "no checkout is created here: tests/e2e does",
    "Api: sqs:SendMessage on Deliveries": "no payment is cancelled here, which the API ends itself",
    "Deliverer: sqs:SendMessage on Deliveries": "no delivery here fails and is tried again",
    "Deliverer: sqs:SendMessage on SlowDeliveries": "no endpoint here is slow",
    "Operations: sqs:SendMessage on Jobs": "no dead letter is replayed here, and no review closed",
    "Reconciler: sqs:SendMessage on Deliveries": "no report here changes a payment",
    "Webhooks: secretsmanager:GetSecretValue on account secrets": _ONCE,
    "Worker: secretsmanager:GetSecretValue on account secrets": _ONCE,
    "Operations: dynamodb:UpdateItem on Transactions": "no review is closed here, and no personal data erased",
    "Notices: sqs:SendMessage on Deliveries": "no merchant with an endpoint gets a provider's event here",
    "Notices: sqs:SendMessage on Notices": "an event waits only where it comes while a worker holds its payment",
    "Operations: sqs:DeleteMessage on dead letters": "a queue is purged as a whole here, and no letter replayed",
    "Reconciler: sqs:SendMessage on Jobs": "no report here asks for an inquiry",
    "Worker: sqs:SendMessage on SlowJobs": "no account here is slow",
    "Worker: dynamodb:Query on Transactions": "no payment of an order is refunded here, and no provider's list is read",
    "Notices: dynamodb:Query on Transactions": "no payment of an order is refunded here",
    "Deliverer: dynamodb:GetItem on Transactions": "no two deliveries here write one event at once",
    "Deliverer: dynamodb:GetItem on Configuration (endpoints)": "no two deliveries here change one endpoint at once",
    "Sweeper: sqs:SendMessage on Deliveries": "no delivery here is overdue",
    "Sweeper: sqs:GetQueueAttributes on Deliveries": "no delivery here is overdue",
    "Sweeper: sqs:SendMessage on Jobs": "no payment here is overdue",
    "Sweeper: dynamodb:PutItem on Transactions": "no item here is woken forty times, which sends it to review",
    "Sweeper: dynamodb:GetItem on Transactions": "no item here is woken forty times, which sends it to review",
    "Deliverer: dynamodb:UpdateItem on Configuration (endpoints)": "no endpoint here fails for days, which disables it",
    "Operations: sqs:ChangeMessageVisibility on dead letters": "a letter that is not given back returns by itself",
    **{
        f"Operations: sqs:SendMessage on {queue}": "no dead letter of this queue is replayed here"
        for queue in ("Deliveries", "Notices", "Runs", "SlowDeliveries", "SlowJobs")
    },
    "Reconciler: dynamodb:PutItem on Transactions": "no report here says what the ledger has to record",
    "Reconciler: s3:GetObject on settlement files": "no settlement file is read here",
    "Reconciler: secretsmanager:GetSecretValue on account secrets": _ONCE,
    "Webhooks: dynamodb:Query on Configuration": _ONCE,
    "Operations: secretsmanager:PutSecretValue on checkout secret": "a new secret may not be replaced for a month",
    "Sweeper: dynamodb:BatchGetItem on Transactions": "no endpoint here is three minutes old",
    "Reconciler: dynamodb:BatchWriteItem on Transactions": "no report here has a line that the ledger has not",
}
"""Rights, or functions with all of theirs, that nothing here can miss, and why.

`make test` holds each to a line of the code all the same.
"""
_QUEUES: Final = ("Jobs", "SlowJobs", "Notices", "Deliveries", "SlowDeliveries", "Runs")
_SECRETS: Final = {"checkout secret": "CHECKOUT_TOKEN_SECRET_ARN", "cursor secret": "CURSOR_SECRET_ARN"}
"""Those that the templates make, and the variable of the API's function that has the ARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One action of one function on one resource, as the list of rights names it."""

    function: str
    need: Need

    def __str__(self) -> str:
        return f"{self.function}: {self.need.action} on {self.need.resource}"


@dataclass(kw_only=True)
class Examined:
    """A running environment, its functions, and a merchant of its own."""

    environment: LocalEnvironment
    target: Target
    functions: Mapping[str, Mapping[str, Any]]
    quiet: dict[str, frozenset[str]] = field(default_factory=dict)
    """The loud lines of each function while nothing is denied."""

    def resources(self, name: str) -> list[str]:
        """ARNs for a resource of the list of rights."""
        bare, outputs = name.split(" (", maxsplit=1)[0], self.target.outputs
        if bare in _TABLES:
            table = f"arn:aws:dynamodb:*:*:table/{outputs[_TABLES[bare]]}"
            return [table, f"{table}/index/*"]
        if bare in _QUEUES:
            return [_queue_arn(outputs[f"{bare}QueueUrl"])]
        if bare == "dead letters":
            return [_queue_arn(outputs[f"{queue}DeadLetterQueueUrl"]) for queue in _QUEUES]
        if bare in _SECRETS:
            return [self.functions["Api"]["variables"][_SECRETS[bare]]]
        if bare == "account secrets":
            return ["arn:aws:secretsmanager:*:*:secret:payflowx/dev/accounts/*"]
        return ["*"]

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """A denial wins over every permission."""
        iam, role = self.target.client("iam"), self.functions[right.function]["role"]
        statement = {"Effect": "Deny", "Action": right.need.action, "Resource": self.resources(right.need.resource)}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=_POLICY)

    def loud_lines(self, function: str, since_ms: int) -> frozenset[str]:
        """Messages of warnings and errors that the function has logged since then."""
        logs, group = self.target.client("logs"), self.functions[function]["log_group"]
        found = set()
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
        for event in (event for page in pages for event in page["events"]):
            with contextlib.suppress(ValueError, AttributeError):
                line = json.loads(event["message"])
                if line.get("level") in _LOUD or "errorType" in line:
                    found.add(str(line.get("message") or line.get("errorType")))
        return frozenset(found)


def main() -> int:
    """Exit status 1 when a right of this piece was missed by nothing."""
    chosen = piece(os.environ.get("PIECE", "1/1"))
    with running_environment(free_port()) as environment:
        idle = list(unneeded(environment, chosen))
    print(f"{len(chosen)} rights taken away, {len(idle)} missed by nothing")
    return int(bool(idle))


def rights() -> Sequence[Right]:
    """Return the rights that a line of our code needs."""
    return [Right(function=name, need=need) for need in NEEDS if need.lines for name in need.functions.split()]


def piece(text: str) -> Sequence[Right]:
    """The rights of a piece such as `1/4`, or of the rest of one from its eighth on, `1/4:8`. Raises `ValueError`."""
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)(?::([1-9]\d*))?", text)
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f"PIECE={text} is no piece such as 1/4, nor the rest of one such as 1/4:8")
    return rights()[int(match[1]) - 1 :: int(match[2])][int(match[3] or 1) - 1 :]


def verdict(right: Right, missed: Sequence[str]) -> str:
    """`needed`, `UNNEEDED`, or `not reached` for an exception."""
    if missed:
        return "needed"
    return "not reached" if reason(right) else "UNNEEDED"


def reason(right: Right) -> str:
    """Why nothing here can miss it; empty when something should."""
    return UNREACHED.get(str(right)) or UNREACHED.get(right.function, "")


def unneeded(environment: LocalEnvironment, chosen: Sequence[Right]) -> Iterator[Right]:
    """The rights without which all went on as before."""
    examined = Examined(environment=environment, target=find_target(LOCAL, None), functions=_functions())
    since_ms = _now_ms()
    faults = list(work(examined))
    if faults:
        raise RuntimeError(f"without any denial: {'; '.join(faults)}")
    for name in examined.functions:
        examined.quiet[name] = examined.loud_lines(name, since_ms)
    for right in chosen:
        missed = what_misses(examined, right)
        found = verdict(right, missed)
        why = missed[0][:110] if missed else reason(right) or "nothing missed it"
        print(f"{found:<11} {right}: {why}", flush=True)
        if found == "UNNEEDED":
            yield right


def what_misses(examined: Examined, right: Right) -> Sequence[str]:
    """The first thing that fails while the right is away, or what its function complains of when nothing fails.

    A right that should be missed is tried twice: a function may have remembered what it was refused.
    """
    with examined.without(right):
        found = _missed_once(examined, right)
        if not found and not reason(right):
            time.sleep(_CACHED_SECONDS)
            found = _missed_once(examined, right)
    return found


def _missed_once(examined: Examined, right: Right) -> Sequence[str]:
    since_ms = _now_ms()
    fault = next(work(examined), None)
    if fault is not None:
        return [fault]
    return sorted(examined.loud_lines(right.function, since_ms) - examined.quiet[right.function])


# -- the work


def work(examined: Examined) -> Iterator[str]:
    """Yield the failures of a merchant's first hour: creation, payments, reconciliation, an endpoint's life."""
    merchant = f"r{uuid.uuid4().hex[:10]}"
    _leave_a_dead_letter(examined)
    yield from _a_new_merchant(examined, merchant)
    yield from _commands(merchant)
    api = Api(url=examined.environment.base_url, key=examined.environment.api_key)
    yield from (f"{result.name}: {result.fault}" for result in tried(api, CHECKS) if result.fault)
    yield from map(str, _requests(api))
    yield from _schedules(examined)


def _a_new_merchant(examined: Examined, merchant: str) -> Iterator[str]:
    """Nobody has cached its key. A webhook for it names no account, which has to be looked up to be refused."""
    try:
        made = Session().change("create_merchant", "rights", merchantId=merchant, name="Rights", accounts=[])
    except OperatorError as error:
        yield f"create_merchant: {error.message}"
        return
    api = Api(url=examined.environment.base_url, key=made["apiKey"])
    paid = {"amount": 1, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
    unknown = f"/webhooks/stripe/{(uuid.uuid4().hex * 4)[:TOKEN_CHARS]}"
    for method, path, body, expected in (
        ("GET", "/payments?limit=1", None, 200),
        ("POST", "/payments", paid, 422),  # it has no account, which has to be looked up as well
        ("POST", unknown, {}, 401),
    ):
        status, _ = api.call(method, path, body, Idempotency_Key=merchant)
        if status != expected:
            yield f"{method} {path[:16]} of a new merchant: {status}"


def _leave_a_dead_letter(examined: Examined) -> None:
    url = examined.target.outputs["JobsDeadLetterQueueUrl"]
    body = json.dumps({"format": 1, "merchant_id": "nobody", "transaction_id": "pay_aaaaaaaaaaaaaaaa"})
    examined.target.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def _commands(merchant: str) -> Iterator[str]:
    """Operators' commands on a merchant of their own; the routing document stays what it is."""
    reason = ("--reason", "rights")
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "credentials.json"
        secret.write_text(json.dumps({"keyId": uuid.uuid4().hex, "keySecret": uuid.uuid4().hex}))
        account = ("mock", "--merchant", merchant, "--secret-file", str(secret), *reason)
        yield from _said_by(merchant, account, reason)


def _said_by(merchant: str, account: tuple[str, ...], reason: tuple[str, ...]) -> Iterator[str]:
    for arguments in (
        ("keys", "create", merchant, *reason),
        ("merchants", "list"),
        ("providers", "status"),
        ("providers", "disable", "mock", "--merchant", merchant, *reason),
        ("credentials", "set", *account, "--endpoint", "http://127.0.0.1:9"),
        ("credentials", "rotate", *account),
        ("routing", "show"),
        ("routing", "publish", str(ROOT / "infra" / "routing" / "dev.json"), *reason),
        ("payments", "list"),
        ("review", "list"),
        ("dlq", "ls"),
        ("dlq", "explain", "jobs"),
        ("dlq", "purge", "jobs", "--yes", *reason),
        ("audit", "list"),
        ("reconcile", "--provider", "stripe", "--merchant", MERCHANT_ID, *_yesterday(), *_SOON, *reason),
    ):
        fault = _said(arguments)
        if fault is not None:
            yield f"payflowx {' '.join(arguments[:2])}: {fault[-90:]}"
    refusal = _said(("checkout", "rotate-secret", "--yes", *reason))
    if refusal is None or "younger than" not in refusal:
        yield f"payflowx checkout rotate-secret: {refusal}, and not that the secret is too young"


def _yesterday() -> tuple[str, ...]:
    """The last whole day, compared once more: each time is a run of its own."""
    today = datetime.now(UTC).date()
    again = str(uuid.uuid4().int % 1000 + 1)
    return ("--from", str(today - timedelta(days=1)), "--to", str(today), "--again", again)


def _said(arguments: Sequence[str]) -> str | None:
    """Return the output of a command that fails; None if it succeeds."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            payflowx.main(list(arguments))
    except SystemExit as ended:
        return said.getvalue().strip() if ended.code not in {0, None} else None
    return None


def _requests(api: Api) -> Iterator[NotAsExpectedError]:
    """The routes that the checks of a deployment leave out."""
    for method, path, body, expected in (
        ("GET", "/events?limit=5", None, 200),
        ("GET", "/webhook-endpoints", None, 200),
        ("POST", "/webhook-endpoints", {"url": f"http://127.0.0.1:9/{uuid.uuid4().hex[:8]}"}, 201),
    ):
        status, answer = api.call(method, path, body)
        if status != expected:
            yield NotAsExpectedError(f"{method} {path}: {status}")
        elif method == "POST":
            for verb, below, wanted in (("POST", "/rotate-secret", 200), ("DELETE", "", 204)):
                found, _ = api.call(verb, f"{path}/{answer['id']}{below}", {} if verb == "POST" else None)
                if found != wanted:
                    yield NotAsExpectedError(f"{verb} {path}/...{below}: {found}")


def _schedules(examined: Examined) -> Iterator[str]:
    """The sweeper and the reconciler, at once."""
    functions = examined.target.client("lambda")
    for output in ("SweeperFunctionName", "ReconcilerFunctionName"):
        answer = functions.invoke(FunctionName=examined.target.outputs[output], Payload=b"{}")
        if "FunctionError" in answer:
            yield f"{output}: {answer['Payload'].read()[:90]!r}"


def _functions() -> dict[str, dict[str, Any]]:
    """Role and log group by the construct's id."""
    target = find_target(LOCAL, None)
    functions, found = target.client("lambda"), {}
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=_SERVICE)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        made = functions.get_function_configuration(FunctionName=resource["PhysicalResourceId"])
        name = resource["LogicalResourceId"].rpartition("Function")[0]
        found[name] = {
            "role": made["Role"].rpartition("/")[2],
            "log_group": made["LoggingConfig"]["LogGroup"],
            "variables": made["Environment"]["Variables"],
        }
    return found


def _queue_arn(url: str) -> str:
    return f"arn:aws:sqs:*:*:{url.rpartition('/')[2]}"


def _now_ms() -> int:
    return int(time.time() * 1000)


if __name__ == "__main__":
    os.environ["AUTH"] = "true"
    sys.exit(main())
