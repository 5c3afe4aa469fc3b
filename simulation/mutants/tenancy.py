"""Broken designs of merchants: tenancy, credentials, personal data, erasure."""

from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.platform import secrets_manager
from payflowx.adapters.platform.secrets_manager import SecretsManagerSecrets
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.payments import attempt_engine, change, erasure
from payflowx.entrypoints.api.payments import presenting
from simulation.mutants.mutant import Edit, Mutant, Patches, broken, replaced

_ROOM: Final = "merchants"


def _customer_in_the_audit_log(*names: str) -> Patches:
    original = change.change_of

    def change_of(before: Any, after: Any, event_type: str, facts: Any, *more: Any, **known: Any) -> Any:
        customer = before.customer
        told = {name: getattr(customer, name) for name in names if customer and getattr(customer, name)}
        return original(before, after, event_type, {**facts, **told}, *more, **known)

    return replaced(change, "change_of", change_of)


def _logged(fact: str) -> Patches:
    """The result of an outcome is logged together with a fact of the payer."""
    original = OutcomeWriter._log_change

    def log_change(self: OutcomeWriter, made: Any) -> None:
        original(self, made)
        customer = made.after.customer
        value = getattr(customer, fact) if customer else None
        self.telemetry.info("outcome", payer=value)

    return [patch.object(OutcomeWriter, "_log_change", log_change)]


def _token_in_the_message() -> Patches:
    original = OutcomeWriter._log_change

    def log_change(self: OutcomeWriter, made: Any) -> None:
        original(self, made)
        self.telemetry.info("outcome", method=made.after.payment_method.token)

    return [patch.object(OutcomeWriter, "_log_change", log_change)]


TENANCY: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "merchants are cached under one key",
        Edit(DynamoDBMerchantConfiguration, "get", "self.cache.get(merchant_id,", 'self.cache.get("",'),
    ),
    broken(
        _ROOM,
        "credentials are cached under one key",
        Edit(
            SecretsManagerSecrets,
            "text",
            "self.cache.get(secret_arn,",
            'self.cache.get(secret_arn.replace("globex", "acme"),',
        ),
    ),
    broken(
        _ROOM,
        "a payment is found without its merchant",
        Edit(keys, "payment_partition", 'f"M#{merchant_id}#P#', 'f"M#acme#P#'),
    ),
    broken(
        _ROOM,
        "the list of payments is everyone's",
        Edit(keys, "merchant_day", 'f"M#{merchant_id}#P#', 'f"M#acme#P#'),
    ),
    broken(_ROOM, "erasure keeps the token", Edit(erasure, "erase_payment", "token=None, tokens={}", "tokens={}")),
    broken(_ROOM, "erasure keeps the customer", Edit(erasure, "erase_payment", "customer=None,", "")),
    broken(_ROOM, "erasure keeps the description", Edit(erasure, "erase_payment", "description=None,", "")),
    broken(_ROOM, "erasure keeps the metadata", Edit(erasure, "erase_payment", "metadata={},", "")),
    broken(_ROOM, "erasure keeps the return address", Edit(erasure, "erase_payment", "return_url=None,", "")),
    broken(
        _ROOM,
        "erasure keeps what can pay an order",
        Edit(erasure, "_erase_attempt", "ERASED_FACT if name in BEARER_FACTS else value", "value"),
    ),
    broken(
        _ROOM,
        "erasure is confirmed and not stored",
        Edit(
            ErasePersonalData,
            "__call__",
            "if payment == erase_payment(payment) or self._erase_payment(payment, operator_action):",
            "if True:",
        ),
    ),
    broken(
        _ROOM,
        "a payment with an open refund is erased",
        Edit(
            ErasePersonalData,
            "_left",
            "if payment.open_capture_or_void is not None or any(is_operation_open(o, now_ms) for o in operations):",
            "if False:",
        ),
    ),
    broken(
        "merchants",
        "an erasure keeps the expired lease of a refund",
        Edit(
            ErasePersonalData,
            "_erase_operation",
            "operation.lease.after_change_by_another(self.clock.now_ms())",
            "operation.lease",
        ),
    ),
    Mutant(_ROOM, "name and phone in the audit log", lambda: _customer_in_the_audit_log("name", "phone")),
    Mutant(_ROOM, "the e-mail address in the audit log", lambda: _customer_in_the_audit_log("email")),
    Mutant(_ROOM, "the payer's name in the log", lambda: _logged("name")),
    Mutant(_ROOM, "the payer's phone in the log", lambda: _logged("phone")),
    Mutant(_ROOM, "the token in the log", _token_in_the_message),
    broken(
        _ROOM,
        "the token is shown",
        Edit(
            presenting,
            "present_payment",
            "payment_method_type=payment.payment_method.type,",
            "payment_method_type=payment.payment_method.token or payment.payment_method.type,",
        ),
    ),
    broken(
        "merchants",
        "a payment is erased beside the lease of its worker",
        Edit(erasure, "is_payment_open", "or payment.lease.is_live(now_ms)", ""),
        survives=(
            "A worker's write requires the version that it has read: after the erasure it reads the payment anew, and "
            "whatever it writes to an erased payment is written without personal data."
        ),
    ),
    broken(
        "merchants",
        "erasure keeps the providers' sentences",
        Edit(
            erasure,
            "_erase_attempt",
            "next_action=None, message=None, progress=progress",
            "next_action=None, progress=progress",
        ),
    ),
    broken(
        "merchants",
        "erasure leaves the operations out",
        Edit(
            ErasePersonalData,
            "_left",
            "return [operation for operation in operations if operation != erase_operation(operation)]",
            "return []",
        ),
    ),
    broken(
        "merchants",
        "erasure keeps the name of the order",
        Edit(erasure, "erase_payment", "order=replace(payment.order, order_id=None) if payment.order else None,", ""),
    ),
    broken(
        "merchants",
        "erasure keeps the receipt's address",
        Edit(erasure, "erase_payment", "receipt_email=None,", ""),
    ),
    Mutant(
        "merchants",
        "operators' changes leave no entry in their log",
        lambda: [patch.object(DynamoDBMerchantDirectory, "record", lambda _self, _record: None)],
    ),
    broken(
        "merchants",
        "during a rotation only the new webhook secret is valid",
        Edit(
            secrets_manager,
            "_webhook_secrets",
            'return current, _webhook_secret(fields["previous"])',
            "return (current,)",
        ),
        scenario="rotations",
    ),
    broken(
        "merchants",
        "what is written after an erasure is not erased",
        Edit(change, "change_of", "if before.erased:", "if False:"),
        scenario="erasures",
    ),
    broken(
        "merchants",
        "inquiries after an erasure keep the providers' sentences",
        Edit(attempt_engine, "schedule", "if item.payment.erased:", "if False:"),
        scenario="erasures",
    ),
)
