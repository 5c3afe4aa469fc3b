"""The account at which a person found a charge."""

from collections.abc import Mapping

from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.named_charge import NamedCharge
from payflowx.domain.shared.errors import Refusal


def named_charge(
    merchant: Merchant | None,
    provider: str | None,
    account_id: str | None,
    provider_key: str | None,
    *,
    able: Mapping[str, Capabilities],
) -> NamedCharge | None:
    """Return where the charge is; None where no provider was named. The merchant's only account needs no name.

    Raises `Refusal` (`evidence_contradicts`).
    """
    if provider is None:
        if account_id is not None or provider_key is not None:
            raise Refusal("evidence_contradicts", "Name the provider of the account or the key as well.")
        return None
    known = [account.account_id for account in (merchant.accounts if merchant else ()) if account.provider == provider]
    if account_id is None and len(known) > 1:
        raise Refusal("evidence_contradicts", f"Say which account at {provider} it is: {', '.join(known)}.")
    if not known or account_id not in {None, *known}:
        raise Refusal("evidence_contradicts", f"The merchant has no such account at {provider}.")
    hosted = able[provider].hosted if provider in able else None
    return NamedCharge(provider=provider, account_id=account_id or known[0], provider_key=provider_key, hosted=hosted)
