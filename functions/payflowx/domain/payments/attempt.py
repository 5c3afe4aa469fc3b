"""One logical try to charge at one provider."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final

from payflowx.domain.payments.hosted import (
    FAILED_TRIES,
    FINAL_READ_AFTER_MS,
    HOSTED_EXPIRES_AT,
    HOSTED_METHOD,
    HOSTED_OBJECT,
    HOSTED_RETURN_URL,
    HostedRequest,
)
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.payments.refused_send import RefusedSend, refusal_in
from payflowx.domain.shared.limits import MINUTE_MS
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, OPEN_STATES, AttemptState, DeclineKind

AUTHORIZED_LATE_AT: Final = "authorized_late_at"
"""The fact of the progress behind `Attempt.authorized_late_at_ms`. Release 0.2.0 carries it along."""
ANSWER_STORED: Final = "answer_stored"
"""The fact of the progress behind `Attempt.answer_stored`. Release 0.2.0 carries it along, ignores it and re-sends."""
CAPTURE_WITHIN: Final = "capture_within_minutes"
"""The fact that the charge waits for our capture, with the minutes after which the provider returns the money.

Release 0.2.0 had the provider capture by itself, and stored no such fact.
"""
CAPTURE_SENT_AT: Final = "capture_sent_at"
"""The fact of the progress that a capture of ours may have left, with its time in milliseconds since 1970.

