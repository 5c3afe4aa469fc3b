"""A settlement file of any size that nobody holds, and a book with a charged payment for each of its rows.

The file is made as it is read, and the book answers from the number in a row's key: what is left is the reconciler.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from payflowx.adapters.settlement_files import S3SettlementFiles
from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import PaymentPage, PaymentQuery
from payflowx.domain.reconciliation.run import Run, Source
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.providers.registry import connector
from tests.support.memory import RecordingTelemetry
from tests.support.reconciliation import DECISION, ReconciliationWorld
from tests.support.world import MERCHANT

_DIGITS: Final = "abcdefghijklmnop"
_ROW: Final = "{id},PAYMENT,SUCCESS,2026-09-21 19:43:20,499.00,INR,487.22,{key},{id},,77,UTR1\n"
_HEADER: Final = (
    b"event_id,event_type,event_status,event_time,event_amount,event_currency,event_settlement_amount,"
    b"order_id,cf_payment_id,refund_id,cf_settlement_id,settlement_utr\n"
)
_FIRST_ID: Final = 10_000_000
"""All ids have eight digits, so all rows have one length."""


def transaction_id(number: int) -> str:
    """The id of the payment that a row is about."""
    return "pay_" + "".join(_DIGITS[int(digit, 16)] for digit in f"{number:016x}")


def number_of(transaction: str) -> int:
    """The reverse."""
    return int("".join(f"{_DIGITS.index(char):x}" for char in transaction[-16:]), 16)


@dataclass(frozen=True)
class HugeFile:
    """A file that nobody holds."""

    rows: int

    @cached_property
    def _length(self) -> int:
        return len(self._row(0))

    @property
    def size(self) -> int:
        """In bytes."""
        return len(_HEADER) + self.rows * self._length

    @staticmethod
    def _row(number: int) -> bytes:
        return _ROW.format(id=_FIRST_ID + number, key=derive_provider_key(transaction_id(number), 1)).encode()

    def read(self, first: int, end: int) -> bytes:
        """These bytes of it."""
        begin = max(0, first - len(_HEADER)) // self._length
        last = min(self.rows, max(0, end - len(_HEADER)) // self._length + 1)
        data = (_HEADER if first < len(_HEADER) else b"") + b"".join(self._row(n) for n in range(begin, last))
        offset = 0 if first < len(_HEADER) else len(_HEADER) + begin * self._length
        return data[first - offset : min(end, self.size) - offset]

    def get_object(self, *, Range: str, **_names: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """As S3 answers."""
        first, last = (int(part) for part in Range.removeprefix("bytes=").split("-"))
        data = self.read(first, last + 1)
        return {"Body": io.BytesIO(data), "ContentRange": f"bytes {first}-{first + len(data) - 1}/{self.size}"}


class ComputedLookups:
    """A book with a charged payment for every row; what is noted is one bit a row."""

    def __init__(self, template: Payment, rows: int) -> None:
        self.template = template
        self.noted = bytearray(rows // 8 + 1)

    def owners(
        self, merchant_id: str, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, ReferenceOwner]:
        """None is known: all are found by key."""
        return {}

    def located(self, merchant_id: str, operation_ids: Sequence[str]) -> Mapping[str, str]:
        """No refunds."""
        return {}

    def operations(self, merchant_id: str, of: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        """No refunds."""
        return {}

    def payments(self, merchant_id: str, transaction_ids: Sequence[str]) -> Mapping[str, Payment | None]:
        """Each as charged."""
        return {name: self.payment(name) for name in transaction_ids}

    def payment(self, name: str) -> Payment:
        """The payment of a row."""
        reference = str(_FIRST_ID + number_of(name))
        attempt = replace(self.template.attempts[0], reference=reference, provider_key=derive_provider_key(name, 1))
        return replace(self.template, transaction_id=name, attempts=(attempt,))

    def listed(
        self, merchant_id: str, source: Source, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, str]:
        """By the bits."""
        places = {name: int(name) - _FIRST_ID for name in references}
        return {name: "other#1" for name, n in places.items() if self.noted[n // 8] >> n % 8 & 1}

    def note_listed(
        self,
        merchant_id: str,
        source: Source,
        provider: str,
        account_id: str,
        lines: Mapping[str, str],
        *,
        expires_at_ms: int,
    ) -> None:
        """Set the bits."""
        for name in lines:
            n = int(name) - _FIRST_ID
            self.noted[n // 8] |= 1 << n % 8


@dataclass(frozen=True)
class ComputedPayments:
    """The list of payments, one for every row."""

    lookups: ComputedLookups
    rows: int

    def page(self, query: PaymentQuery) -> PaymentPage:
        """Pages by number."""
        start = int(query.position or 0)
        end = min(self.rows, start + query.limit)
        items = [self.lookups.payment(transaction_id(n)) for n in range(start, end)]
        return PaymentPage(items=items, next_position=str(end) if end < self.rows else None)


class SilentTelemetry(RecordingTelemetry):
    """Keeps nothing."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Forget it."""

    def info(self, message: str, **facts: str | int | bool | None) -> None:
        """Forget it."""


def reconcile_rows(rows: int) -> Run:
    """A whole run: their file against our book, then our book against their file."""
    world = ReconciliationWorld(provider="cashfree")
    template = world.pay("template")
    lookups = ComputedLookups(template, rows)

    files = S3SettlementFiles(  # type: ignore[arg-type]
        client=HugeFile(rows), bucket="b", read_row=lambda provider, row: connector(provider).read_settlement(row)
    )
    world.a_day_later()
    (run,) = world.start.asked_for(world.asked(file="a.csv", merchant_id=MERCHANT), DECISION)
    reconcile = replace(
        world.reconcile,
        lookups=lookups,
        compare=MatchEntries(lookups=lookups, clock=world.clock),
        files=files,
        payments=ComputedPayments(lookups, rows),
        telemetry=SilentTelemetry(),
    )
    reconcile(run.run_id, world.deadline)
    done = world.runs.get(run.run_id)
    assert done is not None
    return done
