"""The throw-away environment that the steps work on: its names, its clients and its command line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ops.errors import Exit
from ops.target import LOCAL, Target, find_target

ROOT: Final = Path(__file__).resolve().parents[2]
CDK: Final = ROOT / "node_modules" / ".bin" / "cdk"
_PAUSE_SECONDS: Final = 2.0


class StepError(Exception):
    """A step's finding: what was expected, and what came."""


@dataclass(kw_only=True)
class Stage:
    """`branch` names the environment, as `-c branch=` does. The local environment stands in for it in tests."""

    name: str
    branch: str
    region: str
    target: Target
    merchant: str = "certify"
    api_key: str = field(default="", repr=False)
    left_behind: list[str] = field(default_factory=list)
    """What a step has made and could not delete."""

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def client(self, service: str) -> Any:
        """A client in the stage's account and region."""
        return self.target.client(service)

    def output(self, name: str) -> str:
        """An output of the service's stack. Raises `StepError`."""
        if name not in self.target.outputs:
            raise StepError(f"the stack has no output {name}")
        return self.target.outputs[name]

    def function(self, name: str) -> str:
        """The physical name of a function by its construct's id."""
        prefix = f"{self.target.stack_prefix}-Service"
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=prefix)
        found = [
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
            and resource["LogicalResourceId"].startswith(f"{name}Function")
        ]
        if len(found) != 1:
            raise StepError(f"{len(found)} functions are called {name}")
        return str(found[0])

    def refresh(self) -> None:
        """Read the outputs of what was just deployed."""
        self.target = find_target(self.name, None if self.is_local else self.region)

    def payflowx(self, *arguments: str, seconds: float, bad_news: bool = False) -> Any:
        """A command of ours, with its answer in JSON. Raises `StepError` when it fails or takes longer.

        `bad_news`: an answer that is bad is an answer as well.
        """
        where = () if self.is_local else ("--env", self.name, "--region", self.region)
        accepted = (Exit.DONE, Exit.BAD_NEWS) if bad_news else (Exit.DONE,)
        command = (sys.executable, "-m", "ops", *arguments, *where, "--json")
        return json.loads(self.run(*command, seconds=seconds, accepted=accepted))

    def cdk(self, *arguments: str, seconds: float) -> str:
        """A command of the CDK on this environment's stacks."""
        return self.run(str(CDK), *arguments, "-c", f"branch={self.branch}", seconds=seconds)

    def end_to_end(self, *, seconds: float) -> str:
        """The end-to-end suite against this stage; returns its last line. Raises `StepError`.

        The key is no argument: a list of processes would show it.
        """
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e")
        where = (f"--endpoint={self.target.base_url}", f"--operators={self.name}/{self.merchant}")
        variables = {"PAYFLOWX_API_KEY": self.api_key, "AWS_DEFAULT_REGION": self.region}
        return self.run(*command, *where, seconds=seconds, variables=variables).strip().splitlines()[-1]

    def run(
        self,
        *command: str,
        seconds: float,
        accepted: Sequence[int] = (Exit.DONE,),
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """A process of this checkout. Raises `StepError` with the end of what it said."""
        environment = {**os.environ, **(variables or {})}
        try:
            done = subprocess.run(  # noqa: S603 - our own commands
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            raise StepError(f"{command[-1]} took longer than {seconds:.0f} s") from None
        if done.returncode not in accepted:
            raise StepError(
                f"{' '.join(command[1:4])} ended with {done.returncode}: {_end(done.stderr or done.stdout)}"
            )
        return done.stdout


def wait_until(what: str, found: Callable[[], Any], *, seconds: float, pause: float = _PAUSE_SECONDS) -> Any:
    """Return the first true value of `found`. Raises `StepError` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise StepError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)


def _end(text: str, lines: int = 3) -> str:
    kept: Sequence[str] = [line for line in text.strip().splitlines() if line.strip()][-lines:]
    return " / ".join(kept)[:500]
