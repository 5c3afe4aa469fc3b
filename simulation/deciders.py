"""Operators above a merchant's limit: one proposes, another one approves, and they get in each other's way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final

from simulation.api import Api
from simulation.faults import Faults
from simulation.history import Commanded
from simulation.identities import PEOPLE
from simulation.kernel import Kernel
from simulation.operators import Operators
from simulation.workload import MERCHANTS

KIND: Final = "operators_decide_by_two"
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS
_ROUNDS: Final = (5, 9, 14, 25, 45, 70, 85, 100, 120, 150, 180, 240, 720, 1_700, 1_720)
"""Minutes from the beginning, when somebody looks at the reviews and proposes, and others look at what is proposed."""
_LIMITS_CHANGE: Final = (1, 30, 31, 90, 130, 700)
_LAST_MS: Final = 1_740 * _MINUTE_MS
_FORGOTTEN: Final = 0.15
"""This part of the proposals nobody looks at before its day is over."""
_DECIDED_WITHIN_MS: Final = 9 * _MINUTE_MS
_LEAST: Final = 5_000
"""About so much one person decides alone."""
_PAUSE_MS: Final = 5_000
_TRIES: Final = 3
_WAITING: Final = frozenset({"OPEN", "APPROVED", "REFUSED"})
_WITHDRAWN: Final = 0.1
_LEFT: Final = 0.2
_OWN: Final = 0.15
"""This part of what somebody proposed they try to approve themselves."""
_AT_ONCE: Final = 0.35
_AGAIN: Final = 0.2
"""And this part is approved once more after it was."""
_CLOSINGS: Final = frozenset({"close_review", "close_operation_review"})


@dataclass(slots=True)
class Deciders:
    """Everything here runs in tasks, but for `plan`."""

    kernel: Kernel
    faults: Faults
    api: Api
    operators: Operators
    _numbers: int = 0
    _reviews: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the list of reviews said about what a closing is about, by its evidence."""

    def plan(self, random: Random) -> Iterator[tuple[int, Callable[[], None]]]:
        """The acts, and how long from now. The run waits for the end of the last proposals' day."""
        self.operators.busy += 1
        yield _LAST_MS, self._end
        for merchant in MERCHANTS:
            yield random.randrange(5_000), partial(self._first_limits, merchant)
            for minute in _LIMITS_CHANGE:
                at_ms = minute * _MINUTE_MS + random.randrange(_MINUTE_MS)
                yield at_ms, partial(self._work, self._propose_limits, merchant, Random(random.getrandbits(32)))
            for minute in _ROUNDS:
                at_ms = minute * _MINUTE_MS + random.randrange(_MINUTE_MS)
                yield at_ms, partial(self._work, self._propose, merchant, Random(random.getrandbits(32)))
                for _ in range(2):
                    later_ms = at_ms + random.randrange(_DECIDED_WITHIN_MS)
                    yield later_ms, partial(self._work, self._decide, merchant, Random(random.getrandbits(32)))

    def _end(self) -> None:
        self.operators.busy -= 1

    def _work(self, action: Callable[[str, Random], None], merchant: str, random: Random) -> None:
        self.operators.busy += 1
        self.faults.count(KIND)
        action(merchant, random)
        self.operators.busy -= 1

    def _beside(self, action: Callable[[], object]) -> None:
        self.operators.busy += 1

        def run() -> None:
            action()
            self.operators.busy -= 1

        self.kernel.spawn(run)

    # -- the first person

    def _first_limits(self, merchant: str) -> None:
        """Two people set them at once, and only one of them alone."""
        for who in ("ada", "ben"):
            self._beside(partial(self._set_limits, merchant, who))

    def _propose_limits(self, merchant: str, random: Random) -> None:
        self._set_limits(merchant, random.choice(sorted(PEOPLE)))

    def _set_limits(self, merchant: str, who: str) -> None:
        """Other amounts than anybody ever named. A currency that is not named has the limit 0."""
        self._numbers += 1
        limit = _LEAST + self._numbers
        limits = {"INR": limit} if self._numbers % 3 else {"INR": limit, "USD": limit}
        self.api.command({"command": "set_approval_limits", "merchantId": merchant, "limits": limits}, by=who)

    def _propose(self, merchant: str, random: Random) -> None:
        """Closings of all reviews about which the books say enough; some are proposed already."""
        who = random.choice(sorted(PEOPLE))
        for review in self.operators.reviews(merchant):
            self._numbers += 1
            evidence = f"The dashboard, look {self._numbers}"
            self._reviews[evidence] = review
            self.operators.decide(merchant, review, by=who, evidence=evidence)

    # -- the second person

    def _decide(self, merchant: str, random: Random) -> None:
        who = random.choice(sorted(PEOPLE))
        answer = self._insist({"command": "list_proposals", "merchantId": merchant}, None).answer or {}
        for proposal in answer.get("items", []):
            if proposal["state"] in _WAITING:
                self._decide_one(proposal, who, random)
            elif random.random() < _AGAIN / 4:
                self._approve(proposal, who)

    def _decide_one(self, proposal: dict[str, Any], who: str, random: Random) -> None:
        draw = random.random()
        is_late = self.kernel.now_ms - self._since_ms(proposal) > _DAY_MS
        if (draw < _LEFT or Random(proposal["proposalId"]).random() < _FORGOTTEN) and not is_late:
            return
        if PEOPLE[who].principal == proposal["proposedBy"]:
            if draw < _LEFT + _OWN:
                self._approve(proposal, who)
            return
        if draw < _LEFT + _WITHDRAWN or not self._is_right(proposal):
            self._insist({"command": "withdraw_proposal", **_names(proposal)}, who)
            return
        if random.random() < _AT_ONCE:
            other = random.choice(sorted(PEOPLE))
            self._beside(partial(self._approve, proposal, other))
        self._approve(proposal, who)
        if random.random() < _AGAIN:
            self._approve(proposal, random.choice(sorted(PEOPLE)))

    @staticmethod
    def _since_ms(proposal: dict[str, Any]) -> float:
        return datetime.fromisoformat(proposal["createdAt"]).timestamp() * 1_000

    def _approve(self, proposal: dict[str, Any], who: str) -> None:
        """Again where nobody knows what became of it."""
        self._insist({"command": "approve_proposal", **_names(proposal)}, who)

    def _is_right(self, proposal: dict[str, Any]) -> bool:
        """Whether the books still say what the proposal says, as the second person reads them."""
        change = proposal["change"]
        if change["command"] not in _CLOSINGS:
            return True
        review = self._reviews.get(change["evidence"])
        if review is None:
            return False
        return bool(self.operators.verdict(change["merchantId"], review) == change["verdict"])

    def _insist(self, fields: dict[str, Any], who: str | None) -> Commanded:
        for _ in range(_TRIES):
            done = self.api.command(fields, by=who)
            code = None if done.answer is None else done.answer.get("error", {}).get("code")
            if done.answer is not None and code not in {"unavailable", "proof_needed"}:
                break
            self.kernel.sleep(_PAUSE_MS)
        return done


def _names(proposal: dict[str, Any]) -> dict[str, str]:
    return {"merchantId": proposal["merchantId"], "proposalId": proposal["proposalId"]}
