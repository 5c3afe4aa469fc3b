"""The four kinds of messages: jobs, provider events, deliveries and runs. A message holds ids, amounts and hints, never
a token or a personal datum.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.log_context import Fact
from payflowx.adapters.sqs.queue import Codec
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.payments.payment import Layout
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.errors import UnreadableMessageError

_FORMAT: Final = 1
_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))
_EVENT_KEYS: Final = {
    "charge_reference": "charge_reference",
    "charge_key": "charge_key",
    "operation_reference": "movement_reference",
    "operation_key": "movement_key",
}
"""The provider event's fields and their names in the message, which are older than the fields' own."""
_EVENT_TEXTS: Final = {"event_id": "event_id", "type": "type", **_EVENT_KEYS}
_EVENT_NAMES: Final = frozenset(
    {"merchant_id", "provider", "account_id", "received_at_ms", "tries", "correlation_id", *_EVENT_TEXTS.values()}
)
_PROOFS: Final[Mapping[str, type[Any]]] = {"charged": Succeeded, "moved": Succeeded, "dispute": DisputeReport}


def _proof(outcome: Succeeded) -> Mapping[str, Any]:
    """Only what a message proves: what else an inquiry may have found is left out, and nothing that is absent."""
    return {name: value for name, value in asdict(outcome).items() if value not in {None, ()}}


# -- jobs


def _encode_job(job: Job, correlation_id: str | None) -> str:
    fields = {**asdict(job), "correlation_id": job.correlation_id or correlation_id}
    layout = job.layout if job.layout is not Layout.FULL else None
    flags = {"read_refunds": job.read_refunds or None, "slow": job.slow or None}
    return _body({**fields, "layout": layout, **flags})


def _decode_job(body: str) -> Job:
    """Hints with unknown names are ignored: the stored payment decides."""
    with _reading("the message is not a valid job"):
        fields = _fields(body)
        known = _known_fields(Job, fields)
        layout = Layout.COMPACT if known.get("layout", Layout.FULL) >= Layout.COMPACT else Layout.FULL
        job = Job(**{**known, "layout": layout, "correlation_id": log_context.received_correlation_id(known)})
    hints = (job.operation_id, job.provider, job.account_id, job.request_hash)
    if not all(isinstance(text, str) and text for text in (job.merchant_id, job.transaction_id)):
        raise UnreadableMessageError("the message names no payment")
    if any(hint is not None and not isinstance(hint, str) for hint in hints):
        raise UnreadableMessageError("the message's hints are no texts")
    if type(job.read_refunds) is not bool or type(job.slow) is not bool:
        raise UnreadableMessageError("the message's flags are no booleans")
    if any(hint is not None and type(hint) is not int for hint in (job.version, job.due_at_ms)):
        raise UnreadableMessageError("the message's version or due time is no number")
    return job


def _job_facts(job: Job) -> Mapping[str, Fact]:
    facts: dict[str, Fact] = {"transactionId": job.transaction_id, "merchantId": job.merchant_id}
    return facts | _known({"operationId": job.operation_id, "correlationId": job.correlation_id})


JOBS: Final[Codec[Job]] = Codec(
    encode=_encode_job, decode=_decode_job, facts=_job_facts, merchant_id=lambda job: job.merchant_id
)


# -- provider events


def _encode_provider_event(inbound: ReceivedEvent, correlation_id: str | None) -> str:
    """Of outcomes only proofs travel; anything else is a hint anyway. A dispute travels as it was reported."""
    event = inbound.provider_event
    outcome, moved, unknown = event.outcome, event.operation_outcome, inbound.unknown
    return _body(
        {
            **{name: value for name, value in unknown.items() if name not in _PROOFS},
            "merchant_id": inbound.merchant_id,
            "provider": inbound.provider,
            "account_id": inbound.account_id,
            "received_at_ms": inbound.received_at_ms,
            "tries": inbound.tries,
            "correlation_id": inbound.correlation_id or correlation_id,
            **{name: getattr(event, field) for field, name in _EVENT_TEXTS.items()},
            "charged": unknown.get("charged", {}) | _proof(outcome) if isinstance(outcome, Succeeded) else None,
            "moved": unknown.get("moved", {}) | _proof(moved) if isinstance(moved, Succeeded) else None,
            "dispute": unknown.get("dispute", {}) | asdict(event.dispute) if event.dispute else None,
        }
    )


def _decode_provider_event(body: str) -> ReceivedEvent:
    with _reading("the message is no webhook"):
        inbound = _inbound(_fields(body))
    texts = (
        inbound.merchant_id,
        inbound.provider,
        inbound.account_id,
        inbound.provider_event.event_id,
        inbound.provider_event.type,
    )
    keys = (getattr(inbound.provider_event, field) for field in _EVENT_KEYS)
    numbers = (inbound.received_at_ms, inbound.tries)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise UnreadableMessageError("the message's fields have wrong types")
    if any(key is not None and not isinstance(key, str) for key in keys):
        raise UnreadableMessageError("the message's ids are no texts")
    return inbound


def _inbound(fields: Mapping[str, Any]) -> ReceivedEvent:
    charged, moved, dispute = fields.get("charged"), fields.get("moved"), fields.get("dispute")
    return ReceivedEvent(
        merchant_id=fields["merchant_id"],
        provider=fields["provider"],
        account_id=fields["account_id"],
        received_at_ms=fields["received_at_ms"],
        tries=fields["tries"],
        correlation_id=log_context.received_correlation_id(fields),
        unknown=_unknown(fields),
        provider_event=ProviderEvent(
            event_id=fields["event_id"],
            type=fields["type"],
            **{field: fields.get(name) for field, name in _EVENT_KEYS.items()},
            outcome=Succeeded(**_known_fields(Succeeded, charged)) if charged else None,
            operation_outcome=Succeeded(**_known_fields(Succeeded, moved)) if moved else None,
            dispute=_dispute(_known_fields(DisputeReport, dispute)) if dispute else None,
        ),
    )


def _dispute(fields: Mapping[str, Any]) -> DisputeReport:
    return DisputeReport(**{**fields, "state": DisputeState(fields["state"])})


def _unknown(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fields of a newer release, also those within its proofs."""
    unknown = {name: value for name, value in fields.items() if name not in {*_EVENT_NAMES, *_PROOFS}}
    for name, proof in _PROOFS.items():
        within = {
            key: value for key, value in (fields.get(name) or {}).items() if key not in proof.__dataclass_fields__
        }
        if within:
            unknown[name] = within
    return unknown


