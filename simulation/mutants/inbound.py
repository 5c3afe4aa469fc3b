"""Broken designs of provider events."""

from typing import Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.payments.attempt_store import DynamoDBAttemptStore
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.domain.payments import balances, claim, closed_attempts, operation_state_machine, provider_refund
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.providers import mock_signatures
from payflowx.providers.cashfree import signature as cashfree_signature
from payflowx.providers.payu import signature as payu_signature
from payflowx.providers.razorpay import signature as razorpay_signature
from payflowx.providers.stripe import signature as stripe_signature
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "inbound_webhooks"
_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)

_NOT_REVIEWED: Final = Edit(balances, "is_off_balance", "return payment", "return False and payment")

INBOUND: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "signatures are not verified",
        Edit(mock_signatures, "_is_signed", "return any(matches)", "return True or any(matches)"),
        Edit(razorpay_signature, "is_signed", "return any(matches)", "return True or any(matches)"),
        Edit(cashfree_signature, "is_signed", "return found", "return True or found"),
        Edit(payu_signature, "is_signed", "return found", "return True or found"),
        Edit(stripe_signature, "verify", "if not (genuine and recent):", "if not recent:"),
    ),
    broken(
        _ROOM,
        "the merchant of an event is not compared",
        Edit(MatchEvent, "_found", "if owner.merchant_id != inbound.merchant_id:", "if False:"),
    ),
    broken(
        _ROOM,
        "the account of an event is not compared",
        Edit(
            MatchEvent,
            "_found",
            "if (attempt.provider, attempt.account_id) != (inbound.provider, inbound.account_id):",
            "if False:",
        ),
        survives=(
            "References are looked up by provider and account, and a key of ours is sent to one account only. It takes "
            "an account of the same merchant that claims another account's key: both would have to be the merchant's "
            "own, and the success would still be verified."
        ),
    ),
    broken(
        _ROOM,
        "an event is looked up at every merchant",
        Edit(MatchEvent, "_charge_owner", "merchant_id=inbound.merchant_id,", 'merchant_id="acme",'),
        Edit(MatchEvent, "_found", "if owner.merchant_id != inbound.merchant_id:", "if False:"),
    ),
    broken(
        _ROOM,
        "the proof of an event is not verified",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            ProcessProviderEvent,
            "_prove",
            "verify_outcome(claimed, item.owner, attempt, first_send=False)",
            "claimed",
        ),
    ),
    broken(
        _ROOM,
        "an event closes a charge that is just being captured",
        _NOT_CHECKED,
        Edit(
            ProcessProviderEvent,
            "_apply",
            "if open_operation is not None and found.attempt.state is AttemptState.AUTHORIZED:",
            "if False:",
        ),
    ),
    broken(
        _ROOM,
        "any event about a charge is its success",
        Edit(
            ProcessProviderEvent,
            "_prove",
            "if not isinstance(claimed, Succeeded):",
            "if item.operation is None and attempt.is_open:\n"
            "        claimed = Succeeded(reference='ch_x', amount=item.owner.amount, currency=item.owner.currency,\n"
            "                            merchant_reference=attempt.provider_key)\n"
            "    if not isinstance(claimed, Succeeded):",
        ),
    ),
    broken(
        _ROOM,
        "an event that arrives while a worker is busy is dropped",
        Edit(ProcessProviderEvent, "_put_back_or_drop", "self._put_back(inbound) or ", ""),
    ),
    broken(
        _ROOM,
        "an event is not marked as seen",
        Edit(DynamoDBPayments, "_commit_parts", "if change.seen is not None:", "if False:"),
        Edit(
            DynamoDBAttemptStore,
            "expedite",
            "(Part.SEEN, writes.seen_event(table, before.merchant_id, seen)),",
            "",
        ),
        survives=(
            "The row saves work. A repeated proof meets a closed attempt, and the transition table refuses it; "
            "a repeated hint expedites an inquiry that is due already, within the limit of I13."
        ),
    ),
    broken(
        _ROOM,
        "a hint starts the next attempt at once",
        Edit(closed_attempts, "ask", "event_inquiries=asked,", "event_inquiries=asked, ready_at_ms=now_ms,"),
    ),
    broken(
        _ROOM,
        "a hint about a closed attempt causes as many inquiries as there are events",
        Edit(EventInquiries, "next_at_ms", "self.count >= MAX_EVENT_INQUIRIES_A_DAY", "False"),
        survives=(
            "The providers post each event a few times, never as often as the bound. The bound is for a sender who "
            "floods; `tests/unit/application/inbound_webhooks/test_closed_attempts.py` floods."
        ),
    ),
    broken(
        _ROOM,
        "an event about a closed attempt does not hold the next one",
        Edit(claim, "_further_attempt", "if is_waiting(payment):", "if False:"),
        Edit(claim, "decide_claim", "if hinted is not None:", "if False:"),
    ),
    broken(
        _ROOM,
        "a hint about a charge starts the next attempt of its capture at once",
        Edit(
            operation_state_machine,
            "expedite_operation",
            "if operation.status is OperationStatus.PENDING and (last is None or not last.is_open):",
            "if False:",
        ),
        scenario="cancellations",
    ),
    broken(
        _ROOM,
        "a refund made at the provider is booked by each event about it",
        _NOT_CHECKED,
        Edit(provider_refund, "owner_of", "return next(", "return None and next("),
        Edit(
            provider_refund,
            "external_refund",
            'charge.reference or "", refund.reference\n',
            'charge.reference or "", refund.reference, str(now_ms)\n',
        ),
        Edit(DynamoDBPayments, "_commit_parts", "if change.reference and change.attempt_number:", "if False:"),
    ),
    broken(
        _ROOM,
        "a refund of ours is booked as made at the provider",
        _NOT_CHECKED,
        Edit(
            provider_refund,
            "decide_refund",
            'if parse_provider_key(refund.provider_key or "") is not None or',
            "if",
        ),
        Edit(provider_refund, "owner_of", "return next(", "return None and next("),
        Edit(
            provider_refund, "is_recorded", 'if parse_provider_key(refund.provider_key or "") is not None:', "if False:"
        ),
        Edit(DynamoDBPayments, "_commit_parts", "if change.reference and change.attempt_number:", "if False:"),
    ),
    broken(
        _ROOM,
        "a refund without a key is booked although ours may be it",
        Edit(
            provider_refund,
            "decide_refund",
            "if refund.provider_key is None and any(is_unresolved(operation) for operation in operations):",
            "if False:",
        ),
        Edit(provider_refund, "decide_refund", 'parse_provider_key(refund.provider_key or "") is not None or', ""),
    ),
    broken(
        _ROOM,
        "references are not kept by account",
        Edit(keys, "reference_key", "R#{provider}#{account_id}#{reference}", "R#{provider}#{reference}"),
        survives=(
            "The simulators' ids are unique over all accounts, as the real providers' are; the account in the key "
            "is for a provider whose ids are not. Merchants are compared when an event is matched."
        ),
    ),
    broken(
        _ROOM,
        "an event that cannot be matched yet is dropped",
        Edit(
            ProcessProviderEvent,
            "_put_back",
            "if inbound.tries >= len(PROVIDER_EVENT_RETRY_DELAYS_SECONDS):",
            "if True:",
        ),
        Edit(ProcessProviderEvent, "_not_found", "if why is Unmatched.OURS_UNKNOWN:", "if False:"),
        scenario="disputes",
    ),
    broken(
        _ROOM,
        "a webhook is answered and not queued",
        Edit(ReceiveWebhook, "__call__", "self.provider_events.send(inbound)", "pass"),
        scenario="disputes",
    ),
    broken(
        "inbound_webhooks",
        "changes by provider events are told as a worker's",
        Edit(ProcessProviderEvent, "_context", 'actor="webhook"', 'actor="worker"'),
    ),
    broken(
        "inbound_webhooks",
        "an event may be signed by any merchant of the deployment",
        Edit(
            ReceiveWebhook,
            "__call__",
            "valid = self.secrets.webhook_secrets(owner.account.secret_arn)",
            "secret = owner.account.secret_arn\n"
            "    both = (secret.replace('globex', 'acme'), secret.replace('acme', 'globex'))\n"
            "    valid = [key for each in both for key in self.secrets.webhook_secrets(each)]",
        ),
    ),
    broken(
        "inbound_webhooks",
        "an event about a failure declines the attempt",
        Edit(ProcessProviderEvent, "_prove", "if not isinstance(claimed, Succeeded):", "if claimed is None:"),
        Edit(ProcessProviderEvent, "_prove", "if not isinstance(outcome, Succeeded):", "if outcome is None:"),
        survives="The connectors read no proof but a success from an event: everything else is a hint.",
    ),
)
