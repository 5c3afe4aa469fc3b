"""The record of an outcome on an attempt, for payments and operations alike. Pure."""

from dataclasses import replace

from payflowx.domain.payments.attempt import ANSWER_STORED, Attempt
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.hosted import FAILED_TRIES, HOSTED_OBJECT, FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.refused_send import RefusedSend, with_refusal, without_refusal
from payflowx.domain.payments.verification import state_of
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.statuses import AttemptState


def record_on_attempt(attempt: Attempt, outcome: Outcome, context: Context) -> Attempt:
    """Return the attempt with the outcome recorded."""
    state = state_of(outcome)
    if state is None:
        raise ValueError("NotFound has no attempt state")
    known = replace(
        attempt,
        state=state,
        decline_kind=None,
        code=None,
        message=None,
        next_action=None,
        deadline_ms=None,
        reopens_until_ms=None,
        progress=without_refusal(attempt.progress),
        inquiries=0,
    )
    if state is not AttemptState.UNKNOWN:
        known = replace(known, settled_at_ms=context.now_ms)
    able = context.able
    match outcome:
        case Succeeded() | ConfirmedCancelled() | Accepted():
            return replace(known, reference=outcome.reference or attempt.reference)
        case Mismatch():
            differing = replace(known, reference=outcome.reference or attempt.reference, code=outcome.code)
            return _with_amount(differing, outcome)
        case Authorized():
            lifetime_ms = able.authorization_lifetime_ms if able else 0
            lapses_at_ms = outcome.lapses_at_ms or context.now_ms + lifetime_ms
            return replace(known, reference=outcome.reference, deadline_ms=lapses_at_ms)
        case ActionRequired():
            lifetime_ms = able.action_lifetime_ms if able else 0
            waiting = replace(
                known,
                reference=outcome.reference or attempt.reference,
                next_action=outcome.action,
                deadline_ms=context.now_ms + lifetime_ms,
            )
            return _opened(waiting, outcome) if attempt.hosted else waiting
        case Declined():
            reopens_ms = outcome.reopens_for_seconds * SECOND_MS
            return replace(
                known,
                reference=outcome.reference or attempt.reference,
                decline_kind=outcome.kind,
                code=outcome.code,
                message=outcome.message,
                reopens_until_ms=context.now_ms + reopens_ms if reopens_ms else None,
            )
        case Rejected():
            return replace(
                known,
                code=outcome.code,
                message=outcome.message,
                retry_after_seconds=outcome.retry_after_seconds,
            )
        case Unknown():
            return learned(replace(known, code=outcome.code, message=outcome.message), outcome)
        case NotSent():
            return replace(known, code=outcome.code)
        case NotFound():
            raise ValueError("NotFound has no attempt state")


def _with_amount(attempt: Attempt, mismatch: Mismatch) -> Attempt:
    """Return the attempt with the other amount that the provider reports, if that is what differs."""
    if mismatch.code != "amount_differs" or mismatch.amount is None:
        return attempt
    return attempt.with_amount_reported(mismatch.amount)


def _opened(waiting: Attempt, outcome: ActionRequired) -> Attempt:
    """Return the attempt of a hosted object: from this write on, its address may have been given out."""
    hosted = waiting.hosted
    if hosted is None:
        raise ValueError("the attempt has no hosted object")
    object_id = hosted.object_id or outcome.reference or ""
    progress = {**waiting.progress, HOSTED_OBJECT: object_id}
    return _tried(replace(waiting, progress=progress, deadline_ms=hosted.expires_at_ms), outcome.failed_tries)


def _tried(attempt: Attempt, tries: FailedTries | None) -> Attempt:
    """Return the attempt with the last failed try inside its open object, if it is a further one."""
    if tries is None or tries.count <= attempt.failed_tries:
        return attempt
    progress = {**attempt.progress, FAILED_TRIES: str(tries.count)}
    return replace(attempt, progress=progress, code=tries.code, message=tries.message)


def learned(attempt: Attempt, outcome: Outcome) -> Attempt:
    """Return the attempt with what an outcome says beside a state that it does not change. Writes no event."""
    match outcome:
        case Authorized(lapses_at_ms=int(lapses_at_ms)) if attempt.state is AttemptState.AUTHORIZED:
            return replace(attempt, deadline_ms=lapses_at_ms)
        case ActionRequired() if attempt.state is AttemptState.REQUIRES_ACTION and attempt.hosted is not None:
            return _tried(attempt, outcome.failed_tries)
        case Unknown(stored=True) if attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}:
            return replace(attempt, progress={**attempt.progress, ANSWER_STORED: "true"})
        case Unknown(refused=RefusedSend() as refused) if attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}:
            progress = with_refusal(attempt.progress, refused)
            return replace(attempt, code=outcome.code, message=outcome.message, progress=progress)
        case _:
            return attempt


def attempt_facts(recorded: Attempt) -> dict[str, Fact]:
    """Return an event's facts about an attempt.

    No free text: a provider's message may hold data that must not be in an audit log.
    """
    facts: dict[str, Fact] = {
        "attempt": recorded.number,
        "provider": recorded.provider,
        "accountId": recorded.account_id,
        "providerKey": recorded.provider_key,
        "startedAtMs": recorded.started_at_ms,
        "epoch": recorded.epoch,
    }
    optional = {"reference": recorded.reference, "code": recorded.code, "declineKind": recorded.decline_kind}
    return facts | {name: str(value) for name, value in optional.items() if value is not None}
