"""The one place that changes a template, in a copy, where the engine cannot model what AWS can. Each change is said."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Template = dict[str, Any]

_REFUSED_TYPES: Final = {
    "AWS::CloudWatch::CompositeAlarm": "the engine has no composite alarms",
    "AWS::CodeDeploy::Application": "the engine has no CodeDeploy",
    "AWS::CodeDeploy::DeploymentGroup": "the engine has no CodeDeploy",
    "AWS::WAFv2::WebACLAssociation": "the engine cannot put a web ACL in front of an API",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """What was changed, and why."""

    resource: str
    change: str
    reason: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.change}, because {self.reason}"


def adapt(template: Template) -> tuple[Template, list[Adaptation]]:
    """A copy that the engine can create, and what differs."""
    adapted = copy.deepcopy(template)
    made: list[Adaptation] = []
    for rule in _RULES:
        made += rule(adapted)
    return adapted, made


def _drop_refused_types(template: Template) -> list[Adaptation]:
    made = []
    for name, resource in list(template["Resources"].items()):
        reason = _REFUSED_TYPES.get(resource["Type"])
        if reason is not None:
            made.append(_drop(template, name, reason))
    return made


def _drop_metric_math_alarms(template: Template) -> list[Adaptation]:
    return [
        _drop(template, name, "the engine cannot compute metric math; unit tests evaluate this alarm")
        for name, resource in list(template["Resources"].items())
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]


def _drop(template: Template, name: str, reason: str) -> Adaptation:
    kind = template["Resources"].pop(name)["Type"]
    for resource in template["Resources"].values():
        depends = resource.get("DependsOn")
        if isinstance(depends, list) and name in depends:
            depends.remove(name)
    return Adaptation(resource=f"{name} ({kind})", change="left out", reason=reason)


_RULES: Final[tuple[Callable[[Template], list[Adaptation]], ...]] = (
    _drop_refused_types,
    _drop_metric_math_alarms,
)
