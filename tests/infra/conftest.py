"""The real stages, synthesized once, with the flags that `cdk synth` would use."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

os.environ["CDK_VALIDATION"] = "false"
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import ROOT, chosen
from infra.stage import PayFlowXStage

STAGES = ("Dev", "Staging", "Prod")
STACKS = tuple(
    f"{stage}-{stack}"
    for stage in STAGES
    for stack in ("Data", "Service", "Sandbox")
    if (stage, stack) != ("Prod", "Sandbox")
)


GIVEN = {
    "prod.account": "111122223333",
    "prod.page-to": "https://events.example.com/payflowx",
    "prod.ticket-to": "payments-team@example.com",
}
"""Without these production cannot be deployed. They are examples: each deployment gives its own."""


@cache
def application() -> tuple[App, dict[str, PayFlowXStage]]:
    """Assets are staged but not bundled: the hash is the same, and no wheels are needed."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context={**context, **GIVEN, "aws:cdk:bundling-stacks": []})
    return app, {s.stage_id: PayFlowXStage(app, s.stage_id, settings=s) for s in chosen(app.node.try_get_context)}


@cache
def template(stack: str) -> dict[str, Any]:
    """The template of a stack such as Dev-Service."""
    stage, name = stack.split("-")
    found: dict[str, Any] = Template.from_stack(getattr(application()[1][stage], name.lower())).to_json()
    return found


def resources(stack: str, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id to properties, of one type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template(stack)["Resources"].items()
        if resource["Type"] == kind
    }


def every(kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Stack, logical id and properties of all resources of a type in all stacks."""
    for stack in STACKS:
        for name, properties in sorted(resources(stack, kind).items()):
            yield stack, name, properties


_ASSET = re.compile(r"\b[0-9a-f]{64}(?=\.(?:zip|json)\b)")
_CONTENT_ADDRESSED = re.compile(r"^(?P<stem>.*(?:CurrentVersion|Deployment)[0-9A-F]{8})[0-9a-f]{32}$")


def normalized(found: dict[str, Any]) -> dict[str, Any]:
    """Without what follows the code: asset hashes, and ids of versions and deployments that are named by content."""
    renamed = {name: m["stem"] + "HASH" for name in found["Resources"] if (m := _CONTENT_ADDRESSED.match(name))}

    def walk(node: Any) -> Any:
        match node:
            case dict():
                return {renamed.get(key, key): walk(value) for key, value in node.items()}
            case list():
                return [walk(value) for value in node]
            case str():
                return renamed.get(node, _ASSET.sub("ASSET", node))
            case _:
                return node

    out: dict[str, Any] = walk(found)
    for boilerplate in ("Parameters", "Rules"):
        out.pop(boilerplate, None)
    return out
