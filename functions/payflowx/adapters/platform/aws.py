"""boto3 clients with explicit limits: no call may outlive the invocation that makes it."""

from typing import Any, Final

import boto3
from botocore.config import Config

_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=3,
    # Repeats are safe: transactions carry one token over all tries, and a condition that fails because our own
    # first try was written is recognized by the repository.
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=20,
)


def client(service: str) -> Any:
    """A client of an AWS service, in the function's region."""
    return boto3.client(service, config=_CONFIG)
