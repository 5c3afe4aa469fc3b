"""Where AWS's own console shows a payment, and the query for its log lines."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from ops.target import Target

_FIELDS: Final = "@timestamp, service, level, message, attempt, provider, state, status, code, reason"


def log_query(transaction_id: str) -> str:
    """The saved query "one payment, everything said about it", for CloudWatch Logs Insights."""
    return f"fields {_FIELDS} | filter transactionId = '{transaction_id}' | sort @timestamp asc | limit 1000"


def of_payment(target: Target, transaction_id: str) -> Mapping[str, str]:
    """Titles and addresses. The local environment has none: X-Ray and Logs Insights do not exist there."""
    if target.is_local:
        return {}
    region = str(target.client("lambda").meta.region_name)
    console = f"https://{region}.console.aws.amazon.com"
    traces = quote(f'annotation.transactionId = "{transaction_id}"', safe="")
    return {
        "Traces in X-Ray": f"{console}/xray/home?region={region}#/traces?filter={traces}",
        "Log lines in Logs Insights": f"{console}/cloudwatch/home?region={region}#logsV2:logs-insights"
        f"$3FqueryDetail$3D{_encoded(log_query(transaction_id))}",
    }


def _encoded(query: str) -> str:
    """The console's own encoding of a query over the last week: each percent sign is `$25` or `*`."""
    text = quote(query, safe="").replace("%", "*")
    detail = f"~(end~0~start~-604800~timeType~'RELATIVE~unit~'seconds~editorString~'{text})"
    return quote(detail, safe="*").replace("%", "$25")
