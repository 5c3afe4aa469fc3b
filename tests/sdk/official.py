"""The providers' own SDKs, each in a child process (`driver.py`) with the Python of `.venv-sdk`."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.left_out import SDK_PYTHON

KEY_ID, KEY_SECRET = "the_key_id", "the_key_secret"
"""What the SDKs are opened with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as the SDK would have put it on the line. Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the SDK is to read as the provider's answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class RaisedError(Exception):
    """The SDK raised an error. `kind` is its class."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Sdk:
    """One SDK in its process. Calls are by name, such as `refunds.create`, on the object that a merchant would use."""

    def __init__(self, name: str) -> None:
        command = [SDK_PYTHON, Path(__file__).with_name("driver.py"), name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._read()

    def close(self) -> None:
        """The process ends when its input does."""
        self._process.communicate(timeout=10)

    def request_of(self, call: str, *arguments: Any, **named: Any) -> Sent:
        """The one request that a call would send."""
        sent: list[Sent] = []
        self.call(call, *arguments, provider=sent.append, **named)
        (request,) = sent
        return request

    def call(
        self, call: str, *arguments: Any, provider: Callable[[Sent], Answered | None] | None = None, **named: Any
    ) -> Any:
        """What the SDK returns, as JSON. `provider` answers its requests; None for an answer ends the call.

        Raises `RaisedError` where the SDK raises.
        """
        self._write({"call": call, "with": arguments, "and": named})
        while "http" in (message := self._read()):
            assert provider is not None, "the SDK wants to send something"
            self._write(_line(provider(_sent(message["http"]))))
        return message["returned"]

    def words(self, model: str, field: str) -> set[str]:
        """The words that the SDK's type allows for a field."""
        self._write({"words": model, "of": field})
        return set(self._read()["returned"])

    def description(self, model: str, field: str) -> str:
        """What the SDK says about a field."""
        self._write({"description": model, "of": field})
        return str(self._read()["returned"])

    def unlike(self, what: str, value: Any, *, parameter: str | None = None) -> list[str]:
        """Where a value differs from what the SDK's annotations say of a class, or of a parameter of a method."""
        self._write({"unlike": what, "parameter": parameter, "value": value})
        return list(self._read()["returned"])

    def _write(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the SDK's process ended with {self._process.wait(10)}"
        message: dict[str, Any] = json.loads(line)
        if "raised" in message:
            raise RaisedError(message["raised"], message["message"])
        return message


def _sent(http: Mapping[str, Any]) -> Sent:
    return Sent(method=http["method"], url=http["url"], headers=http["headers"], body=base64.b64decode(http["body"]))


def _line(answered: Answered | None) -> dict[str, Any] | None:
    if answered is None:
        return None
    body = base64.b64encode(answered.body).decode()
    return {"status": answered.status, "headers": dict(answered.headers), "body": body}
