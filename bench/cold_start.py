"""Cold starts in the deployed layout: import and first event, as a ratio to boto3 with two clients."""

import json
import random
import uuid
from collections.abc import Mapping
from typing import Any, Final

from bench.children import StandIn, function_environment, run_child
from bench.layout import Layout
from bench.statistics import Spread, ratios
from tests.support.handlers import payment_body, rest_event

BASE: Final = "boto3"
TARGETS: Final[Mapping[str, float]] = {"api.authorizer": 1.1, "api.handler": 1.8, "worker": 1.5}
"""Ratios to the base. Times are never gates."""
HANDLERS: Final = (
    *("api.authorizer", "api.handler", "worker", "deliverer", "sweeper", "webhook_receiver", "provider_events"),
    *("reconciler", "checkout.handler", "operators.handler"),
)
TRIALS: Final[Mapping[str, str]] = {f"{name}, signed client": name for name in TARGETS}
"""The same handlers with the clients of `bench/trials`."""
NO_BATCH: Final[dict[str, Any]] = {"Records": []}


def cold_starts(layout: Layout, running: StandIn, *, rounds: int, seed: int = 1) -> dict[str, Any]:
    """Each round runs all handlers and the base once, in another order."""
    order = [BASE, *HANDLERS, *TRIALS]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in order}
    shuffle = random.Random(seed)  # noqa: S311 - an order
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            found[name].append(_start(layout, running, name))
    base = [row["importMs"] for row in found[BASE]]
    return {name: _row(rows, base) for name, rows in found.items()}


def _row(rows: list[dict[str, Any]], base: list[float]) -> dict[str, Any]:
    whole = [row["importMs"] + row["firstMs"] for row in rows]
    return {
        "ratio": ratios(whole, base).document(),
        "importMs": Spread.of([row["importMs"] for row in rows]).document(),
        "firstMs": Spread.of([row["firstMs"] for row in rows]).document(),
        **{name: rows[0][name] for name in ("modules", "ours", "compiled", "generated")},
        "rssMb": round(rows[0]["rssMb"], 1),
    }


def _start(layout: Layout, running: StandIn, name: str) -> dict[str, Any]:
    path = str(layout.runtime) if name == BASE else layout.path
    environment = function_environment(path, None if name == BASE else running)
    handler, clients = TRIALS.get(name, name), ("signed",) if name in TRIALS else ()
    module = name if name == BASE else f"payflowx.entrypoints.{handler}"
    event = json.dumps(_event(layout, running, handler))
    row: dict[str, Any] = run_child("cold_start.py", module, event, *clients, environment=environment)
    return row


def _event(layout: Layout, running: StandIn, name: str) -> dict[str, Any]:
    """An ordinary first event; an empty batch where the function's work needs a history."""
    match name:
        case "api.authorizer":
            arn = "arn:aws:execute-api:eu-west-1:000000000000:api1/v1/GET/payments"
            return {"type": "REQUEST", "methodArn": arn, "headers": {"Authorization": f"Bearer {running.api_key}"}}
        case "api.handler":
            return _accept_event(str(uuid.uuid4()))
        case "worker":
            return {"Records": _accepted_job(layout, running)}
        case "webhook_receiver":
            return {**rest_event("POST", "/webhooks/mock/x", {}, {}, "{}", ""), "pathParameters": {}}
        case "checkout.handler":
            return rest_event("GET", "/nothing", {}, {}, None, "")
        case "operators.handler":
            return {"command": "list_merchants"}
        case _:
            return NO_BATCH if name in {"deliverer", "provider_events"} else {}


def _accept_event(key: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return rest_event("POST", "/payments", headers, {}, json.dumps(payment_body()), "acme")


def _accepted_job(layout: Layout, running: StandIn) -> list[dict[str, Any]]:
    """The job of a payment that another instance has just accepted."""
    event = json.dumps(_accept_event(f"accepted-{uuid.uuid4()}"))
    run_child(
        "cold_start.py",
        "payflowx.entrypoints.api.handler",
        event,
        environment=function_environment(layout.path, running),
    )
    found: list[dict[str, Any]] = running.control("messages", {"queue": running.environment["JOBS_QUEUE_URL"]})
    return found[-1:]
