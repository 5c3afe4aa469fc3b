"""The functions as the templates deploy them: handler, environment, rights and queues, for tests to compare."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.infra.conftest import resources

_READS: Final = frozenset(
    {
        *("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"),
        *("appconfig:GetHostedConfigurationVersion", "appconfig:GetLatestConfiguration"),
        *("logs:FilterLogEvents", "s3:GetObject", "s3:ListBucket", "secretsmanager:GetSecretValue"),
        "secretsmanager:ListSecretVersionIds",
    }
)
_WRITES: Final = frozenset(
    {
        *("dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        *("appconfig:CreateHostedConfigurationVersion", "appconfig:StartDeployment", "appconfig:StopDeployment"),
        *("secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"),
    }
)
_CONSUMES: Final = frozenset(
    {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"},
)
_SENDS: Final = frozenset({"sqs:SendMessage"})
_OF_ITSELF: Final = re.compile(
    r"kms:|xray:|logs:(CreateLogStream|PutLogEvents)|sqs:GetQueue(Attributes|Url)|appconfig:(ListDep|StartConfig)"
)
"""Actions that neither read nor write anything that a reader of the table wants to know."""

_DEAD_LETTERS: Final = "dead letters"
_PARTS: Final = {"E#*": "endpoints", "H#*": "health", "AUDIT#*": "audit entries"}
"""Parts of the configuration table, by the condition that confines a right to them."""
_NAMES: Final = (
    (re.compile(r"Tables(Transactions|Idempotency|Configuration)"), r"{0}"),
    (re.compile(r"Queue(DeadLetters)"), _DEAD_LETTERS),
    (re.compile(r"Queue(Jobs|SlowJobs|Notices|Deliveries|SlowDeliveries|Runs)"), r"{0}"),
    (re.compile(r"(SettlementFiles)"), "settlement files"),
    (re.compile(r"(CursorSecret)"), "cursor secret"),
    (re.compile(r"(CheckoutSecret)"), "checkout secret"),
    (re.compile(r"payflowx/\w+/(accounts)/\*"), "account secrets"),
    (re.compile(r"(appconfig|RoutingEnvironment)"), "routing document"),
    (re.compile(r"(Logs)"), "logs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One action on one resource, under a condition or none."""

    action: str
    resource: str
    condition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """`name` is the function's construct id, `handler` the module that holds its handler."""

    logical_id: str
    name: str
    handler: str
    timeout_s: int
    environment: Mapping[str, Any]
    rights: frozenset[Right]

    @property
    def service(self) -> str:
        """The function's name in logs and metrics."""
        return str(self.environment["POWERTOOLS_SERVICE_NAME"])

    @property
    def variables(self) -> frozenset[str]:
        """The names of its environment variables."""
        return frozenset(self.environment)

    @property
    def reads(self) -> frozenset[str]:
        return self._named(_READS) | self._dead_letters()

    @property
    def writes(self) -> frozenset[str]:
        return self._named(_WRITES) | self._dead_letters()

    @property
    def sends(self) -> frozenset[str]:
        return self._named(_SENDS)

    @property
    def consumes(self) -> frozenset[str]:
        """The queue whose event source invokes it."""
        return self._named(_CONSUMES) - {_DEAD_LETTERS}

    def _dead_letters(self) -> frozenset[str]:
        """Operators read and delete them by command; no event source does."""
        return self._named(_CONSUMES) & {_DEAD_LETTERS}

    def _named(self, actions: frozenset[str]) -> frozenset[str]:
        return frozenset(name_of(right) for right in self.rights if right.action in actions)


@cache
def functions(stack: str) -> tuple[DeployedFunction, ...]:
    """All functions of a stack such as `Prod-Service`."""
    return tuple(
        DeployedFunction(
            logical_id=logical_id,
            name=re.sub(r"Function[0-9A-F]{8}$", "", logical_id),
            handler=found["Handler"].removesuffix(".handler"),
            timeout_s=found["Timeout"],
            environment=found["Environment"]["Variables"],
            rights=frozenset(_rights(stack, found["Role"]["Fn::GetAtt"][0])),
        )
        for logical_id, found in resources(stack, "AWS::Lambda::Function").items()
    )


def function(stack: str, handler: str) -> DeployedFunction:
    """The function whose handler is a module of `payflowx.entrypoints`."""
    (found,) = (f for f in functions(stack) if f.handler == f"payflowx.entrypoints.{handler}")
    return found


def name_of(right: Right) -> str:
    """The resource's name in the table of functions."""
    for pattern, name in _NAMES:
        if match := pattern.search(right.resource):
            found = name.format(match[1])
            part = next((name for key, name in _PARTS.items() if right.condition and key in right.condition), None)
            return f"{found} ({part})" if part else found
    raise AssertionError(f"a right on a resource without a name: {right}")


def unknown_actions(stack: str) -> set[str]:
    """Actions that no list above knows: the table of functions would not show them."""
    known = _READS | _WRITES | _CONSUMES | _SENDS
    return {
        right.action
        for found in functions(stack)
        for right in found.rights
        if right.action not in known and not _OF_ITSELF.match(right.action)
    }


def _rights(stack: str, role: str) -> Iterator[Right]:
    for policy in resources(stack, "AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                condition = statement.get("Condition")
                for action in _listed(statement["Action"]):
                    for resource in _listed(statement["Resource"]):
                        yield Right(
                            action=action,
                            resource=json.dumps(resource),
                            condition=json.dumps(condition) if condition else None,
                        )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
