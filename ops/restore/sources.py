"""Everything that lets a function of the service run: its queues' event source mappings, and its own concurrency.

With a reserved concurrency of 0 a function is invoked by nobody: not by API Gateway, a schedule or a queue. The queues'
mappings are disabled before, because a throttled poll counts as a receive, and five receives make a dead letter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.errors import Exit, OperatorError
from ops.target import Target, aws_errors

_MAPPING: Final = "mapping "
_FUNCTION: Final = "function "
_ON, _OFF = "on", "off"
_NOTHING: Final = "0"
"""The reserved concurrency of a function that nobody can invoke."""
_KEPT: Final = ("OperationsFunction", "ReconcilerFunction", "RoutingValidatorFunction")
"""Operators' commands go on. Nothing but a command, its queue or its schedule makes the reconciler write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSources:
    """Implements `Sources`. Every change names the state to be, so that a repetition changes nothing."""

    target: Target
    all_on: bool = False
    """Whether what is off already is switched on at the end: the journal of the restore that did that is lost."""

    def states(self) -> Mapping[str, str]:
        """Return what each source shall be again: a mapping `on` or `off`, a function its reserved concurrency or
        `none`. That is what it is now, but for `all_on`.
        """
        found = self._found()
        if not self.all_on:
            return found
        return {
            name: _ON if name.startswith(_MAPPING) else state if state != _NOTHING else "none"
            for name, state in found.items()
        }

    def _found(self) -> Mapping[str, str]:
        client = self.target.client("lambda")
        found: dict[str, str] = {}
        with aws_errors("read the functions and their queues"):
            for kind, logical_id, name in self._resources():
                if kind == "AWS::Lambda::EventSourceMapping":
                    state = client.get_event_source_mapping(UUID=name)["State"]
                    found[f"{_MAPPING}{name}"] = _ON if state in {"Enabled", "Enabling", "Creating"} else _OFF
                elif kind == "AWS::Lambda::Function" and self._is_source(logical_id):
                    reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
                    found[f"{_FUNCTION}{name}"] = "none" if reserved is None else str(reserved)
        return found

    def check(self) -> None:
        """Raise `OperatorError` if sources are off already: they would stay off, for that is what they were before.

        Only a restore switches a function off; a single queue may be off for a reason of its own.
        """
        states = self.states()
        off = [name for name, reserved in _named(states, _FUNCTION).items() if reserved == _NOTHING]
        mappings = _named(states, _MAPPING).values()
        if off or (mappings and _ON not in mappings):
            raise OperatorError(
                f"Switched off already: {', '.join(off) or 'every queue'}.",
                Exit.REFUSED,
                hint="If another restore did that, go on with its --journal. If the journal is lost, say --all-on.",
            )

    def switch_off(self, states: Mapping[str, str], /) -> None:
        """Queues first, then the functions."""
        client = self.target.client("lambda")
        with aws_errors("switch the sources off", changing=True):
            for name in _named(states, _MAPPING):
                client.update_event_source_mapping(UUID=name, Enabled=False)
            for name in _named(states, _FUNCTION):
                client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    def switch_on(self, states: Mapping[str, str], /) -> None:
        """Functions first, then those queues that were polled before."""
        client = self.target.client("lambda")
        with aws_errors("switch the sources on", changing=True):
            for name, reserved in _named(states, _FUNCTION).items():
                if reserved == "none":
                    client.delete_function_concurrency(FunctionName=name)
                else:
                    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
            for name, state in _named(states, _MAPPING).items():
                if state == _ON:
                    client.update_event_source_mapping(UUID=name, Enabled=True)

    @staticmethod
    def _is_source(logical_id: str) -> bool:
        return "Function" in logical_id and not logical_id.startswith(_KEPT) and not logical_id.startswith("Custom")

    def _resources(self) -> Iterator[tuple[str, str, str]]:
        pages: Any = self.target.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=f"{self.target.stack_prefix}-Service"):
            for resource in page["StackResourceSummaries"]:
                yield resource["ResourceType"], resource["LogicalResourceId"], resource["PhysicalResourceId"]


def _named(states: Mapping[str, str], kind: str) -> dict[str, str]:
    return {name.removeprefix(kind): state for name, state in states.items() if name.startswith(kind)}
