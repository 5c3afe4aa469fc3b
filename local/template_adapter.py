"""The one place that changes a template, in a copy, where the engine cannot model AWS. Each change is printed."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Template = dict[str, Any]

_REFUSED_TYPES: Final = {
    "AWS::CloudWatch::CompositeAlarm": "the engine has no composite alarms; `make alarms` evaluates it",
    "AWS::Backup::BackupPlan": "the engine has no AWS Backup",
    "AWS::Backup::BackupSelection": "the engine has no AWS Backup",
    "AWS::Backup::BackupVault": "the engine has no AWS Backup",
    "AWS::CodeDeploy::Application": "the engine has no CodeDeploy",
    "AWS::CodeDeploy::DeploymentGroup": "the engine has no CodeDeploy",
    "AWS::Logs::QueryDefinition": "the engine has no saved queries",
    "AWS::XRay::SamplingRule": "the engine has no X-Ray",
    "AWS::WAFv2::WebACLAssociation": "the engine cannot put a web ACL in front of an API",
}

_RESOURCE_POLICIES: Final = frozenset({"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"})
_PLAIN_HTTP: Final = "it refuses plain HTTP, and the engine has no TLS here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """One change of one resource."""

    resource: str
    change: str
    reason: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.change}, because {self.reason}"


def adapt(
    template: Template, *, rights_enforced: bool = False, base_url: str | None = None
) -> tuple[Template, list[Adaptation]]:
    """A copy that the engine can create, and its changes. `base_url`: the plain address before the engine's APIs."""
    adapted = copy.deepcopy(template)
    made: list[Adaptation] = []
    for rule in (*_RULES, *(_RULES_OF_RIGHTS if rights_enforced else ())):
        made += rule(adapted)
    if base_url is not None:
        made += _name_apis_by_their_plain_address(adapted, base_url)
    return adapted, made


def _allow_plain_http(template: Template) -> list[Adaptation]:
    """Only when the engine enforces policies: all requests stay on this machine, without TLS.

    It takes out the statements that refuse plain HTTP, one by one, and leaves every other statement where it is. A
    policy that has no other goes as a whole: no policy may be empty.
    """
    made = []
    for name, resource in list(template["Resources"].items()):
        if resource["Type"] not in _RESOURCE_POLICIES:
            continue
        document = resource["Properties"]["PolicyDocument"]
        kept = [statement for statement in document["Statement"] if not _denies_plain_http(statement)]
        if not kept:
            made.append(_drop(template, name, _PLAIN_HTTP))
        elif len(kept) < len(document["Statement"]):
            document["Statement"] = kept
            where = f"{name} ({resource['Type']})"
            made.append(Adaptation(resource=where, change="without one statement", reason=_PLAIN_HTTP))
    return made


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    """Whether this is its only condition: a denial with a second one may refuse more than a transport."""
    return statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}


def _forget_encryption_contexts(template: Template) -> list[Adaptation]:
    """Only when the engine enforces policies: each right stays, without the condition that can never be true there."""
    made = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            equals = statement.get("Condition", {}).get("StringEquals", {})
            if equals and all(key.startswith("kms:EncryptionContext:") for key in equals):
                del statement["Condition"]["StringEquals"]
                if not statement["Condition"]:
                    del statement["Condition"]
                where, reason = f"{name} ({resource['Type']})", "the engine gives policies no encryption context"
                made.append(Adaptation(resource=where, change="one right without its condition", reason=reason))
    return made


def _allow_batches_of_messages(template: Template) -> list[Adaptation]:
    """Only when the engine enforces policies: on AWS, `sqs:SendMessage` is the right of `SendMessageBatch`, too.

    Source: "Amazon SQS API permissions" of the developer guide.
    """
    made = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if statement["Effect"] == "Allow" and "sqs:SendMessage" in actions:
                statement["Action"] = [*actions, "sqs:SendMessageBatch"]
                where, reason = f"{name} ({resource['Type']})", "the engine knows a batch as an action of its own"
                made.append(Adaptation(resource=where, change="may send batches where it may send", reason=reason))
    return made


def _drop_refused_types(template: Template) -> list[Adaptation]:
    made = []
    for name, resource in list(template["Resources"].items()):
        reason = _REFUSED_TYPES.get(resource["Type"])
        if reason is not None:
            made.append(_drop(template, name, reason))
    return made


def _drop_metric_math_alarms(template: Template) -> list[Adaptation]:
    return [
        _drop(template, name, "the engine cannot compute metric math; `make alarms` evaluates it")
        for name, resource in list(template["Resources"].items())
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]


def _require_no_plan(template: Template) -> list[Adaptation]:
    """The engine would answer 403 to every request of a merchant."""
    reason = "the engine takes the key of a usage plan from a header alone, and never from the authorizer"
    made = []
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::ApiGateway::Method" and resource["Properties"].pop("ApiKeyRequired", False):
            where = f"{name} ({resource['Type']})"
            made.append(Adaptation(resource=where, change="no usage plan throttles it", reason=reason))
    return made


def _name_secrets_by_arn(template: Template) -> list[Adaptation]:
    """On AWS, `Ref` of a secret is its ARN; a right on the engine's bare name would match nothing."""
    made = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::SecretsManager::Secret":
            continue
        reference, by_arn = {"Ref": name}, {"Fn::GetAtt": [name, "Id"]}
        for section in ("Resources", "Outputs"):
            template[section] = _replaced(template.get(section, {}), reference, by_arn)
        reason = "the engine's reference gives a name, AWS's the ARN"
        made.append(Adaptation(resource=f"{name} ({resource['Type']})", change="referred to by its ARN", reason=reason))
    return made


def _name_apis_by_their_plain_address(template: Template, base_url: str) -> list[Adaptation]:
    """Functions give the address of an API to people: they can open only the one on this machine."""
    made = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        variables = resource["Properties"].get("Environment", {}).get("Variables", {})
        for variable, value in variables.items():
            if (path := path_at_api(value)) is not None:
                variables[variable] = base_url + path
                where, reason = f"{name} ({resource['Type']})", "the engine's own addresses end at the engine"
                made.append(Adaptation(resource=where, change=f"{variable} on this machine", reason=reason))
    return made


def path_at_api(address: Any) -> str | None:
    """Return the path below the stage, of an address of an API in a template; None for any other value."""
    parts = address.get("Fn::Join", ("", ()))[1] if isinstance(address, dict) else ()
    if not parts or ".execute-api." not in parts or not isinstance(parts[-1], str):
        return None
    _stage, slash, path = parts[-1].lstrip("/").partition("/")
    return slash + path


def _replaced(node: Any, old: object, new: object) -> Any:
    if node == old:
        return new
    if isinstance(node, dict):
        return {key: _replaced(value, old, new) for key, value in node.items()}
    return [_replaced(value, old, new) for value in node] if isinstance(node, list) else node


def _drop(template: Template, name: str, reason: str) -> Adaptation:
    kind = template["Resources"].pop(name)["Type"]
    for resource in template["Resources"].values():
        depends = resource.get("DependsOn")
        if isinstance(depends, list) and name in depends:
            depends.remove(name)
    return Adaptation(resource=f"{name} ({kind})", change="left out", reason=reason)


_RULES_OF_RIGHTS: Final = (_allow_plain_http, _forget_encryption_contexts, _allow_batches_of_messages)
_RULES: Final[tuple[Callable[[Template], list[Adaptation]], ...]] = (
    _drop_refused_types,
    _drop_metric_math_alarms,
    _require_no_plan,
    _name_secrets_by_arn,
)
