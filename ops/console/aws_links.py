"""Where AWS's own console shows a payment: its traces, and the query for its log lines.

The address of a filtered list of traces is documented ("Console deep linking" in X-Ray's developer guide): a filter, a
region, and a span of at most six hours in UTC. That of a query in Logs Insights is not documented; it is what the
console itself writes into the address bar. Both are only links: nothing is asked through them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from ops.log_search import log_groups
from ops.target import Target, aws_errors

_FIELDS: Final = "@timestamp, service, level, message, attempt, provider, state, status, code, reason"
_BEFORE: Final = timedelta(minutes=1)
_LONGEST_TRACE_SEARCH: Final = timedelta(hours=6)
_AFTER: Final = timedelta(days=1)
"""Deliveries write log lines after the payment's last change."""


def log_query(transaction_id: str) -> str:
    """The saved query "one payment, everything said about it", for CloudWatch Logs Insights."""
    return f"fields {_FIELDS} | filter transactionId = '{transaction_id}' | sort @timestamp asc | limit 1000"


def groups_of(target: Target) -> Sequence[str]:
    """The log groups of the functions; none locally. Raises `OperatorError` for who may not list the stack."""
    if target.is_local:
        return ()
    with aws_errors("list the functions' log groups"):
        return log_groups(target)


def of_payment(
    target: Target, transaction_id: str, *, begun: datetime, changed: datetime, groups: Sequence[str]
) -> Mapping[str, str]:
    """Titles and addresses. The local environment has none: X-Ray and Logs Insights do not exist there.

    Without `groups` the query is filled in, and a person chooses the log groups.
    """
    if target.is_local:
        return {}
    region = str(target.client("lambda").meta.region_name)
    return {
        "Traces in X-Ray, from its first six hours": _traces(region, transaction_id, begun),
        "Log lines in Logs Insights": _log_lines(region, log_query(transaction_id), begun, changed, groups),
    }


def _traces(region: str, transaction_id: str, begun: datetime) -> str:
    start = begun - _BEFORE
    asked = {
        "timeRange": f"{_second(start)}~{_second(start + _LONGEST_TRACE_SEARCH)}",
        "filter": f'annotation.transactionId = "{transaction_id}"',
    }
    where = f"https://{region}.console.aws.amazon.com/xray/home?region={region}"
    return f"{where}#/traces?{urlencode(asked, safe=':', quote_via=quote)}"


def _second(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _log_lines(region: str, query: str, begun: datetime, changed: datetime, groups: Sequence[str]) -> str:
    """An object is `~(name~value~name~value)`, a list `(~value~value)`; a text begins with an apostrophe."""
    source = "".join(f"~{_text(group)}" for group in groups)
    detail = (
        f"~(end~{_text(_instant(changed + _AFTER))}~start~{_text(_instant(begun - _BEFORE))}"
        f"~timeType~'ABSOLUTE~tz~'UTC~editorString~{_text(query)}{f'~source~({source})' if source else ''})"
    )
    where = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
    return f"{where}#logsV2:logs-insights$3FqueryDetail$3D{detail}"


def _instant(at: datetime) -> str:
    return f"{_second(at)}.000Z"


def _text(value: str) -> str:
    """Percent-encoding with `*` for the percent sign, as the console's addresses have it."""
    encoded = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else _bytes(char) for char in value)
    return f"'{encoded}"


def _bytes(char: str) -> str:
    return "".join(f"*{byte:02x}" for byte in char.encode())
