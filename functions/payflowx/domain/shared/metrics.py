"""The metrics that this product writes, in one place, each with the dimensions that it has."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    """Names as CloudWatch shows them. Alarms and dashboards name the same ones; a test compares."""

    PAYMENTS_ACCEPTED = "PaymentsAccepted"
    REQUESTS_REPEATED = "RequestsRepeated"
    """A key that was known: the client asked again, and got the same payment."""
    CARD_DATA_REFUSED = "CardDataRefused"

    PAYMENTS_FINAL = "PaymentsFinal"
    TIME_TO_FINAL = "TimeToFinal"
    """From accepted to final, where neither payer nor merchant was waited for."""
    ATTEMPTS_TO_FINAL = "AttemptsToFinal"
    OBJECTIVE_MISSED = "ObjectiveMissed"
    """1 for a payment that we failed, 0 for any other: its sum is what went wrong, its count what there was."""
    PAYMENTS_IN_REVIEW = "PaymentsInReview"

    ATTEMPT_OUTCOMES = "AttemptOutcomes"
    PROVIDER_LATENCY = "ProviderLatency"
    PROVIDER_MISCONFIGURED = "ProviderMisconfigured"
    MISMATCHES = "Mismatches"
    LATE_SUCCESSES = "LateSuccesses"

    OPERATIONS_ACCEPTED = "OperationsAccepted"
    OPERATIONS_FINAL = "OperationsFinal"
    OPERATIONS_IN_REVIEW = "OperationsInReview"

    WEBHOOKS_RECEIVED = "WebhooksReceived"
    WEBHOOKS_FORGED = "WebhooksForged"
    WEBHOOKS_IGNORED = "WebhooksIgnored"
    WEBHOOKS_UNMATCHED = "WebhooksUnmatched"
    WEBHOOKS_WITHOUT_NEWS = "WebhooksWithoutNews"
    WEBHOOK_LAG = "WebhookLag"
    """From received to applied."""

    DELIVERIES = "Deliveries"
    """Tries of telling an endpoint of an event."""
    DELIVERY_LAG = "DeliveryLag"
    """From what happened to an endpoint's 2xx."""
    DELIVERIES_GIVEN_UP = "DeliveriesGivenUp"
    ENDPOINTS_DISABLED = "EndpointsDisabled"
    RECONCILED_LINES = "ReconciledLines"
    RECONCILIATION_DIFFERENCES = "ReconciliationDifferences"
    RECONCILIATIONS_FAILED = "ReconciliationsFailed"
    RECONCILIATION_AGE = "ReconciliationAge"
    """Of the oldest run that is not over; zero where all are."""

    OLDEST_DUE_AGE = "OldestDueAge"
    DRIVES_EXHAUSTED = "DrivesExhausted"
    DEAD_LETTERS_REPLAYED = "DeadLettersReplayed"


DIMENSIONS: Final[Mapping[Metric, frozenset[str]]] = {
    Metric.PAYMENTS_FINAL: frozenset({"status", "provider"}),
    Metric.ATTEMPT_OUTCOMES: frozenset({"provider", "outcome"}),
    Metric.PROVIDER_LATENCY: frozenset({"provider"}),
    Metric.WEBHOOKS_RECEIVED: frozenset({"provider"}),
    Metric.WEBHOOKS_FORGED: frozenset({"provider"}),
    Metric.WEBHOOKS_IGNORED: frozenset({"provider"}),
    Metric.WEBHOOKS_UNMATCHED: frozenset({"provider"}),
    Metric.WEBHOOKS_WITHOUT_NEWS: frozenset({"provider"}),
    Metric.WEBHOOK_LAG: frozenset({"provider"}),
    Metric.DELIVERIES: frozenset({"outcome"}),
    Metric.RECONCILED_LINES: frozenset({"provider", "outcome"}),
    Metric.OPERATIONS_ACCEPTED: frozenset({"kind"}),
    Metric.DEAD_LETTERS_REPLAYED: frozenset({"queue"}),
    Metric.OPERATIONS_FINAL: frozenset({"kind", "status"}),
    Metric.DEAD_LETTERS_REPLAYED: frozenset({"queue"}),
}
"""Besides `environment`, which every metric has.

Closed sets only: each combination of values is a metric that is paid for. Whatever an alarm watches has none, because
an alarm sees one combination.
"""
