"""A checkout whose first object the tables have forgotten: its payer paid there, and the request was repeated."""

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.configuration import restore_window_to_item
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.domain.payments.outcome import NotFound, Succeeded, Unknown
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.shared.limits import MINUTE_MS
from payflowx.domain.shared.statuses import PaymentStatus
from tests.support.tables import CONFIGURATION
from tests.support.world import fallback
from tests.unit.application.checkout.conftest import Shop


def restore(shop: Shop) -> None:
    now_ms = shop.world.clock.now_ms()
    window = RestoreWindow(
        restored_to_ms=now_ms - 10 * MINUTE_MS, stopped_at_ms=now_ms, recorded_at_ms=now_ms, opened_at_ms=now_ms
    )
    shop.world.dynamodb.put_item(TableName=CONFIGURATION, Item=to_attributes(restore_window_to_item(window)))
    shop.world.deploy()


def test_the_search_goes_on_after_the_expiry_where_a_provider_does_not_answer(shop: Shop) -> None:
    """It begins at the expiry, because the payer never came back. The charge is at the second provider."""
    shop.world.rules.document = fallback("alpha", "beta")
    restore(shop)
    payment = shop.sell(checkout=NewCheckout(lifetime_seconds=900))
    key = f"pfx-{payment.transaction_id[4:]}-1"
    paid = Succeeded(reference="ref-1", amount=payment.amount, currency=payment.currency, merchant_reference=key)
    shop.at("alpha").inquiries = [NotFound(complete=True)] * 40
    shop.at("beta").inquiries = [Unknown(code="read_timeout")] * 6 + [paid, paid]
    payment = shop.wait(payment, 905)
    assert (payment.status, payment.attempts) == (PaymentStatus.REQUIRES_ACTION, ())
    for _ in range(24):
        payment = shop.wait(payment, 300)
    assert payment.status is PaymentStatus.SUCCESS
    assert [attempt.provider for attempt in payment.attempts] == ["beta"]
