"""`payflowx doctor`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.session import Session, pass_session
from ops.target import Target

_MARKS: Final = {"well": ("ok  ", "green"), "note": ("note", "yellow"), "ill": ("ILL ", "red")}
_HEALTH_TIMEOUT_SECONDS: Final = 5
_FIRST_DATA: Final = timedelta(minutes=2)
"""The sweeper runs every minute, and its samples need a moment to arrive."""
Finding = dict[str, str]


@click.command()
@target_options
@pass_session
def doctor(session: Session) -> None:
    """Examine the stage or an environment, and say in words what is wrong and what to do."""
    findings = list(_findings(session))
    session.show(findings, "\n".join(_line(finding) for finding in findings))
    ill = sum(finding["health"] == "ill" for finding in findings)
    if ill:
        session.say(f"{ill} of {len(findings)} checks are bad.")
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))


def _findings(session: Session) -> Iterator[Finding]:
    target = session.target
    yield finding("target", "well", f"{target.name}: {len(target.outputs)} outputs of the service's stack.")
    yield api_health(target.base_url)
    yield from alarms(target.client, target)
    try:
        yield from session.ask("diagnose")["items"]
    except OperatorError as error:
        yield finding("operations", "ill", error.message, error.hint)


def api_health(base_url: str) -> Finding:
    """Does the API answer at all?"""
    try:
        answer = urllib3.request(
            "GET", f"{base_url}/health", timeout=_HEALTH_TIMEOUT_SECONDS, retries=False, redirect=False
        )
    except (urllib3.exceptions.HTTPError, ValueError):
        return finding("api", "ill", f"{base_url} does not answer.", "Is the stage running, the network there?")
    if answer.status != 200:
        return finding("api", "ill", f"{base_url}/health answers {answer.status}.", "See the runbook: the API fails.")
    return finding("api", "well", f"{base_url} answers.")


def alarms(client: Callable[[str], Any], target: Target) -> Iterator[Finding]:
    """Those that are active. Reading them needs a right that an operator may lack; that is no fault."""
    try:
        answer = client("cloudwatch").describe_alarms(
            StateValue="ALARM", AlarmNamePrefix=f"{target.stack_prefix}-Service", MaxRecords=100
        )
    except (ClientError, BotoCoreError) as error:
        yield finding("alarms", "note", f"The alarms could not be read: {type(error).__name__}.")
        return
    ringing = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    for alarm in ringing:
        name, advice = alarm["AlarmName"], str(alarm.get("AlarmDescription", ""))
        if _waits_for_first_data(alarm, datetime.now(UTC)):
            yield finding("alarms", "note", f"{name} has no data yet: its alarm was created a moment ago.")
        else:
            yield finding("alarms", "ill", f"{name} rings.", advice)
    if not ringing:
        yield finding("alarms", "well", "No alarm rings.")


def _waits_for_first_data(alarm: Mapping[str, Any], now: datetime) -> bool:
    """An alarm that treats missing data as a fault is active from its creation until its first samples."""
    created = alarm.get("AlarmConfigurationUpdatedTimestamp")
    if created is None or alarm.get("TreatMissingData") != "breaching":
        return False
    evaluated = timedelta(seconds=int(alarm["Period"]) * int(alarm["EvaluationPeriods"]))
    return bool(now - created < evaluated + _FIRST_DATA)


def finding(check: str, health: str, words: str, advice: str = "") -> Finding:
    """As the operations function says its own."""
    return {"check": check, "health": health, "words": words, "advice": advice}


def _line(found: Finding) -> str:
    mark, colour = _MARKS[found["health"]]
    text = f"{click.style(mark, fg=colour)}  {found['check']:<10}  {found['words']}"
    return f"{text}\n{'':18}{found['advice']}" if found["advice"] else text
