"""`payflowx versions`: the deployed versions of the functions, the way back, and what may go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import reason_option, target_options
from ops.session import Session, pass_session
from ops.target import aws_errors

_ALIAS: Final = "live"
_LATEST: Final = "$LATEST"
_COLUMNS: Final = {"function": "function", "live": "live", "published": "published", "before": "before", "kept": "kept"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One published version. Numbers of a function only grow."""

    number: int
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A function with its versions, the newest first. `in_use`: those that the alias names, with or without weight."""

    function: str
    live: int
    in_use: frozenset[int]
    versions: tuple[Version, ...]

    def published_at(self) -> datetime | None:
        """None when the live version is gone."""
        return next((v.published_at for v in self.versions if v.number == self.live), None)

    def before(self, moment: datetime) -> Version | None:
        """The newest version below the live one that was published before then."""
        return next((v for v in self.versions if v.number < self.live and v.published_at < moment), None)


@click.group()
def versions() -> None:
    """Versions of the functions. Each deployment keeps the ones before it, so that an alias can be pointed back."""


@versions.command("list")
@target_options
@pass_session
def list_(session: Session) -> None:
    """The live version of each function, and the one that a roll-back would take."""
    rows = [_row(found) for found in _deployed(session)]
    session.show_table(rows, _COLUMNS, nothing="The stack has no functions with the alias `live`.")


@versions.command()
@click.option(
    "--hours",
    type=click.IntRange(1, 24 * 30),
    default=1,
    show_default=True,
    help="Take back the versions that were published within this time.",
)
@reason_option
@target_options
@pass_session
def rollback(session: Session, *, hours: int, reason: str) -> None:
    """Point the functions back to the versions before the last deployment, all at once.

    Functions that the deployment did not change stay as they are. The alias keeps who did it and why, until the next
    deployment. Deploy the older code as well: until then the templates name the newer versions.
    """
    since = datetime.now(UTC) - timedelta(hours=hours)
    moves = []
    for found in _deployed(session):
        published = found.published_at()
        if published is not None and published < since:
            continue
        target = found.before(since)
        if target is None:
            raise OperatorError(
                f"{found.function} has no version from before.",
                Exit.REFUSED,
                hint="Nothing was changed. Deploy the older code.",
            )
        moves.append((found, target))
    if not moves:
        raise OperatorError(f"No function was deployed in the last {hours} h.", Exit.REFUSED, hint="Say --hours.")
    client, who = session.target.client("lambda"), session.target.who()
    for found, target in moves:
        with aws_errors("point an alias back"):
            client.update_alias(
                FunctionName=found.function,
                Name=_ALIAS,
                FunctionVersion=str(target.number),
                RoutingConfig={"AdditionalVersionWeights": {}},
                Description=f"Rolled back by {who}: {reason}"[:256],
            )
        session.say(f"{found.function}: {found.live} -> {target.number}")


@versions.command()
@click.option(
    "--keep", type=click.IntRange(2, 100), default=5, show_default=True, help="The newest versions that each keeps."
)
@target_options
@pass_session
def prune(session: Session, *, keep: int) -> None:
    """Delete old versions. One that the alias names is never deleted."""
    client, deleted = session.target.client("lambda"), 0
    for found in _deployed(session):
        for version in found.versions[keep:]:
            if version.number in found.in_use:
                continue
            with aws_errors("delete a version"):
                client.delete_function(FunctionName=found.function, Qualifier=str(version.number))
            deleted += 1
    session.show({"deleted": deleted}, f"{deleted} versions were deleted.")


def _row(found: Deployed) -> dict[str, Any]:
    published = found.published_at()
    before = found.before(published) if published else None
    return {
        "function": found.function,
        "live": found.live,
        "published": published.isoformat(timespec="seconds") if published else "gone",
        "before": before.number if before else "none",
        "kept": len(found.versions),
    }


def _deployed(session: Session) -> Iterator[Deployed]:
    """Every function of the service's stack that has the alias."""
    client = session.target.client("lambda")
    for name in _functions(session):
        with aws_errors("read the functions' versions"):
            aliases = client.list_aliases(FunctionName=name, MaxItems=50)["Aliases"]
            alias = next((a for a in aliases if a["Name"] == _ALIAS), None)
            if alias is None:
                continue
            pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
            published = [v for page in pages for v in page["Versions"] if v["Version"] != _LATEST]
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        yield Deployed(
            function=name,
            live=int(alias["FunctionVersion"]),
            in_use=frozenset(map(int, (alias["FunctionVersion"], *weights))),
            versions=tuple(sorted(map(_version, published), key=lambda v: v.number, reverse=True)),
        )


def _version(found: dict[str, Any]) -> Version:
    """`LastModified` of a published version is the time of its publication, as 2026-11-28T10:00:00.000+0000."""
    return Version(number=int(found["Version"]), published_at=datetime.fromisoformat(found["LastModified"]))


def _functions(session: Session) -> list[str]:
    with aws_errors("list the functions of the stack"):
        pages = (
            session.target.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=f"{session.target.stack_prefix}-Service")
        )
        return sorted(
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
        )