Stored before the capture of a payment with automatic capture, at a provider where we capture. Release 0.2.0 captures
nothing by itself, never writes it and carries it along.
"""
CAPTURE_OF: Final = "capture_of"
"""The fact beside it: the provider's id of the authorization. No other one is captured for the attempt."""
AMOUNT_NAMED_AT: Final = "amount_named_at"
"""The fact behind `Attempt.amount_named_at_ms`. Release 0.2.0 carries it along and ignores it."""
AMOUNTS_REPORTED: Final = "amounts_reported"
"""The fact behind `Attempt.amounts_reported`: numbers with commas. Release 0.2.0 carries it along and ignores it."""
_MAX_AMOUNTS_REPORTED: Final = 20
CLOSED_BY_OPERATOR: Final = "closed_by_operator"
"""The code of an attempt that an operator's evidence closed, or recorded."""
SENT_BEFORE_RESTORE: Final = "sent_before_restore"
SEARCH_FOLLOWS: Final = "search_follows"
"""The fact that a request may have left before the tables were restored, with the time to which they were.

Nothing is sent for such an attempt again. Release 0.2.0 carries it along, ignores it and sends: a restored deployment
must not go back to it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Stored as STARTED, with its provider key and request hash, before any byte leaves."""

    number: int
    provider: str
    account_id: str
    provider_key: str
    request_hash: str
    epoch: int
    started_at_ms: int
    """The time from which its requests can have left: of its first claim, or of the claim that opened it again."""
    state: AttemptState = AttemptState.STARTED
    settled_at_ms: int | None = None
    reference: str | None = None
    progress: Mapping[str, str] = field(default_factory=dict)
    decline_kind: DeclineKind | None = None
    code: str | None = None
    message: str | None = None
    next_action: NextAction | None = None
    deadline_ms: int | None = None
    """The time at which an action or an authorization lapses at the provider."""
    reopens_until_ms: int | None = None
    """The time until which the provider may still turn the closed attempt into a charge."""
    retry_after_seconds: int = 0
    inquiries: int = 0
    """Number of inquiries so far without a new state; sets the delay of the next one."""

    @property
    def refused_send(self) -> RefusedSend | None:
        """The refusal of a capture, void or refund that is not proven yet. Nothing is sent again meanwhile."""
        return refusal_in(self.progress)

    @property
    def authorized_late_at_ms(self) -> int | None:
        """The time at which the provider was found to hold the money for the closed attempt. It is never captured."""
        at_ms = self.progress.get(AUTHORIZED_LATE_AT)
        return None if at_ms is None else int(at_ms)

    @property
    def amount_named_at_ms(self) -> int | None:
        """The time at which a person booked this charge by closing its review, and named what was taken and kept.

        Refunds that were made at the provider before are part of that amount.
        """
        at_ms = self.progress.get(AMOUNT_NAMED_AT)
        return None if at_ms is None else int(at_ms)

    @property
    def amounts_reported(self) -> Set[int]:
        """The other amounts, in the payment's currency, for which the provider's answers or reports opened a review.

        Whoever closed it has seen them.
        """
        text = self.progress.get(AMOUNTS_REPORTED)
        return frozenset(int(amount) for amount in text.split(",")) if text else frozenset()

    def with_amount_reported(self, amount: int) -> "Attempt":
        """Return the attempt with an amount that opens a review. Beyond the limit, each report opens one."""
        if len(self.amounts_reported) >= _MAX_AMOUNTS_REPORTED:
            return self
        amounts = ",".join(str(each) for each in sorted({*self.amounts_reported, amount}))
        return replace(self, progress={**self.progress, AMOUNTS_REPORTED: amounts})

    @property
    def is_sent_before_restore(self) -> bool:
        """Whether its outcome is known to its provider only: it is inquired about and never sent again."""
        return SENT_BEFORE_RESTORE in self.progress

    @property
    def is_followed_by_search(self) -> bool:
        """After a restore, the providers did not prove that nothing was sent after this attempt.

        Once it is closed they are asked again, before anything is sent and before the item ends.
        """
        return SEARCH_FOLLOWS in self.progress

    @property
    def is_open(self) -> bool:
        """The provider may have charged, or may still charge: no other attempt may start."""
        return self.state in OPEN_STATES

    @property
    def answer_stored(self) -> bool:
        """The provider returns its stored, undecided answer to every re-send: only reads learn more."""
        return ANSWER_STORED in self.progress

    @property
    def capture_sent_at_ms(self) -> int | None:
        """The time from which our own capture may have left; None if none has.

        From then on the attempt is never declined, cancelled or failed over, until a read shows that the money was not
        captured and was given back.
        """
        sent_at = self.progress.get(CAPTURE_SENT_AT)
        return None if sent_at is None else int(sent_at)

    @property
    def held_for_us_until_ms(self) -> int | None:
        """The earliest time at which the provider may return what we have not captured; None where it captures."""
        within = self.progress.get(CAPTURE_WITHIN)
        return None if within is None else self.started_at_ms + int(within) * MINUTE_MS

    @property
    def capture_of(self) -> str | None:
        """The authorization that our own capture was sent for; None if none was, or its id was not stored."""
        return self.progress.get(CAPTURE_OF)

    @property
    def hosted(self) -> HostedRequest | None:
        """The hosted object that the attempt creates; None for a charge that we send."""
        if HOSTED_METHOD not in self.progress:
            return None
        return HostedRequest(
            method=self.progress[HOSTED_METHOD],
            expires_at_ms=int(self.progress[HOSTED_EXPIRES_AT]),
            return_url=self.progress[HOSTED_RETURN_URL],
            object_id=self.progress.get(HOSTED_OBJECT),
        )

    @property
    def is_hosted_unopened(self) -> bool:
        """The attempt creates a hosted object whose address was not given out: nobody can have paid it."""
        is_unopened = HOSTED_METHOD in self.progress and HOSTED_OBJECT not in self.progress
        return is_unopened and not self.is_sent_before_restore

    @property
    def final_read_at_ms(self) -> int | None:
        """The time of the last read of a paid hosted object; None for any other attempt."""
        hosted = self.hosted if self.state is AttemptState.SUCCEEDED else None
        return hosted.expires_at_ms + FINAL_READ_AFTER_MS if hosted else None

    @property
    def failed_tries(self) -> int:
        """The payer's failed tries inside the hosted object, as far as inquiries showed them."""
        return int(self.progress.get(FAILED_TRIES, "0"))

    @property
    def is_proven_uncharged(self) -> bool:
        """The attempt is closed without a charge, and the provider cannot reverse that any more."""
        return self.state in NO_CHARGE_STATES and not self.is_watched

    @property
    def may_prove_late(self) -> bool:
        """The attempt is closed without an effect; only a provider's proof of one changes that."""
        return self.state in NO_CHARGE_STATES

    @property
    def is_watched(self) -> bool:
        """Inquiries continue about a closed attempt that the provider may still turn into a charge.

        It may reopen a decline, or holds the money of an attempt that was left. Release 0.2.0 left `reopens_until_ms`
        on attempts that had succeeded meanwhile: those are not watched.
        """
        return self.state in NO_CHARGE_STATES and self.reopens_until_ms is not None

    def may_reopen(self, now_ms: int) -> bool:
        """The provider may still turn this closed attempt into a charge."""
        return self.is_watched and now_ms < (self.reopens_until_ms or 0)
