"""The functions as Lambda runs them: instances with their own clock and caches, timeouts, crashes, and their logs."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import ModuleType
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from payflowx.adapters.dynamodb.core.keys import due_shard_name
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.platform.aws import AwsClients
from payflowx.domain.outbound_webhooks.ports import WebhookClient
from payflowx.domain.payments.ports import Concurrency, Due, UnknownDue
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import PayFlowXError, TransitionError
from payflowx.entrypoints import deliverer, provider_events, reconciler, sweeper, webhook_receiver, worker
from payflowx.entrypoints.api import authorizer
from payflowx.entrypoints.api import handler as api
from payflowx.entrypoints.checkout import handler as checkout
from payflowx.entrypoints.operators import handler as operators
from payflowx.providers.registry import Registry
from payflowx.wiring import platform as wiring
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.checkout import CheckoutWiring
from payflowx.wiring.inbound_webhooks import WebhookReceiverWiring
from payflowx.wiring.merchants import AuthorizerWiring
from payflowx.wiring.operators import OperatorsWiring
from payflowx.wiring.outbound_webhooks import DelivererWiring
from payflowx.wiring.payments import WorkerWiring
from payflowx.wiring.provider_events import ProviderEventsWiring
from payflowx.wiring.reconciliation import ReconcilerWiring
from payflowx.wiring.recovery import SweeperWiring
from payflowx.wiring.settings import Settings
from simulation.faults import Faults
from simulation.history import History, Started
from simulation.kernel import Kernel, Killed, Owner, Task
from simulation.releases import NewerRegistry

_MAX_SKEW_MS: Final = 3_000
_MAX_STALL_MS: Final = 40_000
_MAX_FREEZE_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Function:
    """As the templates define it; a test compares."""

    module: ModuleType
    wiring: type[wiring.Wiring]
    timeout_ms: int


FUNCTIONS: Final[dict[str, Function]] = {
    "api": Function(api, ApiWiring, 15_000),
    "authorizer": Function(authorizer, AuthorizerWiring, 5_000),
    "checkout": Function(checkout, CheckoutWiring, 20_000),
    "worker": Function(worker, WorkerWiring, 30_000),
    "sweeper": Function(sweeper, SweeperWiring, 50_000),
    "operations": Function(operators, OperatorsWiring, 30_000),
    "deliverer": Function(deliverer, DelivererWiring, 45_000),
    "webhooks": Function(webhook_receiver, WebhookReceiverWiring, 10_000),
    "provider_events": Function(provider_events, ProviderEventsWiring, 20_000),
    "reconciler": Function(reconciler, ReconcilerWiring, 60_000),
}


@dataclass(slots=True, eq=False)
class Instance:
    """A sandbox that a function runs in. What it remembers, it remembers until it dies."""

    function: str
    wiring: wiring.Wiring
    skew_ms: int
    is_newer: bool
    settings: Mapping[str, str]
    """The environment with which it started."""
    busy: bool = False
    number: int = 0


class Invocation(Owner):
    """One event in one instance. Its tasks live and die together."""

    __slots__ = ("_routed", "alive", "deadline_ms", "done", "instance", "number", "tasks")

    def __init__(self, number: int, instance: Instance, deadline_ms: int, done: Callable[[Any], None]) -> None:
        self.number = number
        self.instance = instance
        self.deadline_ms = deadline_ms
        self.done = done
        self.alive = True
        self.tasks: list[Task] = []
        self._routed: tuple[Any, Any, dict[str, Any]] = (None, None, {})

    def enter(self) -> None:
        """The event resolver keeps its current event on a class, and its context on itself."""
        if self.instance.function == "api":
            BaseRouter.current_event, BaseRouter.lambda_context, api.app.context = self._routed

    def leave(self) -> None:
        """Remember it for the next turn."""
        if self.instance.function == "api":
            self._routed = (
                getattr(BaseRouter, "current_event", None),
                getattr(BaseRouter, "lambda_context", None),
                api.app.context,
            )


@dataclass(frozen=True, slots=True)
class _Context:
    """Lambda's context, as far as it is used."""

    invocation: Invocation
    kernel: Kernel
    aws_request_id: str = "invocation"

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends the invocation."""
        return max(0, self.invocation.deadline_ms - self.kernel.now_ms)


@dataclass(slots=True)
class Platform:
    """Starts instances, gives them events, and ends what takes too long."""

    kernel: Kernel
    faults: Faults
    history: History
    environment: Mapping[str, str]
    """Of all instances that start from now on."""
    clients: Mapping[str, Any]
    http: Any
    endpoints: WebhookClient
    newer_clients: Mapping[str, Any]
    """The clients of the newer release."""
    newer_from_ms: int | None = None
    """From then on, new instances run a newer release, beside those of the old one that still live."""
    newer_until_ms: int | None = None
    """Rolled back: from then on, new instances run the old one, beside those of the newer one that still live."""
    leaving: Mapping[str, str] | None = None
    """The environment before, while it is replaced: its instances still take events."""
    is_closed: Callable[[str], bool] = lambda _function: False
    """Whether nothing reaches the function now: an operator has switched everything off."""
    running: dict[int, Invocation] = field(default_factory=dict)
    _instances: dict[str, list[Instance]] = field(default_factory=lambda: {name: [] for name in FUNCTIONS})
    _invocations: int = 0
    _started: int = 0

    def invoke(self, function: str, event: Any, done: Callable[[Any], None]) -> int:
        """`done` gets the handler's answer, or None when the invocation died. Returns the invocation's number."""
        if self.is_closed(function):
            self.kernel.after(0, lambda: done(None))
            return -1  # no invocation; 0 is the number of what happens outside of all
        instance = self._instance(function)
        instance.busy = True
        self._invocations += 1
        deadline_ms = self.kernel.now_ms + FUNCTIONS[function].timeout_ms
        invocation = Invocation(self._invocations, instance, deadline_ms, done)
        handler = FUNCTIONS[function].module.handler
        started = Started(self.kernel.now_ms, function, instance.is_newer)
        self.history.sometimes[f"event of {function}"] += 1
        self.history.invocations[invocation.number] = started

        def run() -> None:
            answer: Any = None
            try:
                answer = handler(event, _Context(invocation, self.kernel))
            except Killed:
                return
            except PayFlowXError as error:
                self.history.lines.append(f"{function} raised {error!r}")
            self._end(invocation, answer)

        invocation.tasks.append(self.kernel.spawn(run, invocation))
        self.running[invocation.number] = invocation
        self._watch(invocation)
        return invocation.number

    def _end(self, invocation: Invocation, answer: Any) -> None:
        if invocation.alive:
            del self.running[invocation.number]
            invocation.alive = False
            invocation.instance.busy = False
            invocation.done(answer)

    def _watch(self, invocation: Invocation) -> None:
        def look() -> None:
            if not invocation.alive:
                return
            if self.kernel.now_ms >= invocation.deadline_ms:
                self.history.sometimes["function timeout"] += 1
                self.kill(invocation)
            else:
                self._watch(invocation)

        self.kernel.at(invocation.deadline_ms, look)

    def kill(self, invocation: Invocation) -> None:
        """From the hub: the process is gone, with all that it remembered."""
        if not invocation.alive:
            return
        del self.running[invocation.number]
        invocation.alive = False
        instances = self._instances[invocation.instance.function]
        if invocation.instance in instances:
            instances.remove(invocation.instance)
        for task in invocation.tasks:
            self.kernel.kill(task)
        invocation.done(None)

    def kill_all(self) -> None:
        """Every invocation and every idle instance is gone: a frozen process would go on after its time."""
        for invocation in list(self.running.values()):
            self.kernel.after(0, partial(self.kill, invocation))
        for instances in self._instances.values():
            instances[:] = [instance for instance in instances if instance.busy]

    def _instance(self, function: str) -> Instance:
        idle = [instance for instance in self._instances[function] if self._may_take(instance)]
        if idle and not self.faults.strikes("cold_start"):
            return idle[self.faults.random.randrange(len(idle))]
        instance = self._new(function)
        self._started += 1
        instance.number = self._started
        self._instances[function].append(instance)
        return instance

    def _may_take(self, instance: Instance) -> bool:
        return not instance.busy and (instance.settings is self.environment or instance.settings is self.leaving)

    def deploy(self, changes: Mapping[str, str], lasts_ms: int) -> None:
        """Give all functions other settings. For so long, instances with those before run beside them."""
        self.leaving, self.environment = self.environment, {**self.environment, **changes}
        self.kernel.after(lasts_ms, self._end_deployment)

    def _end_deployment(self) -> None:
        self.leaving = None

    def _new(self, function: str) -> Instance:
        random = self.faults.random
        skew_ms = random.randint(-_MAX_SKEW_MS, _MAX_SKEW_MS) if self.faults.strikes("clock_skew") else 0
        is_newer = self._is_newer()
        platform = _InstancePlatform(
            environment=self.environment,
            clients=AwsClients((self.newer_clients if is_newer else self.clients).__getitem__),
            clock=_Clock(self.kernel, skew_ms),
            randomness=_Randomness(self.faults),
            pause=lambda seconds: self.kernel.sleep(int(seconds * 1000)),
            kernel=self.kernel,
            history=self.history,
            wire=self.http,
            is_newer=is_newer,
        )
        wired = FUNCTIONS[function].wiring.over(platform)
        if isinstance(wired, DelivererWiring):
            wired.webhook_client = self.endpoints
        elif isinstance(wired, SweeperWiring):
            wired.due_items = _QuietDueItems(
                client=wired.due_items.client, table=wired.due_items.table, partitions=wired.due_items.partitions
            )
        return Instance(function, wired, skew_ms, is_newer, self.environment)

    def _is_newer(self) -> bool:
        if self.newer_from_ms is None or self.kernel.now_ms < self.newer_from_ms:
            return False
        return self.newer_until_ms is None or self.kernel.now_ms < self.newer_until_ms

    # -- what happens to a process while it waits

    def travel(self, low_ms: int = 1, high_ms: int = 9) -> None:
        """A call leaves, or its answer comes back: the process may die here, or be held up."""
        task = self._task
        delay_ms = low_ms + int(self.faults.random.random() * (high_ms - low_ms)) + task.owed_ms
        task.owed_ms = 0
        self.kernel.sleep(delay_ms + (self._hazard_ms(task) or 0))

    def come_back(self) -> None:
        """An answer comes back to a process that nothing happens to: its next call leaves later by so much.

        Nobody can tell the difference, and half of all switches between tasks go away.
        """
        task = self._task
        task.owed_ms += 1 + int(self.faults.random.random() * 8)
        hazard_ms = self._hazard_ms(task)
        if hazard_ms is not None:
            owed_ms, task.owed_ms = task.owed_ms, 0
            self.kernel.sleep(owed_ms + hazard_ms)

    @property
    def _task(self) -> Task:
        task = self.kernel.current
        if task is None:
            raise RuntimeError("only a task can call")
        return task

    def _hazard_ms(self, task: Task) -> int | None:
        """The hazard that a task's process meets now: death, or a time in which it stands still. None for nothing."""
        if not self.faults.is_hazardous:
            return None
        random, strikes, invocation = self.faults.random, self.faults.strikes, task.owner
        if not isinstance(invocation, Invocation):
            return None
        if strikes("crash"):
            self.kernel.after(0, lambda: self.kill(invocation))
            return 0
        if strikes("stall"):
            return random.randint(1_000, _MAX_STALL_MS)
        if strikes("freeze"):
            held_ms = random.randint(20_000, _MAX_FREEZE_MS)
            invocation.deadline_ms += held_ms  # the timer stands still too
            return held_ms
        return None

    @property
    def instance(self) -> int:
        """The number of the instance that is running; 0 outside of all."""
        task = self.kernel.current
        owner = task.owner if task is not None else None
        return owner.instance.number if isinstance(owner, Invocation) else 0

    @property
    def process(self) -> int:
        """The number of the invocation that is running; 0 outside of all."""
        task = self.kernel.current
        owner = task.owner if task is not None else None
        return owner.number if isinstance(owner, Invocation) else 0


