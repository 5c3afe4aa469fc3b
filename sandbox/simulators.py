"""The simulators by name: those of providers that exist only here, and those that speak a real provider's format."""

from typing import Final

from sandbox.cashfree import CashfreeSimulator
from sandbox.cashfree_mock import CashfreeMockSimulator
from sandbox.mock import MockSimulator
from sandbox.payu import PayUSimulator
from sandbox.razorpay import RazorpaySimulator
from sandbox.razorpay_mock import RazorpayMockSimulator
from sandbox.simulator import Simulator
from sandbox.stripe import StripeSimulator

SIMULATORS: Final[dict[str, type[Simulator]]] = {
    kind.name: kind for kind in (MockSimulator, RazorpayMockSimulator, CashfreeMockSimulator)
}
"""What the local environment and a deployed sandbox offer."""

REAL_PROVIDERS: Final[dict[str, type[Simulator]]] = {
    kind.name: kind for kind in (StripeSimulator, RazorpaySimulator, CashfreeSimulator, PayUSimulator)
}
"""What the local environment and the tests hold the real providers' adapters against."""

ALL: Final[dict[str, type[Simulator]]] = {**SIMULATORS, **REAL_PROVIDERS}
