"""The refusals that a provider documents as made before execution: one table a connector. Pure.

A refusal is final only if it answers the first send, names no payment, intent, charge or refund, and stands in the
connector's table. The first condition is checked in `domain.payments.verification`, the other two here. An answer that
is not believed is `Unknown`: then inquiries decide.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.outcome import RETRYABLE_REJECTIONS, Rejected, Unknown
from payflowx.domain.shared.text import provider_code
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.edge import rejected_at_edge
from payflowx.providers.sanitize import sanitize

_NEVER_FINAL: Final = re.compile(
    r"exist|already|duplicate|in_?progress|time_?(?:d_)?out|pending|conflict|processing|lock", re.IGNORECASE
)
"""Words of codes that may describe the effect of an earlier request of ours."""


class RefusedCall(StrEnum):
    """The call that a refusal answers: the same code may mean another thing elsewhere."""

    CHARGE = "charge"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One documented refusal.

    `code`: as the connector reads it from the answer. `source`: the address of the provider's page which says that
    nothing was executed; our own page of a mock.
    """

    code: str
    calls: frozenset[RefusedCall]
    meaning: str
    source: str
    misconfigured: bool = False
    """The account lacks a permission or a setting: an alarm asks an operator to correct it."""
    claims_done: bool = False
    """The refusal says that the whole amount was captured, voided or refunded before, perhaps by a request of ours.

    It is never final for a charge. For an operation it is believed only when the complete list of the charge's
    operations shows without ours where the money went.
    """

    def __post_init__(self) -> None:
        if not self.claims_done and _NEVER_FINAL.search(self.code):
            raise ValueError(f"a refusal named {self.code} may be the effect of an earlier request; it is never final")
        if self.claims_done and RefusedCall.CHARGE in self.calls:
            raise ValueError(f"{self.code} says that a charge was made; it is never final")
        if self.code in RETRYABLE_REJECTIONS or not self.calls or not self.source.startswith(("https://", "docs/")):
            raise ValueError(f"the refusal {self.code} needs a code of the provider, a call and a source")


@dataclass(frozen=True, slots=True)
class RefusalTable:
    """A connector's documented refusals. Raises ValueError for two rows about the same call and code."""

    rows: Sequence[Refusal] = ()
    _by_call: Mapping[tuple[RefusedCall, str], Refusal] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_call = {(call, row.code): row for row in self.rows for call in row.calls}
        if len(by_call) != sum(len(row.calls) for row in self.rows):
            raise ValueError("two rows are about the same call and code")
        object.__setattr__(self, "_by_call", by_call)

    def read(
        self,
        call: RefusedCall,
        response: HttpResponse,
        code: object,
        message: object,
        *,
        wait_header: str = "retry-after",
    ) -> Rejected | Unknown:
        """Read an error that names no object: a rate limit, bad credentials, a documented refusal, else `Unknown`."""
        rejected = rejected_at_edge(response, sanitize(message), names_object=False, wait_header=wait_header)
        if rejected is not None:
            return rejected
        if response.status >= 500:
            return Unknown(code=f"http_{response.status}", message=sanitize(message))
        return self.outcome(call, provider_code(code), sanitize(message), names_object=False)

    def outcome(self, call: RefusedCall, code: str, message: str, *, names_object: bool) -> Rejected | Unknown:
        """Return `Rejected` for a documented refusal that names no object at the provider, else `Unknown`.

        `names_object`: the answer holds the id of a payment, intent, charge or refund, so it was executed at least in
        part.
        """
        row = self._by_call.get((call, code))
        if row is None or names_object:
            return Unknown(code=code, message=message)
        return Rejected(code=code, message=message, misconfigured=row.misconfigured, claims_done=row.claims_done)


NO_REFUSALS: Final = RefusalTable()
