"""The simulators by name."""

from typing import Final

from sandbox.cashfree_mock import CashfreeMockSimulator
from sandbox.mock import MockSimulator
from sandbox.razorpay_mock import RazorpayMockSimulator
from sandbox.simulator import Simulator

SIMULATORS: Final[dict[str, type[Simulator]]] = {
    kind.name: kind for kind in (MockSimulator, RazorpayMockSimulator, CashfreeMockSimulator)
}
