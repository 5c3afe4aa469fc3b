"""The checks of `make deployed`, which a pipeline runs after a deployment."""

import pytest

from ops.deployed import CHECKS, Api, tried
from tests.e2e.conftest import Client


@pytest.mark.parametrize("name", CHECKS)
def test_a_check(client: Client, name: str) -> None:
    (result,) = tried(Api(url=client.base_url, key=client.api_key), {name: CHECKS[name]})
    assert result.fault is None
