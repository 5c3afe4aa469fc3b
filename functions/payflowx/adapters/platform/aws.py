"""AWS clients: their limits, because no call may outlive its invocation, and their tuning. No other module makes one.

They are botocore's. boto3's layer above it makes the same clients, adds resources and transfers that no function
uses, and takes its part of every cold start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self, cast

import botocore.session
from botocore.config import Config

from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.release import USER_AGENT

if TYPE_CHECKING:
    from mypy_boto3_appconfig import AppConfigClient
    from mypy_boto3_appconfigdata import AppConfigDataClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_MAX_WAIT_SECONDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How often and how long one call of AWS is tried. A test compares the sum with each function's timeout."""

    tries: int
    connect_seconds: float
    read_seconds: float

    @property
    def longest_seconds(self) -> float:
        """All tries without an answer, and the longest waits between them: 1 s, 2 s, 4 s, ..."""
        waits = sum(min(1 << number, _MAX_WAIT_SECONDS) for number in range(self.tries - 1))
        return self.tries * (self.connect_seconds + self.read_seconds) + waits

    def config(self, *, validates: bool = False) -> Config:
        """The configuration of a client.

        `validates`: check each request against the service's model before it is sent. The service checks it anyway. A
        test sends every request of the adapters with this check, so that functions need not repeat it for each payment.
        """
        return Config(
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds,
            # Repeats are safe: transactions carry one token over all tries, and a condition that fails because our own
            # first try was written is recognized by the repository.
            retries={"mode": "standard", "total_max_attempts": self.tries},
            max_pool_connections=20,
            parameter_validation=validates,
            # Nothing that we send is of a kind that AWS accepts compressed, and each request would be asked.
            disable_request_compression=True,
            # botocore would describe the machine anew in each request.
            user_agent=f"{USER_AGENT} botocore/{botocore.__version__}",
        )


PATIENT: Final = CallLimits(tries=3, connect_seconds=1, read_seconds=3)
PROMPT: Final = CallLimits(tries=2, connect_seconds=1, read_seconds=3)
"""For functions whose caller waits: two tries, so that they can still answer that AWS does not."""
AT_ONCE: Final = CallLimits(tries=2, connect_seconds=0.75, read_seconds=1)
"""For the authorizer, which every request waits for."""


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


@cache
def _session() -> botocore.session.Session:
    """One for all clients: it keeps what it has read of the services' descriptions."""
    return botocore.session.get_session()


def _client(service: str, limits: CallLimits = PATIENT) -> Any:
    """A client in the function's region."""
    make: Callable[..., Any] = _session().create_client  # its types know literal names only
    return make(service, config=limits.config())


class AwsClients:
    """The clients of the services in use, each made when it is first used. `make` makes one by its service's name."""

    def __init__(self, make: Callable[[str], Any] = _client) -> None:
        self._make = make

    @classmethod
    def within(cls, limits: CallLimits) -> Self:
        """Clients none of whose calls takes longer."""
        return cls(partial(_client, limits=limits))

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
