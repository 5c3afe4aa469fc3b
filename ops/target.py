"""The environment of a command: the local one by its file, or another one by its stack's outputs."""

import getpass
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from ops.errors import Exit, OperatorError

LOCAL: Final = "local"
ENVIRONMENT_FILE: Final = Path(__file__).resolve().parent.parent / ".local" / "stage.json"
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=60,
    # Once: a command that changes something must not be sent a second time behind its operator's back.
    retries={"total_max_attempts": 1},
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "ExpiredToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`outputs` are those of the service's stack. `merchant` is the one that commands mean when none is named."""

    name: str
    outputs: Mapping[str, str]
    options: Mapping[str, Any] = field(repr=False)
    base_url: str
    stack_prefix: str
    merchant: str | None = None
    api_key: str | None = field(default=None, repr=False)
    """The local environment's demo merchant's; deployed environments tell none."""
    simulators: Mapping[str, str] = field(default_factory=dict)
    """The local environment's simulators."""
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def is_local(self) -> bool:
        """Nothing here is worth a second question."""
        return self.name == LOCAL

    def client(self, service: str) -> Any:
        """A client of an AWS service, made once: threads may share a client, but not the making of one."""
        try:
            with self._making:
                if service not in self._clients:
                    make: Callable[..., Any] = boto3.client  # its types know literal names only
                    self._clients[service] = make(service, config=_CONFIG, **self.options)
                return self._clients[service]
        except NoRegionError:
            raise OperatorError(
                "Which region? None is configured.", Exit.USAGE, hint="Say --region eu-west-1, or set AWS_REGION."
            ) from None

    def who(self) -> str:
        """Return the person who gives the command, as the audit log names that person."""
        if self.is_local:
            return f"local:{getpass.getuser()}"
        with aws_errors("ask who you are"):
            return str(self.client("sts").get_caller_identity()["Arn"])


def find_target(environment: str, region: str | None) -> Target:
    """Raises `OperatorError` if there is none."""
    return _local_environment() if environment == LOCAL else _deployed(environment, region)


def _local_environment() -> Target:
    try:
        stage = json.loads(ENVIRONMENT_FILE.read_text())
        options = {
            "endpoint_url": stage["endpointUrl"],
            "region_name": stage["region"],
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        return Target(
            name=LOCAL,
            outputs=stage["outputs"],
            options=options,
            base_url=stage["baseUrl"],
            stack_prefix="Dev",
            merchant=stage["merchantId"],
            api_key=stage.get("apiKey"),
            simulators=stage["gateways"],
        )
    except FileNotFoundError:
        raise OperatorError(
            "No local environment is running.",
            Exit.NO_ACCESS,
            hint="Start one with `make run` in another terminal, or name a deployed environment: --env dev.",
        ) from None
    except (ValueError, KeyError):
        raise OperatorError(
            ".local/stage.json is not what this version writes.",
            Exit.NO_ACCESS,
            hint="Stop the local environment, then `make run`.",
        ) from None


def _deployed(environment: str, region: str | None) -> Target:
    prefix = environment.capitalize()
    options = {"region_name": region} if region else {}
    bare = Target(name=environment, outputs={}, options=options, base_url="", stack_prefix=prefix)
    outputs = stack_outputs(bare, f"{prefix}-Service")
    return Target(
        name=environment,
        outputs=outputs,
        options=options,
        base_url=outputs.get("ApiUrl", "").rstrip("/"),
        stack_prefix=prefix,
    )


def stack_outputs(target: Target, stack: str) -> dict[str, str]:
    """Raises `OperatorError` if there is no such stack here."""
    client = target.client("cloudformation")
    with aws_errors(f"read the outputs of the stack {stack}"):
        try:
            found = client.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            where = client.meta.region_name
            raise OperatorError(
                f"There is no stack {stack} in {where}.",
                Exit.NO_ACCESS,
                hint=f"Deploy it (npx cdk deploy '{target.stack_prefix}/*'), or say another --region or AWS_PROFILE.",
            ) from None
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


class aws_errors:  # noqa: N801 - reads as a statement
    """Turns errors of AWS into sentences. `doing`: what was tried, as in "could not ...": an infinitive."""

    def __init__(self, doing: str, *, changing: bool = False) -> None:
        self._doing = doing
        self._changing = changing

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case NoCredentialsError():
                raise OperatorError(
                    "No AWS credentials were found.",
                    Exit.NO_ACCESS,
                    hint="Sign in (aws sso login), or set AWS_PROFILE.",
                ) from None
            case ClientError() if error.response["Error"]["Code"] in _DENIED:
                raise OperatorError(
                    f"AWS does not let you {self._doing}.",
                    Exit.NO_ACCESS,
                    hint=error.response["Error"].get("Message", ""),
                ) from None
            case ClientError():
                code = error.response["Error"]["Code"]
                raise OperatorError(f"Could not {self._doing}: AWS says {code}.", Exit.UNAVAILABLE) from None
            case BotoCoreError():
                raise OperatorError(
                    f"Could not {self._doing}: {type(error).__name__}.", Exit.UNAVAILABLE, hint=self._advice()
                ) from None
            case _:
                return

    def _advice(self) -> str:
        if self._changing:
            return "It may have been done all the same. Look before you repeat it."
        return "Is the local environment running, and the network available? Then try again."
