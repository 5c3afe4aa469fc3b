"""`make certify-aws`: asks before it spends, and writes certify-aws-DATE.json."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from infra.settings import ENVIRONMENTS, of_branch
from ops.certify_aws.certification import Outcome, Verdict, certify, planned, report
from ops.certify_aws.stage import Stage
from ops.errors import Exit, OperatorError
from ops.options import confirm
from ops.target import Target, aws_errors

_BRANCH: Final = "certify-aws"


@click.command()
@click.option("--region", default="eu-west-1", show_default=True, help="Where the throw-away environment is made.")
@click.option(
    "--production-account",
    "production",
    multiple=True,
    metavar="ID",
    envvar="PRODUCTION_ACCOUNTS",
    help="An account that is refused, besides those of the settings and those with stacks of production.",
)
@click.option("--yes", is_flag=True, help="Do not ask whether this is meant.")
def main(*, region: str, production: Sequence[str], yes: bool) -> None:
    """Deploy a throw-away environment, try what only an account can show, delete it, and write a dated report."""
    settings = of_branch(_BRANCH)
    prefix = settings.name.capitalize()
    options = {"region_name": region}
    target = Target(name=settings.name, outputs={}, options=options, base_url="", stack_prefix=prefix)
    stage = Stage(name=settings.name, branch=_BRANCH, region=region, target=target)
    with aws_errors("ask which account this is"):
        account = str(stage.client("sts").get_caller_identity()["Account"])
    refuse_production(stage.client, account, production)
    click.echo(plan(account, region), err=True)
    confirm("Deploy, try and delete it?", yes=yes)
    outcomes = [said(outcome) for outcome in certify(stage)]
    found = report(stage, outcomes, account=account)
    path = Path(f"certify-aws-{datetime.now(UTC):%Y-%m-%d}.json")
    path.write_text(json.dumps(found, indent=2) + "\n")
    click.echo(f"{found['passed']} passed, {found['failed']} failed. Report: {path}")
    if stage.left_behind:
        click.echo(f"Delete by hand: {', '.join(stage.left_behind)}", err=True)
    sys.exit(int(Exit.BAD_NEWS if found["failed"] else Exit.DONE))


def refuse_production(client: Callable[[str], Any], account: str, named: Sequence[str]) -> None:
    """Raises `OperatorError` for an account of the settings, one that was named, or one with production's stacks."""
    production = [environment for environment in ENVIRONMENTS if environment.production]
    known = {environment.account for environment in production} | set(named)
    prefixes = tuple(f"{environment.stage_id}-" for environment in production)
    with aws_errors("list the stacks of the account"):
        pages = client("cloudformation").get_paginator("list_stacks").paginate()
        stacks = [found["StackName"] for page in pages for found in page["StackSummaries"]]
    there = sorted(name for name in stacks if name.startswith(prefixes))
    if account in known or there:
        why = f"it has {there[0]}" if there else "the settings or the command say so"
        raise OperatorError(
            f"{account} is an account of production: {why}.",
            Exit.REFUSED,
            hint="Nothing was made. Take an account that holds nothing else.",
        )


def plan(account: str, region: str) -> str:
    """Return the plan: the steps, their longest time and their highest price."""
    steps = planned()
    lines = [f"In account {account}, region {region}:", ""]
    lines += [f"  {step.name:<10} {step.asks}  (at most {step.minutes:g} min)" for step in steps]
    dollars = sum(step.dollars for step in steps)
    lines += [
        "",
        f"At most {dollars:.2f} dollars, estimated and never tried; about 45 minutes, most of them the restore.",
    ]
    return "\n".join(lines)


def said(outcome: Outcome) -> Outcome:
    """Tell it as soon as it is known."""
    mark = "FAILED" if outcome.verdict is Verdict.FAILED else "ok    "
    click.echo(f"{mark} {outcome.step.name:<10} {outcome.seconds:5.0f} s  {outcome.evidence}", err=True)
    return outcome


if __name__ == "__main__":
    main()
