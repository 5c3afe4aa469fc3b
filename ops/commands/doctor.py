"""`payflowx doctor`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from ops.commands.account_checks import HealthCheck, concurrency, health_check, pages_concurrency, subscribers
from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.session import Session, pass_session
from ops.target import Target

_MARKS: Final = {"ok": ("ok     ", "green"), "warning": ("warning", "yellow"), "error": ("ERROR  ", "red")}
_HEALTH_TIMEOUT_SECONDS: Final = 5
_FIRST_DATA: Final = timedelta(minutes=2)
"""The sweeper runs every minute, and its samples need a moment to arrive."""


@click.command()
@target_options
@pass_session
def doctor(session: Session) -> None:
    """Examine an environment, and say what is wrong and what to do."""
    checks = list(_checks(session))
    session.show(checks, "\n".join(_line(check) for check in checks))
    errors = sum(check["health"] == "error" for check in checks)
    if errors:
        session.say(f"{errors} of {len(checks)} checks found an error.")
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))


def _checks(session: Session) -> Iterator[HealthCheck]:
    target = session.target
    yield health_check("target", "ok", f"{target.name}: {len(target.outputs)} outputs of the service's stack.")
    yield api_health(target.base_url)
    yield from alarms(target.client, target)
    yield from subscribers(target.client, target)
    yield concurrency(target.client, target)
    yield from pages_concurrency(target.client, target)
    try:
        yield from session.ask("diagnose")["items"]
    except OperatorError as error:
        yield health_check("operations", "error", error.message, error.hint)


def api_health(base_url: str) -> HealthCheck:
    """Does the API answer at all?"""
    try:
        answer = urllib3.request(
            "GET", f"{base_url}/health", timeout=_HEALTH_TIMEOUT_SECONDS, retries=False, redirect=False
        )
    except (urllib3.exceptions.HTTPError, ValueError):
        return health_check(
            "api",
            "error",
            f"{base_url} does not answer.",
            "Is the local environment running, and the network available?",
        )
    if answer.status != 200:
        return health_check(
            "api", "error", f"{base_url}/health answers {answer.status}.", "See the runbook: the API fails."
        )
    return health_check("api", "ok", f"{base_url} answers.")


def alarms(client: Callable[[str], Any], target: Target) -> Iterator[HealthCheck]:
    """Yield the alarms that are active. Reading them needs a right that an operator may lack; that is no fault."""
    try:
        answer = client("cloudwatch").describe_alarms(
            StateValue="ALARM", AlarmNamePrefix=f"{target.stack_prefix}-Service", MaxRecords=100
        )
    except (ClientError, BotoCoreError) as error:
        yield health_check("alarms", "warning", f"The alarms could not be read: {type(error).__name__}.")
        return
    ringing = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    for alarm in ringing:
        name, advice = alarm["AlarmName"], str(alarm.get("AlarmDescription", ""))
        if _waits_for_first_data(alarm, datetime.now(UTC)):
            yield health_check("alarms", "warning", f"{name} has no data yet: its alarm was created a moment ago.")
        else:
            yield health_check("alarms", "error", f"{name} is active.", advice)
    if not ringing:
        yield health_check("alarms", "ok", "No alarm is active.")


def _waits_for_first_data(alarm: Mapping[str, Any], now: datetime) -> bool:
    """An alarm that treats missing data as a fault is active from its creation until its first samples."""
    created = alarm.get("AlarmConfigurationUpdatedTimestamp")
    if created is None or alarm.get("TreatMissingData") != "breaching":
        return False
    evaluated = timedelta(seconds=int(alarm["Period"]) * int(alarm["EvaluationPeriods"]))
    return bool(now - created < evaluated + _FIRST_DATA)


def _line(found: HealthCheck) -> str:
    mark, colour = _MARKS[found["health"]]
    text = f"{click.style(mark, fg=colour)}  {found['check']:<10}  {found['words']}"
    return f"{text}\n{'':18}{found['advice']}" if found["advice"] else text
