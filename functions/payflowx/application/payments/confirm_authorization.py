"""The check of an authorization after a restore, before anything captures it."""

from dataclasses import dataclass

from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import Authorized, Mismatch, Outcome, Unknown
from payflowx.domain.payments.restored import LATER_ATTEMPT_FOUND
from payflowx.domain.shared.statuses import AttemptState


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAuthorization:
    """An attempt whose followers a restore may have forgotten is authorized only if no later key is known.

    The search stops at the first key that a provider knows. That provider may have held the money late: after the
    attempt had been left, and a later one had charged. Whoever captures such an authorization charges a second time.
    """

    search_forgotten: SearchForgotten

    def __call__(self, session: ChargeSession, outcome: Outcome, merchant: Merchant) -> Outcome:
        """Return an inquiry's outcome; of an authorization only if every provider answered about the later keys."""
        window = merchant.restored
        if window is None or not isinstance(outcome, Authorized) or not _may_have_followers(session.attempt):
            return outcome
        search = self.search_forgotten(session.item, merchant, window, session.deadline)
        if search.found is not None:
            return Mismatch(code=LATER_ATTEMPT_FOUND, reference=outcome.reference)
        return outcome if search.complete else Unknown(code="later_keys_unanswered")


def _may_have_followers(attempt: Attempt) -> bool:
    """While the money is held no other attempt starts, so an attempt that is stored as authorized has none."""
    return attempt.is_open and attempt.is_followed_by_search and attempt.state is not AttemptState.AUTHORIZED
