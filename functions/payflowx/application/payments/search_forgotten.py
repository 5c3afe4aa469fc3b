"""The search for charges and operations that a restore has forgotten: it reads at providers and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from payflowx.application.payments.charge_request import new_charge_request_of
from payflowx.application.payments.operation_request import numbered_operation_request_of
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedRequest
from payflowx.domain.payments.outcome import Declined, NotFound, Outcome, Unknown
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import KeyInQuestion, Search, is_routed_anew, keys_in_question
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Account, ChargeRequest, Providers
from payflowx.domain.shared.ambient import Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForgotten:
    """Inquires about every key that may have been used in the forgotten time, until one is found."""

    providers: Providers
    max_retries: int

    def __call__(self, item: WorkItem, merchant: Merchant, window: RestoreWindow, deadline: Deadline) -> Search:
        """Return what the providers know; an account that is gone, or does not answer, leaves it incomplete."""
        proven = True
        candidates = self._candidates(item, merchant, window)
        for key in keys_in_question(item, candidates, max_retries=self.max_retries):
            account = merchant.account(key.candidate.provider, key.candidate.account_id)
            if account is None or deadline.remaining_ms() < MIN_TIME_TO_SEND_MS:
                return Search(complete=False, proven=False)
            outcome = self._inquire(item, key, account, window)
            match outcome:
                case NotFound(complete=complete):
                    able = self.providers.get(key.candidate.provider).capabilities
                    is_whole_list = complete and item.operation is not None
                    proven = proven and (able.absence_is_proof or is_whole_list)
                case Unknown():
                    return Search(complete=False, proven=False)
                case _ if self._is_read_from_charge(item, key) and _shows_no_further_key(item, outcome):
                    return Search()
                case _:
                    return Search(found=key, proven=False)
        return Search(proven=proven)

    def _candidates(self, item: WorkItem, merchant: Merchant, window: RestoreWindow) -> Sequence[Candidate]:
        """Return where the item may have been sent: by its route, or anywhere if that may have been another one."""
        payment = item.payment
        if item.operation is not None:
            charge = payment.attempt(item.operation.charge_attempt)
            return (Candidate(provider=charge.provider, account_id=charge.account_id),)
        routed = payment.route.candidates
        if not is_routed_anew(payment, window):
            return routed
        others = (Candidate(provider=a.provider, account_id=a.account_id) for a in merchant.accounts)
        return (*routed, *(other for other in others if other not in routed and self._may_have_taken(payment, other)))

    def _may_have_taken(self, payment: Payment, candidate: Candidate) -> bool:
        """Return whether any route can have led there: never to a provider that cannot take such a payment."""
        able = self.providers.capabilities().get(candidate.provider)
        if able is None:
            return False
        if payment.checkout is not None:
            return able.hosted is not None and (able.currencies is None or payment.currency in able.currencies)
        return not able.why_not(
            currency=payment.currency,
            capture=payment.capture,
            payment_method_type=payment.payment_method.type,
            save_payment_method=payment.save_payment_method,
        )

    def _is_read_from_charge(self, item: WorkItem, key: KeyInQuestion) -> bool:
        able = self.providers.get(key.candidate.provider).capabilities
        return item.operation is not None and item.operation.kind in able.operations_read_from_charge

    def _inquire(self, item: WorkItem, key: KeyInQuestion, account: Account, window: RestoreWindow) -> Outcome:
        provider = self.providers.get(key.candidate.provider)
        if item.operation is not None:
            request = numbered_operation_request_of(item.payment, item.operation, key.number)
            return provider.inquire_operation(request, account)
        return provider.inquire(_charge_in_question(item, key, window), account)


def _shows_no_further_key(item: WorkItem, outcome: Outcome) -> bool:
    """Return whether the charge's state, which is the same for every key, is no sign of an attempt that is not stored.

    A charge that ended otherwise leaves every key without effect: an ordinary request is refused, and its answer ends
    the operation. A charge that moved was moved by the open attempt, if there is one: its inquiry judges that.
    """
    return isinstance(outcome, Declined) or any(attempt.is_open for attempt in item.owner.attempts)


def _charge_in_question(item: WorkItem, key: KeyInQuestion, window: RestoreWindow) -> ChargeRequest:
    """Return the request of a key that is not stored: sent at the earliest when the forgotten time began."""
    payment, checkout = item.payment, item.payment.checkout
    sent_at_ms = max(payment.created_at_ms, window.restored_to_ms)
    if payment.created_at_ms > window.stopped_at_ms:
        sent_at_ms = window.restored_to_ms  # accepted again under its key; what was forgotten is older than the item
    request = new_charge_request_of(payment, key.candidate.provider, key.number)
    request = replace(request, sent_at_ms=sent_at_ms)
    if checkout is None:
        return request
    method = checkout.choice.method if checkout.choice else CHECKOUT_METHODS[0]
    hosted = HostedRequest(method=method, expires_at_ms=checkout.expires_at_ms, return_url="")
    return replace(request, hosted=hosted)
