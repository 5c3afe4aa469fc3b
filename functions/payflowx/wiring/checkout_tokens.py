"""The tokens of checkout addresses: the API signs those of new checkouts; the page opens them."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.platform.checkout_tokens import SignedCheckoutTokens
from payflowx.application.payments.new_checkout import CheckoutOpener
from payflowx.domain.checkout.addresses import CheckoutAddresses
from payflowx.wiring.providers import ProviderAccess, ProviderSettings


@dataclass(frozen=True, kw_only=True)
class CheckoutTokensSettings(ProviderSettings):
    checkout_token_secret_arn: str


@dataclass(kw_only=True)
class CheckoutTokensAccess(ProviderAccess):
    settings: CheckoutTokensSettings

    @cached_property
    def checkout_tokens(self) -> SignedCheckoutTokens:
        """The secret is read when a token is first signed or opened."""
        return SignedCheckoutTokens(
            keys=lambda: self.platform.secrets.signing_keys(self.settings.checkout_token_secret_arn)
        )


@dataclass(frozen=True, kw_only=True)
class CheckoutOpenerSettings(CheckoutTokensSettings):
    checkout_pages_url: str
    """The address below which the pages lie, without a final /."""
    checkout_enabled: bool
    """Whether new checkouts are accepted. Those that exist are served either way."""


@dataclass(kw_only=True)
class CheckoutOpenerAccess(CheckoutTokensAccess):
    settings: CheckoutOpenerSettings

    @cached_property
    def checkout_opener(self) -> CheckoutOpener | None:
        if not self.settings.checkout_enabled:
            return None
        addresses = CheckoutAddresses(tokens=self.checkout_tokens, pages_url=self.settings.checkout_pages_url)
        return CheckoutOpener(addresses=addresses, providers=self.providers)
