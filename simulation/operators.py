"""Operators: they set merchants up, erase, rotate, replay, and decide what only people can decide."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sandbox.store import Record
from simulation.api import Api
from simulation.endpoints import ENDPOINTS, url_of
from simulation.faults import Faults
from simulation.history import Commanded, History, Warned
from simulation.kernel import EPOCH_MS, Kernel
from simulation.providers import Shop, SimulatedProviders
from simulation.workload import MERCHANTS

_TRIES: Final = 4
_PAUSE_MS: Final = 3_600_000
_CACHED_MS: Final = 30 * 60_000
"""Longer than any instance remembers a secret, frozen ones included."""
_ON_ITS_WAY_MS: Final = 65 * 60_000
_CLOCKS_DIFFER_MS: Final = 5_000
_REPORTED_MS: Final = 3 * 24 * _PAUSE_MS
"""Nothing was charged before time began, and each quarter of an hour of a report is a request at some providers."""
_ID_CHARS: Final = 16
_QUEUES: Final = ("jobs", "notices", "deliveries", "runs")
_CLOSINGS: Final = frozenset({"close_review", "close_operation_review"})
_CLOSED_AGAIN: Final = 4
_EVIDENCE: Final = "The provider's dashboard"
_DUE_SOON: Final = "evidence of a dispute is due soon"
_UNDECIDED: Final = frozenset({"pending", "waiting for the payer"})


@dataclass(slots=True)
class Operators:
    """Everything here runs in tasks. `listed`: what the last list of reviews held, by payment and operation."""

    kernel: Kernel
    faults: Faults
    history: History
    api: Api
    providers: SimulatedProviders
    errs: float = 0.0
    """How often an operator reads the books wrong."""
    amounts: dict[str, int] = field(default_factory=dict)
    """What each payment is about, as its merchant knows it."""
    busy: int = 0
    absent: Set[str] = frozenset()
    """Providers at which no merchant has an account."""
    subscriptions: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """The event types of a merchant's first, second, ... endpoint, where these are not all."""
    reads_all_keys: bool = False
    """After a restore, what was charged may stand in any provider's books, under any key of the payment."""
    listed: set[tuple[str, str, str | None]] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    """The id of the key that each merchant got last, as far as operators know."""

    def set_up(self, late: Set[str] = frozenset()) -> None:
        """Create the merchants with their accounts, and the endpoints of those that do not register them later."""
        for merchant in MERCHANTS:
            shops = [
                shop
                for shop in self.providers.shops.values()
                if shop.account.merchant == merchant and shop.account.provider not in self.absent
            ]
            fields = {
                "command": "create_merchant",
                "merchantId": merchant,
                "name": merchant,
                "accounts": [shop.account.configured() for shop in shops],
            }
            answer = self.api.command(fields).answer or {}
            self.api.api_keys[merchant], self.keys[merchant] = [answer["apiKey"]], answer["keyId"]
            for told in answer["webhooks"]:
                self.providers.shop(merchant, told["provider"]).account.webhook_path = told["path"]
            if merchant not in late:
                self.register_endpoints(merchant)

    def register_endpoints(self, merchant: str) -> None:
        """Again later, until each is registered: an answer may be lost, or say that the URL is known already."""
        for number in range(1, ENDPOINTS[merchant] + 1):
            types = {"eventTypes": list(self.subscriptions[number])} if number in self.subscriptions else {}
            wanted = json.dumps({"url": url_of(merchant, number), **types})
            for _ in range(_TRIES):
                key = f"endpoint-{number}"
                call = self.api.request(merchant, "POST", "/webhook-endpoints", key=key, body=wanted)
                if call.status == 201 or call.answer.get("code") == "endpoint_exists":
                    break
                self.kernel.sleep(_PAUSE_MS)

    def rotate_endpoint_secrets(self, merchant: str) -> None:
        """The merchant asks for a new secret of each endpoint, once."""
        self.busy += 1
        listed = self.api.request(merchant, "GET", "/webhook-endpoints").answer
        for endpoint in listed.get("items", ()):
            path = f"/webhook-endpoints/{endpoint['id']}/rotate-secret"
            self.api.request(merchant, "POST", path, key=f"rotate-{endpoint['id']}")
        self.busy -= 1

    def erase(self, merchant: str, transaction_id: str) -> None:
        """A payer's wish; again later as long as the payment is not final."""
        names = {"merchantId": merchant, "transactionId": transaction_id}
        self._insist({"command": "erase_personal_data", **names})

    def _insist(self, fields: dict[str, Any], *enough: str) -> Commanded:
        """Again later, unless it was done or the refusal's code says that it is."""
        for _ in range(_TRIES):
            done = self.api.command(fields)
            if done.ok or (done.answer is not None and done.answer["error"]["code"] in enough):
                break
            self.kernel.sleep(_PAUSE_MS)
        return done

    # -- keys and credentials

    def rotate_key(self, merchant: str) -> None:
        """The merchant uses the new key from then on; without an answer nobody knows it."""
        self.busy += 1
        fields = {"command": "rotate_key", "merchantId": merchant, "keyId": self.keys[merchant], "overlapHours": 24}
        answer = self._insist(fields).answer
        if answer is not None and answer["ok"]:
            self.api.api_keys[merchant].append(answer["apiKey"])
            self.keys[merchant] = answer["keyId"]
        self.busy -= 1

    def rotate_credentials(self, shop: Shop, *, signs_later: bool = False) -> None:
        """The provider takes both pairs until the rotation is finished and all caches have forgotten the old one.

        `signs_later`: its events are signed with the old one until every cache knows the new one.
        """
        self.busy += 1
        account = shop.account
        names = {"merchantId": account.merchant, "provider": account.provider, "accountId": "main"}
        self.providers.rotate(shop, signs=not signs_later)
        fields = {"command": "rotate_credentials", **names, "secret": account.valid[-1].fields()}
        if self._insist(fields, "rotation_open").answer is not None:
            if signs_later:
                self.kernel.sleep(_CACHED_MS)
                shop.use_newest()
            self.kernel.sleep(_PAUSE_MS)
            self._insist({"command": "finish_credentials_rotation", **names}, "no_rotation")
            self.kernel.sleep(_CACHED_MS)
            account.valid = account.valid[-1:]
        self.busy -= 1

    # -- reconciliation

    def reconcile(self, shop: Shop) -> None:
        """An account's whole life so far."""
        self.busy += 1
        until_ms = self.kernel.now_ms - _CLOCKS_DIFFER_MS
        fields = {
            "command": "reconcile",
            "merchantId": shop.account.merchant,
            "provider": shop.account.provider,
            "accountId": "main",
            "fromMs": max(EPOCH_MS, until_ms - _REPORTED_MS),
            "untilMs": until_ms,
        }
        self.api.command(fields, function="reconciler")
        self.busy -= 1

    def reconcile_all(self, shops: Sequence[Shop]) -> None:
        """Some accounts, one after the other."""
        for shop in shops:
            self.reconcile(shop)

    def reconcile_days(self) -> None:
        """The schedule: the days that are over, of all accounts."""
        self.busy += 1
        self.api.invoke("reconciler", {})
        self.busy -= 1

    # -- disputes

    def list_disputes(self, merchant: str) -> None:
        """All pages, of two entries each."""
        self.busy += 1
        fields: dict[str, Any] = {"command": "list_disputes", "merchantId": merchant, "limit": 2}
        position = None
        while True:
            answer = self.api.command(fields | ({"position": position} if position else {})).answer or {}
            position = answer.get("nextPosition")
            if position is None:
                break
        self.busy -= 1

    def warn_of_deadlines(self) -> None:
        """The schedule of every hour."""
        self.busy += 1
        at_ms, before = self.kernel.now_ms, len(self.history.lines)
        answer = self.api.invoke("reconciler", {})
        lines = tuple(line for line in self.history.lines[before:] if line.startswith(_DUE_SOON))
        near = int(answer["disputesNearDeadline"]) if answer is not None else None
        self.history.warnings.append(Warned(at_ms, self.kernel.now_ms, near, lines))
        self.busy -= 1

    # -- dead letters

    def replay(self) -> None:
        """All queues, a batch each."""
        self.busy += 1
        for queue in _QUEUES:
            self.api.command({"command": "replay_dead_letters", "queue": queue})
        self.busy -= 1

    # -- reviews

    def close_reviews(self) -> None:
        """Read the list, look into the providers' books, decide. Now and then an operator errs."""
        self.busy += 1
        for merchant in MERCHANTS:
            for review in self.reviews(merchant):
                self.decide(merchant, review)
        self.busy -= 1

    def list_reviews(self) -> None:
        """Keep what is on the list at the end; and try to close again what was closed."""
        self.busy += 1
        self.listed = {
            (merchant, review["transactionId"], review["operationId"])
            for merchant in MERCHANTS
            for review in self.reviews(merchant)
        }
        self.close_again()
        self.busy -= 1

    def close_again(self) -> None:
        """Repeat some closings of reviews that are closed: nothing is left to decide."""
        closings = [c for c in self.history.commands if c.ok and c.command["command"] in _CLOSINGS]
        open_reviews = {operation_id or transaction_id for _, transaction_id, operation_id in self.listed}
        for closing in closings[:_CLOSED_AGAIN]:
            fields = {name: value for name, value in closing.command.items() if name not in self.api.reason}
            if {fields.get("operationId"), fields.get("transactionId")} & open_reviews:
                continue
            self.api.command(fields, is_right=closing.is_right, books=closing.books)

    def reviews(self, merchant: str) -> list[dict[str, Any]]:
        """The whole list, or what was read of it."""
        found, position = list[dict[str, Any]](), None
        while True:
            page = {"command": "list_reviews", "merchantId": merchant} | ({"position": position} if position else {})
            answer = self.api.command(page).answer
            if answer is None or not answer["ok"]:
                return found
            found += answer["items"]
            position = answer["nextPosition"]
            if position is None:
                return found

    def refund_by_itself(self, merchant: str, *, on: bool = True) -> None:
        """Turn the automatic refund of charges beside the holder of an order on, or off again."""
        self._insist({"command": "set_orders", "merchantId": merchant, "automaticRefund": on})

    def decide(
        self, merchant: str, review: dict[str, Any], *, by: str | None = None, evidence: str = _EVIDENCE
    ) -> None:
        """Close it by the books, where they say enough. `by`: a person with a proof of who they are."""
        if review["reason"] == "order_charged_twice" and not review["operationId"]:
            path = f"/payments/{review['transactionId']}/refunds"
            self.api.request(merchant, "POST", path, key=f"twice-{review['transactionId']}", body="{}")
            return
        if review["reason"] == "order_contended":
            return  # the holder is decided first
        books = self._books(merchant, review)
        moved = self._moved(books, review)
        part = self._part_kept(merchant, review, books) if moved is None and by is None else None
        if moved is None and part is None:
            return
        moved = moved or part is not None
        is_right = self.kernel.random.random() >= self.errs
        if not is_right:
            self.faults.counts["operator_errs"] += 1
        names: dict[str, Any] = {"merchantId": merchant}
        names |= {"operationId": review["operationId"]} if review["operationId"] else {}
        names |= {} if review["operationId"] else {"transactionId": review["transactionId"]}
        charge = _charge_id(books) if moved is is_right and not review["operationId"] else None
        if review["operationId"] and moved and is_right:
            names |= _amount_moved(books)
        if charge and is_right:
            names |= _elsewhere(books, review) if part is None else {"amount": part}
        for named in _references(charge, review):
            answer = self.api.command(
                {
                    "command": "close_operation_review" if review["operationId"] else "close_review",
                    **names,
                    **named,
                    "verdict": "charged" if moved is is_right else "not_charged",
                    "evidence": evidence,
                },
                by=by,
                is_right=is_right,
                books=books,
            ).answer
            if answer is None or answer["ok"]:
                return

    def _part_kept(self, merchant: str, review: dict[str, Any], books: list[Record]) -> int | None:
        """The part of the amount that was kept of a charge which the ledger has not booked; None where that is not so.

        What was booked is corrected by what was captured there, beside its refunds: that is another closing.
        """
        if review["operationId"] or self.reads_all_keys:
            return None
        part = _part_of(books, self.amounts.get(review["transactionId"], 0))
        if part is None:
            return None
        names = {"merchantId": merchant, "transactionId": review["transactionId"]}
        shown = self.api.command({"command": "show_review", **names}).answer or {}
        return part if shown.get("ours", {}).get("captured") == 0 else None

    def verdict(self, merchant: str, review: dict[str, Any]) -> str | None:
        """The verdict of the books about a review now; None where they do not say enough."""
        moved = self._moved(self._books(merchant, review), review)
        return None if moved is None else "charged" if moved else "not_charged"

    def _moved(self, books: list[Record], review: dict[str, Any]) -> bool | None:
        amount = self.amounts.get(review["transactionId"], 0)
        moved = _operation_moved(books) if review["operationId"] else _charge_moved(books, amount)
        return None if not moved and not self._is_settled(review) else moved

    def _is_settled(self, review: dict[str, Any]) -> bool:
        """Whether what is not in the books will not come any more: a request may be on its way for an hour."""
        since_ms = datetime.fromisoformat(review["since"]).timestamp() * 1000
        return self.kernel.now_ms - since_ms > _ON_ITS_WAY_MS

    def _books(self, merchant: str, review: dict[str, Any]) -> list[Record]:
        """The lines about this payment or operation, found by the key and the reference on the list."""
        if self.reads_all_keys:
            return self._all_books(merchant, review)
        if review["provider"] is None:
            return []
        lines = self.providers.lines(self.providers.shop(merchant, review["provider"]))
        names = {review["providerKey"], review["providerRef"]} - {None}
        if review["operationId"]:
            return [line for line in lines if names & {line["providerKey"], line["reference"], line.get("operationId")}]
        mine = {line["chargeId"] for line in lines if names & {line["reference"], line["chargeId"]}}
        return [line for line in lines if line["chargeId"] in mine]

    def _all_books(self, merchant: str, review: dict[str, Any]) -> list[Record]:
        mine = str(review["operationId"] or review["transactionId"])[-_ID_CHARS:]
        shops = [shop for shop in self.providers.shops.values() if shop.account.merchant == merchant]
        lines = [line for shop in shops for line in self.providers.lines(shop)]
        if review["operationId"]:
            names = {review["providerKey"], review["providerRef"]} - {None}
            keyed = [line for line in lines if str(line["providerKey"])[4 : 4 + _ID_CHARS] == mine]
            return keyed or [line for line in lines if names & {line["reference"], line.get("operationId")}]
        charges = {line["chargeId"] for line in lines if str(line["reference"])[4 : 4 + _ID_CHARS] == mine}
        return [line for line in lines if line["chargeId"] in charges]


