"""The setting that gives merchants a rate of their own at API Gateway."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

OTHERS: Final = "*"
"""In place of a merchant: all that have no plan of their own. No merchant can be called so."""
_MAX_RATE: Final = 10_000
_MAX_BURST: Final = 5_000
"""What API Gateway takes from one account and region; more would never be reached."""
_MAX_MERCHANTS: Final = 20
"""A function's variables have 4 KB in all, and each merchant takes up to 74 bytes."""
_MERCHANT: Final = re.compile(r"[a-z0-9_-]{2,40}")
_IDENTIFIER_CHARS: Final = 32
"""API Gateway takes 20 to 128 letters and digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A token bucket: so many requests a second as a mean, and so many at once.

    API Gateway aims at both and promises neither.
    """

    rate_per_second: int
    burst: int

    def __post_init__(self) -> None:
        for name, value, longest in (
            ("rate_per_second", self.rate_per_second, _MAX_RATE),
            ("burst", self.burst, _MAX_BURST),
        ):
            if not 1 <= value <= longest:
                raise ValueError(f"{name} must be 1 to {longest}, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantPlan:
    """A merchant's own throttle. It begins with `assigned=False`: the plan is made, and the merchant is still one of
    the others. A request that names a plan which is not there yet would be refused, so one deployment makes the plan
    and the next one assigns it.
    """

    merchant: str
    throttle: Throttle
    assigned: bool = False

    def __post_init__(self) -> None:
        if not _MERCHANT.fullmatch(self.merchant):
            raise ValueError(f"{self.merchant!r} is no merchant's id")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlanSettings:
    """`others` is one bucket, which all merchants without a plan of their own share."""

    others: Throttle
    merchants: tuple[MerchantPlan, ...] = ()
    required: bool = False
    """Whether API Gateway throttles. Then it refuses every request without an identifier, so one deployment makes plans
    and has the authorizer name them, and the next one sets this."""

    def __post_init__(self) -> None:
        names = [plan.merchant for plan in self.merchants]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these merchants have two usage plans: {', '.join(twice)}")
        if len(names) > _MAX_MERCHANTS:
            raise ValueError(f"{len(names)} merchants have a usage plan, and {_MAX_MERCHANTS} can")

    def throttles(self) -> dict[str, Throttle]:
        """By merchant, with the others' under `OTHERS`."""
        return {OTHERS: self.others, **{plan.merchant: plan.throttle for plan in self.merchants}}

    def assigned(self) -> Iterator[str]:
        """Yield the names of the plans in which requests count."""
        yield OTHERS
        yield from (plan.merchant for plan in self.merchants if plan.assigned)

    def variable(self, environment: str) -> str:
        """`merchant=identifier,...`, as the authorizer reads it."""
        return ",".join(f"{name}={usage_identifier(environment, name)}" for name in self.assigned())


def usage_identifier(environment: str, merchant: str) -> str:
    """The value of the key in API Gateway that counts a merchant's requests.

    It is no secret and opens nothing. API Gateway takes it from our authorizer's answer alone, and never from a
    request, because the API's key source is AUTHORIZER. It is a hash because values are letters and digits, and because
    they must be unique in an account and region, which several environments may share.
    """
    return hashlib.sha256(f"{environment}/{merchant}".encode()).hexdigest()[:_IDENTIFIER_CHARS]