@contextmanager
def current_wirings(kernel: Kernel) -> Iterator[None]:
    """The handlers find the wiring of the instance that is running."""

    def find() -> wiring.Wiring:
        task = kernel.current
        if task is None or not isinstance(task.owner, Invocation):
            raise RuntimeError("a handler runs outside of an invocation")
        return task.owner.instance.wiring

    with ExitStack() as stack:
        for function in FUNCTIONS.values():
            stack.enter_context(function.module.wiring.use(find))
        yield


# --- what a sweep leaves out


class _QuietDueItems(DynamoDBDueItems):
    """A shard without anything due is answered at once: they would be half of all that a run does."""

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[Due | UnknownDue]]:
        index = self.client.database.tables[self.table].indexes["due"]  # type: ignore[attr-defined]
        least = index.least_of(due_shard_name(shard), until_ms)
        return super().pages(shard, until_ms) if least is not None and least <= until_ms else iter(())


# --- an instance's platform


@dataclass(kw_only=True)
class _InstancePlatform(wiring.Platform):
    """`is_newer`: the instance runs a newer version of the code."""

    kernel: Kernel
    history: History
    wire: Any
    is_newer: bool

    @cached_property
    def logger(self) -> Any:
        return _Log(self.history)

    def telemetry(self, _settings: Settings) -> Telemetry:
        return _Telemetry(self.history)

    @property
    def http(self) -> Any:
        return self.wire

    @cached_property
    def concurrency(self) -> Concurrency:
        return _Concurrency(self.kernel)

    def registry(self, allowed: tuple[str, ...], *, observe: Callable[[str, str, int], None]) -> Registry:
        made = super().registry(allowed, observe=observe)
        return NewerRegistry.of(made) if self.is_newer else made


