"""Everyone's switches are read once for all merchants of an instance."""

from payflowx.adapters.dynamodb.merchants.configuration import EVERYONE, DynamoDBMerchantConfiguration
from payflowx.domain.shared.limits import MINUTE_MS
from testing.dynamodb.read_units import ReadMeter
from tests.support.memory import ManualClock, cache_of
from tests.support.model_tables import model_database
from tests.support.tables import CONFIGURATION
from tests.support.world import World

MERCHANTS = 100


def test_a_merchant_costs_one_query_and_the_switches_one_for_all() -> None:
    database = model_database()
    meter, clock = ReadMeter(database), ManualClock()
    new_cache = cache_of(clock)
    configuration = DynamoDBMerchantConfiguration(
        client=meter,  # type: ignore[arg-type]
        table=CONFIGURATION,
        cache=new_cache(MINUTE_MS),
        everyone=new_cache(MINUTE_MS),
    )
    for number in range(MERCHANTS):
        database.put_item(
            TableName=CONFIGURATION,
            Item={"pk": {"S": f"M#m{number}"}, "sk": {"S": "MERCHANT"}, "name": {"S": "Acme"}},
        )
    for _ in range(3):
        for number in range(MERCHANTS):
            assert configuration.get(f"m{number}") is not None
    assert meter.take()[0] == ["query"] * (MERCHANTS + 1)


def test_a_switch_for_everyone_takes_effect_within_a_minute() -> None:
    """Also for a merchant that was read shortly before the switches were."""
    world = World()
    assert world.merchants.get("acme") is not None
    world.clock.advance(50)
    world.dynamodb.put_item(
        TableName=CONFIGURATION,
        Item={"pk": {"S": EVERYONE}, "sk": {"S": "SWITCH#alpha"}, "disabled": {"BOOL": True}},
    )
    world.clock.advance(11)
    merchant = world.merchants.get("acme")
    assert merchant is not None
    assert merchant.disabled == {"alpha"}
