"""A function with other libraries than the locked ones does not start."""

import boto3
import botocore
import pytest
import urllib3

from payflowx.adapters.platform.aws import check_versions
from payflowx.domain.shared.errors import ConfigurationError

OURS = (f"boto3={boto3.__version__}", f"botocore={botocore.__version__}", f"urllib3={urllib3.__version__}")


def test_the_locked_libraries_start() -> None:
    check_versions(OURS)
    check_versions(())


@pytest.mark.parametrize("name", ["boto3", "botocore", "urllib3"])
def test_another_version_does_not(name: str) -> None:
    others = tuple(f"{name}=1.26.19" if pair.startswith(f"{name}=") else pair for pair in OURS)
    with pytest.raises(ConfigurationError, match=rf"{name} is .* lock says 1\.26\.19"):
        check_versions(others)
