"""Runs a provider's table and writes the report."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ops.certify import cashfree, payu, razorpay, stripe
from ops.certify.bench import Bench
from ops.certify.checks import Check, Finding, Verdict, run_check
from payflowx.domain.shared.limits import SECOND_MS

TABLES: Final[dict[str, Sequence[Check]]] = {
    "stripe": stripe.CHECKS,
    "razorpay": razorpay.CHECKS,
    "cashfree": cashfree.CHECKS,
    "payu": payu.CHECKS,
}


def certify(bench: Bench) -> Iterator[Finding]:
    """Run the rows in order, each once."""
    for check in TABLES[bench.provider]:
        yield run_check(check, bench)


def document(bench: Bench, findings: Sequence[Finding]) -> dict[str, Any]:
    """The report. It holds no key, no token, no id and no personal data."""
    at = datetime.fromtimestamp(bench.clock_ms() // SECOND_MS, UTC)
    return {
        "provider": bench.provider,
        "endpoint": bench.endpoint,
        "run": bench.run,
        "at": at.isoformat().replace("+00:00", "Z"),
        "verdicts": {verdict.value: sum(f.verdict is verdict for f in findings) for verdict in Verdict},
        "checks": [_row(finding) for finding in findings],
    }


def _row(finding: Finding) -> dict[str, Any]:
    answer = finding.answer
    return {
        "name": finding.check.name,
        "question": finding.check.question,
        "verdict": finding.verdict.value,
        "read": " ".join(filter(None, (answer.word, answer.code))),
        "message": answer.message,
        "expected": list(finding.check.expected),
        "exchanges": [
            {"request": exchange.request, "status": exchange.status, "answer": exchange.answer}
            for exchange in finding.exchanges
        ],
    }
