"""A new secret leaves every address valid that somebody may still hold."""

from dataclasses import dataclass, field

import pytest

from payflowx.adapters.platform.checkout_tokens import SignedCheckoutTokens
from payflowx.application.checkout.rotate_secret import MIN_INTERVAL_MS, RotateCheckoutSecret
from payflowx.domain.checkout.signing_secret import SecretVersion
from payflowx.domain.checkout.tokens import Bearer, Purpose
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.checkout import MAX_LIFETIME_SECONDS, SHOWN_AFTER_MS
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from tests.support.memory import CountingRandomness, ManualClock

WHO = OperatorAction(who="ada", why="TICKET-1")
BEARER = Bearer(purpose=Purpose.PAY, merchant_id="acme", transaction_id="pay_1")


@dataclass
class Vault:
    clock: ManualClock
    texts: list[str] = field(default_factory=lambda: ["first"])
    created_at_ms: int = 0
    is_taken: bool = False
    records: list[AuditEntry] = field(default_factory=list)

    def current(self) -> SecretVersion:
        return SecretVersion(version_id=str(len(self.texts)), created_at_ms=self.created_at_ms)

    def replace(self, current: SecretVersion, text: str) -> bool:
        assert self.records, "the audit entry comes first"
        if self.is_taken or current != self.current():
            return False
        self.texts.insert(0, text)
        self.created_at_ms = self.clock.now_ms()
        return True

    def keys(self) -> list[str]:
        return self.texts[:2]

    def record(self, record: AuditEntry) -> None:
        self.records.append(record)

    def records_of(self, month: str, *, limit: int) -> list[AuditEntry]:
        raise NotImplementedError


def rotation(vault: Vault) -> RotateCheckoutSecret:
    return RotateCheckoutSecret(
        secret=vault,
        audit_log=vault,  # type: ignore[arg-type]  # a rotation only records
        clock=vault.clock,
        randomness=CountingRandomness(),
    )


def test_the_longest_address_outlives_no_rotation() -> None:
    vault = Vault(ManualClock())
    tokens = SignedCheckoutTokens(keys=vault.keys)
    expires_at_ms = vault.clock.now_ms() + MAX_LIFETIME_SECONDS * SECOND_MS + SHOWN_AFTER_MS
    token = tokens.sign(BEARER, expires_at_ms)
    free_at_ms = rotation(vault)(WHO)
    assert free_at_ms == vault.clock.now_ms() + MIN_INTERVAL_MS
    assert tokens.open(token, vault.clock.now_ms()) == BEARER
    vault.clock.advance((expires_at_ms - vault.clock.now_ms()) / 1000 - 1)
    assert tokens.open(token, vault.clock.now_ms()) == BEARER
    with pytest.raises(Refusal, match="in 2 days"):
        rotation(vault)(WHO)
    vault.clock.advance(1 + DAY_MS / 1000)
    rotation(vault)(WHO)
    assert tokens.open(token, expires_at_ms - 1) is None
    assert [entry.action for entry in vault.records] == ["checkout.secret_rotated"] * 2


def test_of_two_operators_at_once_one_is_refused() -> None:
    vault = Vault(ManualClock(), is_taken=True)
    with pytest.raises(Refusal, match="just now"):
        rotation(vault)(WHO)
