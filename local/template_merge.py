"""Reads the cloud assembly: the stacks with their templates and assets."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.paths import ASSEMBLY

_STACK: Final = "aws:cloudformation:stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file or folder that the template expects in the staging bucket, under this key."""

    path: Path
    key: str
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizedStack:
    """A stack as `cdk deploy` would deploy it."""

    name: str
    template: dict[str, Any]
    assets: tuple[Asset, ...]


def read_stacks(stage: str) -> dict[str, SynthesizedStack]:
    """The stacks of a CDK stage by name: Dev-Data, Dev-Service, ..."""
    folder = ASSEMBLY / f"assembly-{stage}"
    manifest = json.loads((folder / "manifest.json").read_text())
    stacks = {}
    for artifact in manifest["artifacts"].values():
        if artifact["type"] != _STACK:
            continue
        name = artifact["properties"].get("stackName") or artifact["displayName"]
        template = json.loads((folder / artifact["properties"]["templateFile"]).read_text())
        assets_file = artifact["properties"]["templateFile"].replace(".template.json", ".assets.json")
        stacks[name] = SynthesizedStack(name=name, template=template, assets=_assets(folder, assets_file))
    return stacks


def _assets(folder: Path, file: str) -> tuple[Asset, ...]:
    listed = json.loads((folder / file).read_text())["files"].values()
    return tuple(
        Asset(
            path=(folder / entry["source"]["path"]).resolve(),
            key=destination["objectKey"],
            is_folder=entry["source"]["packaging"] == "zip",
        )
        for entry in listed
        for destination in entry["destinations"].values()
        if not entry["source"]["path"].endswith(".template.json")
    )
