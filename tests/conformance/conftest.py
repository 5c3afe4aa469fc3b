"""`make conformance PROVIDER=name`: what a provider must survive before routing may fail over to it."""

from functools import cache

import pytest

from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from tests.support.providers import NAMES, ProviderWorld

AMOUNT, PART = 49_900, 20_000
ASKED = [
    (OperationKind.REFUND, AMOUNT),
    (OperationKind.REFUND, PART),
    (OperationKind.CAPTURE, AMOUNT),
    (OperationKind.CAPTURE, PART),
    (OperationKind.VOID, AMOUNT),
]
"""Kind and amount of an operation on a charge of `AMOUNT`."""


def pytest_configure(config: pytest.Config) -> None:
    """A name that nobody knows is said in one line."""
    wanted = config.getoption("--provider")
    if wanted and wanted not in NAMES:
        raise pytest.UsageError(f"There is no provider {wanted} with a simulator; known are {', '.join(NAMES)}.")
    config.addinivalue_line("markers", "except_for(provider=reason): providers to which a scenario cannot be applied")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario for every provider with a simulator, or for the one that was asked for.

    A scenario with an operation (`asked`) runs for the operations that the provider's capabilities and requests allow.
    """
    if "provider" not in metafunc.fixturenames:
        return
    wanted = metafunc.config.getoption("--provider")
    excepted = {name for mark in metafunc.definition.iter_markers("except_for") for name in mark.kwargs}
    names = [name for name in ([wanted] if wanted else NAMES) if name not in excepted]
    if "asked" not in metafunc.fixturenames:
        metafunc.parametrize("provider", names)
        return
    rows = [(name, asked) for name in names for asked in possible(name)]
    ids = [f"{name}-{kind}-{amount}" for name, (kind, amount) in rows]
    metafunc.parametrize(("provider", "asked"), rows, ids=ids)


@cache
def possible(provider: str) -> list[tuple[OperationKind, int]]:
    """The operations that can exist: captures and voids need manual capture, a part needs a request for a part."""
    http_provider = ProviderWorld().providers.get(provider)
    manual = CaptureMode.MANUAL in http_provider.capabilities.capture_modes
    return [
        (kind, amount)
        for kind, amount in ASKED
        if (manual or kind is OperationKind.REFUND) and http_provider.supports(_request(kind, amount))
    ]


def _request(kind: OperationKind, amount: int) -> OperationRequest:
    return OperationRequest(
        kind=kind,
        provider_key="pfx-aaaaaaaaaaaaaaaa-1",
        amount=amount,
        currency="INR",
        charge_key="pfx-bbbbbbbbbbbbbbbb-1",
        charge_reference="reference",
        charge_amount=AMOUNT,
    )
