"""The release of this code: the names that receivers and providers see."""

from typing import Final

RELEASE: Final = "0.2.0"
USER_AGENT: Final = f"PayFlowX/{RELEASE}"
"""Stripe and Cashfree ask for it when they look for a request of ours."""
