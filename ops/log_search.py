"""Payments by the correlation id of a request: in the functions' log lines, with the caller's own rights.

The id is in log lines and messages only, so no table can answer. Each log group of the service's stack is asked for a
bounded time and number of lines.
"""

import json
import re
import time
from collections.abc import Iterator
from typing import Any, Final

from ops.errors import Exit, OperatorError
from ops.target import Target, aws_errors

CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
MAX_HOURS: Final = 168
_MAX_LINES: Final = 200
_LOG_GROUP: Final = "AWS::Logs::LogGroup"


def payments_of_correlation(target: Target, correlation_id: str, *, hours: int) -> list[dict[str, str]]:
    """The payments that the lines with this id name, as `merchantId` and `transactionId`. Raises `OperatorError`."""
    if not CORRELATION_ID.fullmatch(correlation_id):
        raise OperatorError(
            "A correlation id has 1 to 64 letters, digits, dots, underscores, colons or hyphens.", Exit.USAGE
        )
    since_ms = int((time.time() - hours * 3_600) * 1_000)
    found: dict[tuple[str, str], None] = {}
    with aws_errors("search the functions' log lines"):
        for group in log_groups(target):
            for line in _lines(target, group, correlation_id, since_ms):
                if line.get("correlationId") == correlation_id and line.get("transactionId") and line.get("merchantId"):
                    found[str(line["merchantId"]), str(line["transactionId"])] = None
    return [{"merchantId": merchant, "transactionId": identity} for merchant, identity in found]


def log_groups(target: Target) -> list[str]:
    """Return the log groups of the service's stack. Needs `cloudformation:ListStackResources`."""
    pages = (
        target.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=f"{target.stack_prefix}-Service")
    )
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return [str(one["PhysicalResourceId"]) for one in resources if one["ResourceType"] == _LOG_GROUP]


def _lines(target: Target, group: str, correlation_id: str, since_ms: int) -> Iterator[dict[str, Any]]:
    """Yield the lines that hold the id as a word. A line that is no JSON object is left out."""
    answer = target.client("logs").filter_log_events(
        logGroupName=group, filterPattern=f'"{correlation_id}"', startTime=since_ms, limit=_MAX_LINES
    )
    for event in answer["events"]:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
