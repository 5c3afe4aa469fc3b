"""The SDKs, each started once."""

from collections.abc import Iterator

import pytest

from tests.sdk.official import Sdk


def _running(name: str) -> Iterator[Sdk]:
    sdk = Sdk(name)
    yield sdk
    sdk.close()


@pytest.fixture(scope="session")
def stripe() -> Iterator[Sdk]:
    yield from _running("stripe")


@pytest.fixture(scope="session")
def razorpay() -> Iterator[Sdk]:
    yield from _running("razorpay")


@pytest.fixture(scope="session")
def cashfree() -> Iterator[Sdk]:
    yield from _running("cashfree")


@pytest.fixture(scope="session")
def payu() -> Iterator[Sdk]:
    yield from _running("payu")
