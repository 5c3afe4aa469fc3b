"""The addresses of a checkout: our page, and beside it the one to which a provider sends the payer back."""

from dataclasses import dataclass

from payflowx.domain.checkout.tokens import Bearer, CheckoutTokens, Purpose
from payflowx.domain.payments.checkout import SHOWN_AFTER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutAddresses:
    """Makes the addresses of new checkouts. `pages_url` is the address below which the pages lie, without a final /."""

    tokens: CheckoutTokens
    pages_url: str

    def page(self, merchant_id: str, transaction_id: str, expires_at_ms: int) -> str:
        """Return the address of the page. Whoever has it can pay, but reads no personal data."""
        bearer = Bearer(purpose=Purpose.PAY, merchant_id=merchant_id, transaction_id=transaction_id)
        return f"{self.pages_url}/{self.tokens.sign(bearer, expires_at_ms + SHOWN_AFTER_MS)}"


def return_address(
    page_address: str, tokens: CheckoutTokens, merchant_id: str, transaction_id: str, expires_at_ms: int
) -> str:
    """Return our address for the provider, beside the page. With it one sees the state and expedites an inquiry."""
    bearer = Bearer(purpose=Purpose.RETURN, merchant_id=merchant_id, transaction_id=transaction_id)
    pages_url = page_address.rpartition("/")[0]
    return f"{pages_url}/{tokens.sign(bearer, expires_at_ms + SHOWN_AFTER_MS)}/return"
