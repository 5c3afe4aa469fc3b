"""One certification from the command line: the account is examined, then the table is run."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.certify.accounts import RULES, why_refused
from ops.certify.bench import Bench
from ops.certify.checks import Finding, Verdict
from ops.certify.runner import certify, document
from payflowx.adapters.platform.http import Urllib3Client
from payflowx.domain.payments.outcome import UNAUTHORIZED
from payflowx.domain.shared.transport import Credentials


class LiveAccountError(Exception):
    """The account is live, or does not show that it is not. Nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """`differs`: our connector read at least one answer otherwise than expected."""

    report: dict[str, Any]
    differs: bool


def certified(
    provider: str,
    secret: Mapping[str, str],
    *,
    endpoint: str | None,
    token: str | None,
    with_payer: bool,
    say: Callable[[str], None],
) -> Certified:
    """Run a provider's table. Raises `LiveAccountError` before the first request."""
    credentials = Credentials(key_id=secret["keyId"], key_secret=secret["keySecret"])
    address = (endpoint or RULES[provider].endpoint).rstrip("/")
    reason = why_refused(provider, address, credentials)
    if reason is not None:
        raise LiveAccountError(reason)
    bench = Bench(
        provider=provider,
        endpoint=address,
        credentials=credentials,
        token=token,
        client=Urllib3Client(),
        clock_ms=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
        payer=(lambda url: say(f"Pay here, within five minutes: {url}")) if with_payer else None,
    )
    findings = []
    for finding in certify(bench):
        findings.append(finding)
        say(_line(finding))
    for reason in _reasons(findings, address):
        say(reason)
    differs = any(finding.verdict is Verdict.DIFFERS for finding in findings)
    return Certified(report=document(bench, findings), differs=differs)


def _line(finding: Finding) -> str:
    said = f"{finding.verdict.value:12}  {finding.check.name}: {finding.answer.word}"
    if finding.verdict is not Verdict.DIFFERS:
        return said
    return f"{said} {finding.answer.code} (expected: {' or '.join(finding.check.expected)})"


def _reasons(findings: Sequence[Finding], address: str) -> Iterator[str]:
    """Yield what the differences have in common, where they say nothing about our connector."""
    answers = [finding.answer for finding in findings if finding.verdict is Verdict.DIFFERS]
    if any(answer.code == UNAUTHORIZED for answer in answers):
        yield f"{address} refused these credentials, or what this account may not do. Check keyId and keySecret."
    if any(answer.word == "NotSent" for answer in answers):
        yield f"No connection to {address} could be opened for some requests. They say nothing about the provider."
