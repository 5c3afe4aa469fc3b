"""Saved Logs Insights queries for the questions of an operator on call. Runbooks cite them by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    name: str
    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    stats: str | None = None
    sort: str | None = "@timestamp asc"
    access_log: bool = False
    checkout_log: bool = False


_LINE: Final = ("@timestamp", "service", "level", "message")
_WHOSE: Final = ("transactionId", "merchantId", "attempt", "provider", "correlationId")

_QUERIES: Final = (
    _Query(
        name="one payment, everything said about it",
        fields=(*_LINE, *_WHOSE, "state", "status", "code", "reason"),
        filters=("transactionId = 'pay_REPLACE'",),
    ),
    _Query(
        name="one request, by its correlation id",
        fields=(*_LINE, *_WHOSE, "requestId"),
        filters=("correlationId = 'REPLACE'",),
    ),
    _Query(
        name="messages that failed, and why",
        fields=("@timestamp", "service", *_WHOSE, "messageId", "exception_name", "exception"),
        filters=("message = 'message failed'",),
        sort="@timestamp desc",
    ),
    _Query(
        name="outcomes by provider and code",
        filters=("message = 'attempt recorded'",),
        stats="count(*) as attempts by provider, state, code",
        sort="attempts desc",
    ),
    _Query(
        name="attempts whose outcome is not known",
        fields=("@timestamp", *_WHOSE, "code"),
        filters=("message = 'attempt recorded'", "state = 'UNKNOWN'"),
        sort="@timestamp desc",
    ),
    _Query(
        name="what went to review",
        fields=("@timestamp", *_WHOSE, "operationId", "code"),
        filters=("status = 'IN_REVIEW'",),
        sort="@timestamp desc",
    ),
    _Query(
        name="webhooks to merchants",
        fields=(
            "@timestamp",
            "message",
            "merchantId",
            "transactionId",
            "eventId",
            "endpointId",
            "status",
            "code",
            "reason",
        ),
        filters=("message in ['event posted', 'event delivery failed after the last retry', 'endpoint disabled']",),
        sort="@timestamp desc",
    ),
    _Query(
        name="warnings and errors, by message",
        filters=("level in ['WARNING', 'ERROR', 'CRITICAL']",),
        stats="count(*) as lines by service, message",
        sort="lines desc",
    ),
    _Query(
        name="latency of providers, by five minutes",  # of the first request of each message
        filters=("ispresent(ProviderLatency.0)",),
        stats="pct(ProviderLatency.0, 50) as p50, pct(ProviderLatency.0, 99) as p99, count(*) as messages "
        "by provider, bin(5m)",
        sort=None,
    ),
    _Query(
        name="API, requests that failed or were slow",
        fields=(
            "requestTime",
            "requestId",
            "httpMethod",
            "resourcePath",
            "status",
            "errorType",
            "merchantId",
            "latencyMs",
            "integrationLatencyMs",
            "authorizerLatencyMs",
        ),
        filters=("status >= 500 or latencyMs > 1000",),
        sort="latencyMs desc",
        access_log=True,
    ),
    _Query(
        name="API, answers by merchant and status",
        stats="count(*) as requests by merchantId, status",
        sort="requests desc",
        access_log=True,
    ),
    _Query(
        name="payers' starts that were refused",
        filters=("message = 'start refused'",),
        stats="count(*) as starts by merchantId, transactionId, reason",
        sort="starts desc",
    ),
    _Query(
        name="payers' pages, answers by source and status",
        stats="count(*) as requests by sourceIp, resourcePath, status",
        sort="requests desc",
        checkout_log=True,
    ),
)


class SavedQueries(Construct):
    """The console lists them under Logs Insights, Saved queries, PayFlowX, and the environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        functions: Sequence[logs.ILogGroup],
        access_log: logs.ILogGroup,
        checkout_log: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        for number, query in enumerate(_QUERIES, start=1):
            logs.QueryDefinition(
                self,
                f"Query{number:02}",
                query_definition_name=f"PayFlowX/{environment}/{query.name}",
                query_string=logs.QueryString(
                    fields=list(query.fields) or None,
                    filter_statements=list(query.filters) or None,
                    stats_statements=[query.stats] if query.stats else None,
                    sort=query.sort,
                    limit=1000,
                ),
                log_groups=_searched(query, functions, access_log, checkout_log),
            )


def _searched(
    query: _Query, functions: Sequence[logs.ILogGroup], access_log: logs.ILogGroup, checkout_log: logs.ILogGroup
) -> list[logs.ILogGroup]:
    if query.access_log:
        return [access_log]
    return [checkout_log] if query.checkout_log else list(functions)
