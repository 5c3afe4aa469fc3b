"""Registration of webhook endpoints: one for each address."""

import pytest

from payflowx.domain.shared.errors import Refusal
from tests.support.deliveries import URL, DeliveryHarness
from tests.support.world import MERCHANT

OTHER_SPELLINGS = ("https://SHOP.example.com:443/hooks", "https://shop.example.com./hooks", f"{URL}#events")


@pytest.fixture
def harness() -> DeliveryHarness:
    return DeliveryHarness()


@pytest.mark.parametrize("url", OTHER_SPELLINGS)
def test_an_address_is_registered_once_in_whatever_spelling(harness: DeliveryHarness, url: str) -> None:
    endpoint, _ = harness.register(url)
    with pytest.raises(Refusal, match=f"in another spelling, as {endpoint.endpoint_id}") as refusal:
        harness.register(URL)
    assert (refusal.value.code, refusal.value.field) == ("endpoint_exists", "url")
    assert [known.url for known in harness.manage.list(MERCHANT)] == [url], "it is shown as it was given"
    harness.manage.delete(MERCHANT, endpoint.endpoint_id)
    harness.register(URL)


def test_an_event_is_told_once_to_an_address_of_two_spellings(harness: DeliveryHarness) -> None:
    harness.register(URL)
    with pytest.raises(Refusal):
        harness.register(OTHER_SPELLINGS[0])
    harness.pay()
    harness.run()
    assert len(harness.webhook_client.posts) == 1