@dataclass(frozen=True, slots=True)
class _Clock:
    """Implements `Clock`; machines' clocks differ."""

    kernel: Kernel
    skew_ms: int

    def now_ms(self) -> int:
        return self.kernel.now_ms + self.skew_ms


@dataclass(frozen=True, slots=True)
class _Randomness:
    """Implements `Randomness` from the seed."""

    faults: Faults

    def owner(self) -> str:
        """The letter in front keeps it from being sixteen digits, which the checker takes for a card number."""
        return f"i{self.faults.random.getrandbits(64) >> 4:015x}"

    def jitter(self) -> float:
        return self.faults.random.random()

    def secret_text(self, chars: int) -> str:
        return "".join(self.faults.random.choice("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789") for _ in range(chars))


@dataclass(frozen=True, slots=True)
class _Concurrency:
    """Implements `Concurrency` with tasks of the same invocation."""

    kernel: Kernel
    most: int = 10

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        parent = self.kernel.current
        if parent is None or not isinstance(parent.owner, Invocation):
            raise RuntimeError("tasks need an invocation")
        if len(tasks) == 1:
            self._run_alone(parent, tasks[0])
            return
        waiting, errors = deque(tasks), list[Exception]()
        running = min(self.most, len(tasks))

        def child() -> None:
            nonlocal running
            while waiting:
                task = waiting.popleft()
                try:
                    task()
                except Killed:
                    return
                except Exception as error:  # noqa: BLE001 - raised below, as the threads' results are
                    errors.append(error)
            running -= 1
            if running == 0:
                self.kernel.after(0, parent)

        if running:
            parent.owner.tasks += [self.kernel.spawn(child, parent.owner) for _ in range(running)]
            self.kernel.wait()
        if errors:
            raise errors[0]

    def _run_alone(self, task: Task, function: Callable[[], None]) -> None:
        """In the task itself: what else is planned for now goes first before and after, as around a task of its own."""
        error: Exception | None = None
        self.kernel.sleep(0)
        owed_ms, task.owed_ms = task.owed_ms, 0
        try:
            function()
        except Exception as caught:  # noqa: BLE001 - raised below
            error = caught
        task.owed_ms = owed_ms
        self.kernel.sleep(0)
        if error is not None:
            raise error


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """Implements `Telemetry`: every line is kept for the checker, before any redaction."""

    history: History

    def info(self, message: str, **facts: object) -> None:
        self.history.lines.append(f"{message} {facts}")
        if message == "no work to do":
            self.history.sometimes[f"message without work: {facts['reason']}"] += 1

    def warn(self, message: str, **facts: object) -> None:
        self.history.lines.append(f"{message} {facts}")
        self.history.sometimes[f"warned: {message}"] += 1

    def about(self, **facts: object) -> None:
        self.history.lines.append(f"{facts}")

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        self.history.sometimes[f"metric: {name}"] += value
        self.history.counted[str(name), dimensions.get("status", "")] += value
        self.history.measure(name, "Count", value, dimensions)

    def milliseconds(self, name: str, value: int, **dimensions: str) -> None:
        self.history.measure(name, "Milliseconds", value, dimensions)

    def seconds(self, name: str, value: int, **dimensions: str) -> None:
        self.history.measure(name, "Seconds", value, dimensions)


@dataclass(frozen=True, slots=True)
class _Log:
    """The part of Powertools' logger that the entrypoints use. An exception that nobody foresaw is a finding."""

    history: History

    def structure_logs(self, **_keys: object) -> None:
        """Keys of the next lines; each line is looked at anyway."""

    def exception(self, message: str, *, extra: object = None) -> None:
        error = sys.exc_info()[1]
        self.history.lines.append(f"{message} {extra} {error!r}")
        if not isinstance(error, PayFlowXError) or isinstance(error, TransitionError):
            self.history.defects.append(f"{message}: {error!r}")
