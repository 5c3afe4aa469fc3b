"""The simulators by name: the mock providers, and those that speak a real provider's format."""

from typing import Final

from sandbox.cashfree import CashfreeSimulator
from sandbox.cashfree_mock import CashfreeMockSimulator
from sandbox.mock import MockSimulator
from sandbox.payu import PayUSimulator
from sandbox.razorpay_hosted import RazorpayHostedSimulator
from sandbox.razorpay_mock import RazorpayMockSimulator
from sandbox.simulator import Simulator
from sandbox.stripe_hosted import StripeHostedSimulator

SIMULATORS: Final[dict[str, type[Simulator]]] = {
    kind.name: kind for kind in (MockSimulator, RazorpayMockSimulator, CashfreeMockSimulator)
}
"""The simulators of the local environment and of a deployed sandbox."""

REAL_PROVIDERS: Final[dict[str, type[Simulator]]] = {
    kind.name: kind for kind in (StripeHostedSimulator, RazorpayHostedSimulator, CashfreeSimulator, PayUSimulator)
}
"""The simulators that the local environment and the tests use with the real providers' connectors."""

ALL: Final[dict[str, type[Simulator]]] = {**SIMULATORS, **REAL_PROVIDERS}
