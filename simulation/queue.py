"""SQS and Lambda's poller: at least once, in any order, late, and after five receives to the dead letters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.faults import Faults
from simulation.history import History, Lettered
from simulation.kernel import Kernel

VISIBILITY_MS: Final = 180_000
MAX_RECEIVES: Final = 5
BATCH: Final = 10
_CONCURRENCY: Final = 4
"""Fewer workers than deployed: fuller batches, more messages that wait for each other."""

_DIES: Final = 0.3
"""In this part of the cases a function dies by poison; in the others it reports the message as failed."""
_SLOW: Final = '"slow":true'

Invoke = Callable[[str, Any, Callable[[Any], None]], object]


@dataclass(slots=True, eq=False)
class Message:
    """`hidden_until_ms`: nobody gets it before. `receives` counts towards the dead letters."""

    number: int
    body: str
    hidden_until_ms: int
    receives: int = 0
    is_poison: bool = False
    """Its function fails by it until it is mended."""


@dataclass(slots=True)
class Queue:
    """A standard queue, its dead letters, and the event source mapping that feeds its function."""

    kernel: Kernel
    faults: Faults
    history: History
    invoke: Invoke | None = None
    consumer: str = "worker"
    visibility_ms: int = VISIBILITY_MS
    off_until_ms: Callable[[], int] = lambda: 0
    """Until when nobody polls; 0 for a poller that works."""
    concurrency: int = _CONCURRENCY
    in_order: bool = False
    """Oldest first, as SQS mostly does. Otherwise in any order, as it may."""
    mended_ms: int = 0
    """Until then the function fails by messages that are poison to it."""
    process: Callable[[], int] = lambda: 0
    """The number of the invocation that is running."""
    messages: dict[int, Message] = field(default_factory=dict)
    dead: list[Message] = field(default_factory=list)
    _numbers: int = 0
    _running: int = 0
    _parked: bool = False

    def send(self, body: str, *, delay_ms: int) -> dict[str, Any]:
        """SendMessage."""
        self.history.messages.append(body)
        self._note(body, is_sent=True)
        if _SLOW in body:
            self.history.sometimes[f"handed to the slow lane of the {self.consumer}"] += 1
        if self.faults.strikes("queue_delay"):
            delay_ms += self.faults.random.randint(1_000, 120_000)
        self._add(body, delay_ms)
        return {"MessageId": str(self._numbers)}

    def _note(self, body: str, *, is_sent: bool) -> None:
        if self.mended_ms:
            letter = Lettered(self.kernel.now_ms, self.process(), self.consumer, body, is_sent)
            self.history.letters.append(letter)

    def waiting(self) -> int:
        """ApproximateNumberOfMessages: without those that are delayed or in work."""
        return sum(message.hidden_until_ms <= self.kernel.now_ms for message in self.messages.values())

    def _add(self, body: str, delay_ms: int) -> None:
        self._numbers += 1
        is_poison = self.kernel.now_ms < self.mended_ms and self.faults.strikes("queue_poison")
        hidden_until_ms = self.kernel.now_ms + delay_ms
        self.messages[self._numbers] = Message(self._numbers, body, hidden_until_ms, is_poison=is_poison)
        self.poll(delay_ms + self.faults.random.randint(1, 40))

    def poll(self, delay_ms: int) -> None:
        """Look for messages then."""
        self.kernel.after(delay_ms, self._receive)

    def _receive(self) -> None:
        if self.off_until_ms():
            if not self._parked:
                self._parked = True
                self.kernel.at(self.off_until_ms(), self._resume)
            return
        if self._running >= self.concurrency or self.invoke is None:
            return  # the end of an invocation looks again
        now_ms = self.kernel.now_ms
        visible = [message for message in self.messages.values() if message.hidden_until_ms <= now_ms]
        batch = visible[:BATCH] if self.in_order else self.faults.random.sample(visible, min(BATCH, len(visible)))
        batch = [message for message in batch if not self._is_dead(message)]
        if not batch:
            return
        for message in batch:
            message.receives += 1
            message.hidden_until_ms = now_ms + self.visibility_ms
            if self.faults.strikes("queue_duplicate"):
                message.hidden_until_ms = now_ms + self.faults.random.randint(1, 5_000)
                self.poll(message.hidden_until_ms - now_ms)
        self._running += 1
        self._invoke(self.invoke, batch)
        if len(visible) > len(batch):
            self.poll(1)

    def _invoke(self, invoke: Invoke, batch: list[Message]) -> None:
        """The function gets the batch. By poison it dies with the whole batch, or works on the others alone."""
        poison = [message for message in batch if message.is_poison and self.kernel.now_ms < self.mended_ms]
        others = [message for message in batch if message not in poison]
        if poison and (not others or self.faults.apart.random() < _DIES):
            self.kernel.after(1, lambda: self._finished(batch, None))
            return
        failures = [{"itemIdentifier": str(message.number)} for message in poison]
        records = [{"messageId": str(message.number), "body": message.body} for message in others]

        def done(answer: Any) -> None:
            known = None if answer is None else {"batchItemFailures": [*answer["batchItemFailures"], *failures]}
            self._finished(batch, known)

        invoke(self.consumer, {"Records": records}, done)

    def _resume(self) -> None:
        self._parked = False
        self._receive()

    def _is_dead(self, message: Message) -> bool:
        if message.receives < MAX_RECEIVES:
            return False
        del self.messages[message.number]
        message.hidden_until_ms = 0
        self.dead.append(message)
        self.history.sometimes["message moved to the dead letters"] += 1
        return True

    def _finished(self, batch: list[Message], answer: Any) -> None:
        """Handled messages are deleted. Failed ones come back: at once, or when their time is over."""
        self._running -= 1
        self.poll(1)
        failed = {message.number for message in batch}
        if answer is not None:
            failed = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        for message in batch:
            if message.number not in failed and not self.faults.strikes("queue_lost_delete"):
                self.messages.pop(message.number, None)
                continue
            if answer is not None and message.number in failed and self.faults.random.random() < 0.5:
                message.hidden_until_ms = self.kernel.now_ms
            self.poll(max(1, message.hidden_until_ms - self.kernel.now_ms))

    # -- dead letters, as an operator's command sees them

    def take_dead(self, most: int, *, hide_ms: int) -> list[Message]:
        """ReceiveMessage on the dead letters: some that are visible, hidden from now on."""
        now_ms = self.kernel.now_ms
        visible = [message for message in self.dead if message.hidden_until_ms <= now_ms]
        taken = self.faults.random.sample(visible, min(most, len(visible)))
        for message in taken:
            message.hidden_until_ms = now_ms + hide_ms
        return taken

    def delete_dead(self, number: int) -> None:
        """DeleteMessage on the dead letters."""
        for message in self.dead:
            if message.number == number:
                self.history.sometimes["dead letter replayed"] += 1
                self._note(message.body, is_sent=False)
        self.dead = [message for message in self.dead if message.number != number]

    def show_dead(self, number: int) -> None:
        """ChangeMessageVisibility to zero on the dead letters."""
        for message in self.dead:
            if message.number == number:
                message.hidden_until_ms = 0

    def redrive(self) -> None:
        """An operator moves the dead letters back."""
        for message in self.dead:
            self.history.sometimes["dead letter replayed"] += 1
            self._add(message.body, 0)
        self.dead.clear()
