"""The metrics of the product, with the dimensions of each."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    """Names as CloudWatch shows them. A test compares them with alarms and dashboards."""

    PAYMENTS_ACCEPTED = "PaymentsAccepted"
    REQUESTS_REPEATED = "RequestsRepeated"
    """The idempotency key was known: the client repeated a request and got the same payment."""
    CARD_DATA_REFUSED = "CardDataRefused"

    PAYMENTS_FINAL = "PaymentsFinal"
    TIME_TO_FINAL = "TimeToFinal"
    """From accepted to final, for payments that waited for neither payer nor merchant."""
    ATTEMPTS_TO_FINAL = "AttemptsToFinal"
    OBJECTIVE_MISSED = "ObjectiveMissed"
    """1 for a payment that missed the objective, else 0: the sum counts misses, the count payments."""
    PAYMENTS_IN_REVIEW = "PaymentsInReview"

    ATTEMPT_OUTCOMES = "AttemptOutcomes"
    SENDS_POSTPONED = "SendsPostponed"
    """A request of a payment or operation could not be sent, and no other provider is left: it is tried again."""
    PROVIDER_LATENCY = "ProviderLatency"
    BREAKERS_OPENED = "BreakersOpened"
    """Provider accounts that new payments pass over from now on, because their calls fail."""
    PROVIDER_MISCONFIGURED = "ProviderMisconfigured"
    MISMATCHES = "Mismatches"
    LATE_SUCCESSES = "LateSuccesses"
    OBJECTS_CHARGED_TWICE = "ObjectsChargedTwice"
    ORDERS_CHARGED_TWICE = "OrdersChargedTwice"
    """Payments that were charged although the payment that holds their order was charged, too."""
    ORDER_PARTS_LEFT_OUT = "OrderPartsLeftOut"
    """Changes of payments whose part in the order did not fit, and was not written."""

    OPERATIONS_ACCEPTED = "OperationsAccepted"
    OPERATIONS_FINAL = "OperationsFinal"
    OPERATIONS_IN_REVIEW = "OperationsInReview"

    WEBHOOKS_RECEIVED = "WebhooksReceived"
    WEBHOOKS_FORGED = "WebhooksForged"
    WEBHOOKS_IGNORED = "WebhooksIgnored"
    WEBHOOKS_UNMATCHED = "WebhooksUnmatched"
    WEBHOOKS_WITHOUT_NEWS = "WebhooksWithoutNews"
    WEBHOOK_LAG = "WebhookLag"
    """From the receipt of a webhook to its application."""

    DELIVERIES = "Deliveries"
    """Tries to deliver an event to an endpoint."""
    DELIVERY_LAG = "DeliveryLag"
    """From the event to an endpoint's 2xx response."""
    DELIVERIES_GIVEN_UP = "DeliveriesGivenUp"
    ENDPOINTS_DISABLED = "EndpointsDisabled"
    RECONCILED_LINES = "ReconciledLines"
    RECONCILIATION_DIFFERENCES = "ReconciliationDifferences"
    RECONCILIATIONS_FAILED = "ReconciliationsFailed"
    RECONCILIATION_AGE = "ReconciliationAge"
    """Age of the oldest unfinished run; zero if there is none."""

    CHECKOUT_STARTS_REFUSED = "CheckoutStartsRefused"
    """Choices beyond the limits of a checkout, which are typical of tests of stolen cards."""

    DISPUTES_REPORTED = "DisputesReported"
    """Disputes that were opened, also again after their end, and reports of those that are not recorded."""
    DISPUTES_NEAR_DEADLINE = "DisputesNearDeadline"
    """Disputes whose evidence is due within three days: counted every hour, zero if there is none."""

    OLDEST_DUE_AGE = "OldestDueAge"
    DRIVES_EXHAUSTED = "DrivesExhausted"
    DUE_ITEMS_FAILED = "DueItemsFailed"
    """Due items that the sweeper could not handle; each was postponed."""
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
"""Dimensions besides `environment`, which every metric has.

Closed sets only: each combination of values is a metric that is paid for. A metric that an alarm watches has none,
because an alarm watches one combination.
"""