def _charge_id(books: list[Record]) -> str | None:
    charges = [line["chargeId"] for line in books if line["kind"] == "charge" and line["status"] == "charged"]
    return charges[0] if charges else None


def _elsewhere(books: list[Record], review: dict[str, Any]) -> dict[str, Any]:
    """Where the charge is, if that is not the attempt which the list names: a restore forgot its request."""
    kept = [line for line in books if line["kind"] == "charge" and line["status"] == "charged"]
    if len(kept) != 1 or kept[0]["providerKey"] == review["providerKey"]:
        return {}
    line = kept[0]
    return {
        "provider": line["provider"],
        "providerKey": line["providerKey"],
        "reference": line["chargeId"],
        "amount": line["amount"] - line["refunded"],
    }


def _references(charge: str | None, review: dict[str, Any]) -> list[dict[str, str]]:
    """The provider's id of the charge, where the list of reviews does not hold it: refunds are recognized by it.

    Nobody types what seems to be on the list. It may be the id of the hosted object: then the closing is refused first.
    """
    if charge is None or review["providerRef"] == charge:
        return [{}]
    named = {"reference": charge}
    return [named] if review["providerRef"] is None else [{}, named]


def _charge_moved(books: list[Record], amount: int) -> bool | None:
    """Whether exactly this amount was taken and kept; None where the answer is neither yes nor no."""
    charges = [line for line in books if line["kind"] == "charge"]
    if any(line["status"] in _UNDECIDED | {"authorized"} for line in charges):
        return None
    kept = [line for line in charges if line["status"] == "charged" and line["refunded"] < line["amount"]]
    if not kept:
        return False
    return True if [line["amount"] - line["refunded"] for line in kept] == [amount] else None


def _part_of(books: list[Record], amount: int) -> int | None:
    """The rest of the only charge, if that is less than the amount, and nothing about it is undecided."""
    if any(line["status"] in _UNDECIDED | {"authorized"} for line in books):
        return None
    charges = [line for line in books if line["kind"] == "charge" and line["status"] == "charged"]
    kept = [line["amount"] - line["refunded"] for line in charges]
    return kept[0] if len(kept) == 1 and 0 < kept[0] < amount else None


def _amount_moved(books: list[Record]) -> dict[str, int]:
    """The amount that a refund moved, perhaps another than was requested. A capture or void has the charge's."""
    moved = [line["amount"] for line in books if line["kind"] == "refund" and line["status"] == "done"]
    return {"amount": moved[0]} if len(moved) == 1 else {}


def _operation_moved(books: list[Record]) -> bool | None:
    operations = [line for line in books if line["kind"] != "charge"]
    if any(line["status"] in _UNDECIDED for line in operations):
        return None
    return any(line["status"] == "done" for line in operations)
