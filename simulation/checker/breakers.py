"""BREAKER: an account is passed over only after its calls have failed, and then new payments do not begin there."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from simulation.checker.evidence import Evidence, Violation
from simulation.world import CONFIGURATION
from testing.dynamodb.values import plain_item

_MINUTE_MS: Final = 60_000
_LEAST_FAILED: Final = 5
"""Half of the calls of 30 seconds, at least five, or five in a row: docs/decisions/0038."""
_QUIET_MS: Final = 10 * _MINUTE_MS
_CLOCKS_MS: Final = 7_000
_KNOWN_MS: Final = _MINUTE_MS
"""An instance may know the state for 15 s longer than it is true, and a request may be held up."""
_PASSED_OVER: Final = re.compile(r"passed over: calls of ([a-z_]+)")
_MOST_PROBES: Final = 0.34
"""About 15 of 1,000 payments keep the account as probes: of a few, one may be one."""


@dataclass(frozen=True, slots=True)
class _Span:
    """While new payments pass an account over."""

    from_ms: int
    until_ms: int


def breakers(evidence: Evidence) -> Iterator[Violation]:
    """A breaker opens after five failures, stays open for ten minutes without news, and new payments heed it.

    Of a merchant's payments that another provider could take, few begin at an account that is passed over. A process
    may stand still for minutes after it has decided.
    """
    spans: dict[tuple[str, str], list[_Span]] = defaultdict(list)
    for write in evidence.result.history.writes:
        if write.table != CONFIGURATION or not write.key[0].startswith("H#") or write.after is None:
            continue
        before, after = plain_item(write.before or {}), plain_item(write.after)
        account = (write.key[0].removeprefix("H#"), write.key[1].split("#")[1])
        name = f"{account[1]}@{account[0]}"
        if spans[account] and spans[account][-1].until_ms > write.at_ms:
            spans[account][-1] = _Span(spans[account][-1].from_ms, write.at_ms)
        if "openSince" not in after:
            continue
        spans[account].append(_Span(write.at_ms, after["trialAt"]))
        if "openSince" not in before:
            failed = max(after.get("failed", 0), after.get("failuresInARow", 0))
            if failed < _LEAST_FAILED:
                yield Violation("BREAKER", name, f"was opened after {failed} failures")
            # Its process may have been held up before the write: the time counts from the decision.
            if after["trialAt"] - after["openSince"] < _QUIET_MS:
                yield Violation("BREAKER", name, "was opened for less than ten minutes")
    yield from _not_heeded(evidence, spans)
    yield from _passed_over_for_nothing(evidence, spans)


def _not_heeded(evidence: Evidence, spans: Mapping[tuple[str, str], list[_Span]]) -> Iterator[Violation]:
    kept: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for payment in evidence.payments.values():
        first = payment.versions[0] if payment.versions else None
        if first is None or first[1] is not None or first[2] is None or "checkout" in first[2]:
            continue
        route = [candidate["provider"] for candidate in first[2]["route"]["candidates"]]
        told = _PASSED_OVER.findall(" ".join(first[2]["route"]["reasons"]))
        started = evidence.result.history.invocations.get(first[0].process)
        decided_ms = started.at_ms if started is not None else first[0].at_ms
        for (merchant, provider), found in spans.items():
            if merchant != payment.merchant or not _covers(found, decided_ms):
                continue
            is_able = provider in route or provider in told
            if is_able and any(not _may_be_sick(spans.get((merchant, other), []), decided_ms) for other in route):
                kept[merchant, provider].append(provider in route)
    for (merchant, provider), several in kept.items():
        if sum(several) > max(1, _MOST_PROBES * len(several)):
            what = f"was passed over, and {sum(several)} of {len(several)} new payments have it in their routes"
            yield Violation("BREAKER", f"{provider}@{merchant}", what)


def _passed_over_for_nothing(evidence: Evidence, spans: Mapping[tuple[str, str], list[_Span]]) -> Iterator[Violation]:
    """A merchant's route passes over only what is passed over at this merchant, whatever happens to others.

    A restore keeps the states of accounts, and the history forgets their last writes.
    """
    if evidence.result.forgotten is not None:
        return
    for payment in evidence.payments.values():
        first = payment.versions[0] if payment.versions else None
        if first is None or first[1] is not None or first[2] is None:
            continue
        started = evidence.result.history.invocations.get(first[0].process)
        begun_ms = started.at_ms if started is not None else first[0].at_ms
        for provider in _PASSED_OVER.findall(" ".join(first[2]["route"]["reasons"])):
            mine = _joined(spans.get((payment.merchant, provider), []))
            if not any(s.from_ms <= first[0].at_ms and begun_ms < s.until_ms + _KNOWN_MS for s in mine):
                what = f"passes {provider} over, whose calls have not failed at {payment.merchant}"
                yield Violation("BREAKER", payment.name, what)


def _may_be_sick(spans: list[_Span], at_ms: int) -> bool:
    return any(span.from_ms < at_ms + _CLOCKS_MS and at_ms < span.until_ms + _KNOWN_MS for span in spans)


def _covers(spans: list[_Span], at_ms: int) -> bool:
    """Whether it was passed over then, and every function knew that it was."""
    return any(span.from_ms + _KNOWN_MS < at_ms < span.until_ms - _CLOCKS_MS for span in _joined(spans))


def _joined(spans: list[_Span]) -> list[_Span]:
    """Each write begins a span anew: those that follow one another are one."""
    found: list[_Span] = []
    for span in spans:
        if found and span.from_ms <= found[-1].until_ms:
            found[-1] = _Span(found[-1].from_ms, span.until_ms)
        else:
            found.append(span)
    return found