def _provider_event_facts(inbound: ReceivedEvent) -> Mapping[str, Fact]:
    facts: dict[str, Fact] = {"merchantId": inbound.merchant_id, "provider": inbound.provider}
    return facts | _known({"correlationId": inbound.correlation_id})


PROVIDER_EVENTS: Final[Codec[ReceivedEvent]] = Codec(
    encode=_encode_provider_event,
    decode=_decode_provider_event,
    facts=_provider_event_facts,
    merchant_id=lambda inbound: inbound.merchant_id,
)


# -- deliveries


def _encode_delivery(job: DeliveryJob, correlation_id: str | None) -> str:
    return _body({**asdict(job), "correlation_id": job.correlation_id or correlation_id, "slow": job.slow or None})


def _decode_delivery(body: str) -> DeliveryJob:
    with _reading("the message is no delivery"):
        fields = _fields(body)
        job = DeliveryJob(
            merchant_id=fields["merchant_id"],
            transaction_id=fields["transaction_id"],
            seq=fields["seq"],
            slow=fields.get("slow", False),
            correlation_id=log_context.received_correlation_id(fields),
        )
    if not isinstance(job.merchant_id, str) or not isinstance(job.transaction_id, str) or type(job.seq) is not int:
        raise UnreadableMessageError("the message names no event")
    if type(job.slow) is not bool:
        raise UnreadableMessageError("the message's flag is no boolean")
    return job


def _delivery_facts(job: DeliveryJob) -> Mapping[str, Fact]:
    facts: dict[str, Fact] = {"transactionId": job.transaction_id, "merchantId": job.merchant_id}
    return facts | _known({"correlationId": job.correlation_id})


DELIVERIES: Final[Codec[DeliveryJob]] = Codec(
    encode=_encode_delivery,
    decode=_decode_delivery,
    facts=_delivery_facts,
    merchant_id=lambda job: job.merchant_id,
)


# -- runs of reconciliations


def _encode_run(run_id: str, _correlation_id: str | None) -> str:
    return _body({"run_id": run_id})


def _decode_run(body: str) -> str:
    with _reading("the message names no reconciliation"):
        run_id = _fields(body)["run_id"]
    if not isinstance(run_id, str) or not run_id:
        raise UnreadableMessageError("the message names no reconciliation")
    return run_id


RUNS: Final[Codec[str]] = Codec(
    encode=_encode_run, decode=_decode_run, facts=lambda run_id: {"runId": run_id}, merchant_id=lambda _run_id: None
)


# -- shared


def _body(fields: Mapping[str, Any]) -> str:
    known = {name: value for name, value in fields.items() if value is not None}
    return _COMPACT.encode({"format": _FORMAT, **known})


def _fields(body: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(body)
    if fields.pop("format") != _FORMAT:
        raise UnreadableMessageError("the message has a format that this version does not know")
    return fields


def _known_fields(target: type[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that this release knows. A field that must not be ignored comes with a new format."""
    return {name: fields[name] for name in target.__dataclass_fields__ if name in fields}


@contextmanager
def _reading(otherwise: str) -> Iterator[None]:
    """Raises `UnreadableMessageError` with that text for a body that is not what it should be."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableMessageError(otherwise) from error


def _known(facts: Mapping[str, str | None]) -> dict[str, Fact]:
    return {name: fact for name, fact in facts.items() if fact}
