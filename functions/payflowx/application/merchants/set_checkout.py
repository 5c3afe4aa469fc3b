"""A merchant's part of the payers' page, as operators set it."""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

from payflowx.domain.merchants.checkout_profile import CheckoutProfile, is_colour, text_colour_on
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.events import Fact
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.text import is_clean
from payflowx.domain.shared.urls import why_not_allowed

MAX_SHOWN_NAME_CHARS: Final = 60
MAX_LIMIT: Final = 100_000
_MAX_MAIL_CHARS: Final = 254
_MAIL: Final = re.compile(r"[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutChanges:
    """None leaves a setting as it is; an empty text removes it."""

    shown_name: str | None = None
    support: str | None = field(default=None, repr=False)
    accent: str | None = None
    new_checkouts: bool | None = None
    max_refused_starts: int | None = None
    """0 removes the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCheckout:
    """Raises `Refusal` (`not_found`, `field_invalid`). Idempotent."""

    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, merchant_id: str, changes: CheckoutChanges, operator_action: OperatorAction) -> CheckoutProfile:
        """Set what is given. Every function applies it within a minute."""
        merchant = self.merchant_directory.merchant(merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        profile = _checked(_changed(merchant.checkout, changes))
        facts: dict[str, Fact] = {"newCheckouts": profile.new_checkouts, "changed": ", ".join(sorted(_given(changes)))}
        record = AuditEntry(
            action="merchant.checkout_set",
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts=facts,
        )
        if not self.merchant_directory.set_checkout(merchant_id, profile, record):
            raise StorageUnavailableError("the checkout's settings could not be stored")
        return profile


def _given(changes: CheckoutChanges) -> dict[str, Any]:
    names = ("shown_name", "support", "accent", "new_checkouts", "max_refused_starts")
    return {name: value for name in names if (value := getattr(changes, name)) is not None}


def _changed(profile: CheckoutProfile, changes: CheckoutChanges) -> CheckoutProfile:
    given = _given(changes)
    if given.get("max_refused_starts") == 0:
        given["max_refused_starts"] = None
    given = {name: None if value == "" else value for name, value in given.items()}
    return replace(profile, **given)


def _checked(profile: CheckoutProfile) -> CheckoutProfile:
    """Raises `Refusal` (`field_invalid`)."""
    name, support, accent = profile.shown_name, profile.support, profile.accent
    if name is not None and not (len(name) <= MAX_SHOWN_NAME_CHARS and name == name.strip() and is_clean(name)):
        _refuse("shownName", f"shownName must have 1 to {MAX_SHOWN_NAME_CHARS} printable characters.")
    if support is not None and not _is_support(support):
        _refuse("support", "support must be an e-mail address, or a public https address.")
    if accent is not None and not is_colour(accent):
        _refuse("accent", "accent must be a colour as #rrggbb, in lower case.")
    if accent is not None and text_colour_on(accent) is None:
        _refuse("accent", "Neither white nor dark text on this colour has a contrast of 4.5. Take a darker one.")
    if profile.max_refused_starts is not None and not 1 <= profile.max_refused_starts <= MAX_LIMIT:
        _refuse("maxRefusedStarts", f"maxRefusedStarts must be 1 to {MAX_LIMIT}, or 0 for no limit.")
    return profile


def _is_support(text: str) -> bool:
    if text.startswith("https://"):
        return why_not_allowed(text) is None
    return len(text) <= _MAX_MAIL_CHARS and _MAIL.fullmatch(text) is not None


def _refuse(field_name: str, detail: str) -> None:
    raise Refusal("field_invalid", detail, field=field_name)
