"""The questions of `payflowx doctor` to the account: do alarms reach a person, and is there room for all functions?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.target import Target

HealthCheck = dict[str, str]
_TOPICS: Final = {"AlarmTopicArn": "that wake an operator", "TicketTopicArn": "that can wait"}
_CHECKOUT: Final = "CheckoutFunctionName"
_ROOM_FOR_THE_API: Final = 20
"""Executions of Api, Authorizer and the other functions that no queue feeds, at 50 requests a second."""


def health_check(check: str, health: str, words: str, advice: str = "") -> HealthCheck:
    """As the operations function says its own."""
    return {"check": check, "health": health, "words": words, "advice": advice}


def subscribers(client: Callable[[str], Any], target: Target) -> Iterator[HealthCheck]:
    """One a topic. A mail's subscriber has to confirm; until then nothing is sent."""
    for output, which in _TOPICS.items():
        if output not in target.outputs:
            yield health_check("alarms", "error", f"The stack has no topic for the alarms {which}.", "Deploy it anew.")
            continue
        try:
            answer = client("sns").get_topic_attributes(TopicArn=target.outputs[output])
        except (ClientError, BotoCoreError) as error:
            yield health_check("alarms", "warning", f"A topic could not be read: {type(error).__name__}.")
            continue
        yield _of_topic(which, answer["Attributes"])


def _of_topic(which: str, attributes: Mapping[str, str]) -> HealthCheck:
    confirmed = int(attributes.get("SubscriptionsConfirmed", 0))
    pending = int(attributes.get("SubscriptionsPending", 0))
    if confirmed:
        return health_check("alarms", "ok", f"Alarms {which} have a subscriber.")
    advice = (
        "Follow the link in the first mail of AWS."
        if pending
        else "Set page_to and ticket_to of the environment in infra/settings.py, and deploy it."
    )
    return health_check("alarms", "error", f"Nobody hears of alarms {which}: no confirmed subscriber.", advice)


def concurrency(client: Callable[[str], Any], target: Target) -> HealthCheck:
    """Whether the account's limit leaves room for the API while all queues are worked on."""
    try:
        functions = client("lambda")
        limit = functions.get_account_settings()["AccountLimit"]
        pages = functions.get_paginator("list_event_source_mappings").paginate()
        ours = f":function:{target.stack_prefix}-Service"
        queues = sum(
            mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
            for page in pages
            for mapping in page["EventSourceMappings"]
            if ours in mapping["FunctionArn"]
        )
    except (ClientError, BotoCoreError) as error:
        return health_check("account", "warning", f"The concurrency limit could not be read: {type(error).__name__}.")
    wanted, found = queues + _ROOM_FOR_THE_API, int(limit["UnreservedConcurrentExecutions"])
    if found >= wanted:
        return health_check("account", "ok", f"{found} functions may run at once; the queues take {queues} at most.")
    return health_check(
        "account",
        "error",
        f"{found} functions may run at once, and the queues alone may take {queues}: the API would be throttled.",
        "Ask AWS for a limit of 1,000, or lower the concurrencies in infra/settings.py.",
    )


def pages_concurrency(client: Callable[[str], Any], target: Target) -> Iterator[HealthCheck]:
    """Whether payers' pages, which anybody may call, can take the executions of all other functions.

    An environment that was deployed before it had pages has no such function and gets no check.
    """
    if target.is_local or _CHECKOUT not in target.outputs:
        return
    try:
        answer = client("lambda").get_function_concurrency(FunctionName=target.outputs[_CHECKOUT])
    except (ClientError, BotoCoreError) as error:
        yield health_check("checkout", "warning", f"The page's concurrency could not be read: {type(error).__name__}.")
        return
    reserved = answer.get("ReservedConcurrentExecutions")
    if reserved is None:
        yield health_check(
            "checkout",
            "warning",
            "Anybody may open payers' pages, and their function may take all executions of the account.",
            "Set checkout_concurrency of the environment in infra/settings.py once the account's limit allows it.",
        )
    else:
        yield health_check("checkout", "ok", f"Payers' pages use {reserved} executions at most.")
