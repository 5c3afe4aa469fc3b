"""boto3 clients with explicit limits: no call may outlive the invocation that makes it."""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
from botocore.config import Config

from payflowx.domain.shared.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_appconfig import AppConfigClient
    from mypy_boto3_appconfigdata import AppConfigDataClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=3,
    # Repeats are safe: transactions carry one token over all tries, and a condition that fails because our own
    # first try was written is recognized by the repository.
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=20,
)


def check_versions(locked: tuple[str, ...]) -> None:
    """`locked` holds `name=version` of the SDK and the HTTP library. Raises `ConfigurationError` for another version.

    The Lambda runtime has libraries of the same names and changes them under a running function. A layer that is
    missing or comes second on the path would let those in, and they decide whether a request can have left.
    """
    for pair in locked:
        name, _, wanted = pair.partition("=")
        found = import_module(name).__version__
        if found != wanted:
            raise ConfigurationError(f"{name} is {found}, and the lock says {wanted}: is the layer attached?")


def _client(service: str) -> Any:
    """A client in the function's region."""
    make: Callable[..., Any] = boto3.client  # its types know literal names only
    return make(service, config=_CONFIG)


class AwsClients:
    """The clients of the services in use, each made when it is first used. `make` makes one by its service's name."""

    def __init__(self, make: Callable[[str], Any] = _client) -> None:
        self._make = make

    @cached_property
    def appconfig(self) -> "AppConfigClient":
        return cast("AppConfigClient", self._make("appconfig"))

    @cached_property
    def appconfigdata(self) -> "AppConfigDataClient":
        return cast("AppConfigDataClient", self._make("appconfigdata"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self._make("dynamodb"))

    @cached_property
    def kms(self) -> "KMSClient":
        return cast("KMSClient", self._make("kms"))

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        return cast("CloudWatchLogsClient", self._make("logs"))

    @cached_property
    def s3(self) -> "S3Client":
        return cast("S3Client", self._make("s3"))

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        return cast("SecretsManagerClient", self._make("secretsmanager"))

    @cached_property
    def sqs(self) -> "SQSClient":
        return cast("SQSClient", self._make("sqs"))
