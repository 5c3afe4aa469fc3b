"""A merchant's part of the payers' page, set by an operator."""

import pytest

from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.application.merchants.set_checkout import CheckoutChanges, SetCheckout
from payflowx.domain.merchants.checkout_profile import NO_PROFILE, CheckoutProfile
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.errors import Refusal
from tests.support.tables import CONFIGURATION
from tests.support.world import MERCHANT, World

WHO = OperatorAction(who="ada", why="TICKET-1")


@pytest.fixture
def world() -> World:
    return World()


def directory(world: World) -> DynamoDBMerchantDirectory:
    return DynamoDBMerchantDirectory(client=world.dynamodb, table=CONFIGURATION)  # type: ignore[arg-type]


def set_checkout(world: World, merchant_id: str = MERCHANT, **changes: object) -> CheckoutProfile:
    use_case = SetCheckout(merchant_directory=directory(world), clock=world.clock)
    profile = use_case(merchant_id, CheckoutChanges(**changes), WHO)  # type: ignore[arg-type]
    world.deploy()
    return profile


def test_a_merchant_of_an_older_release_has_none(world: World) -> None:
    merchant = world.merchants.get(MERCHANT)
    assert merchant is not None
    assert merchant.checkout == NO_PROFILE
    assert merchant.checkout.new_checkouts


def test_each_setting_is_set_alone_and_removed_by_an_empty_text(world: World) -> None:
    set_checkout(world, shown_name="Blue Shoes", accent="#1f5fa8", support="help@blue.example")
    assert set_checkout(world, new_checkouts=False, max_refused_starts=50).max_refused_starts == 50
    profile = set_checkout(world, accent="", max_refused_starts=0)
    assert profile == CheckoutProfile(shown_name="Blue Shoes", support="help@blue.example", new_checkouts=False)
    merchant = world.merchants.get(MERCHANT)
    assert merchant is not None
    assert merchant.checkout == profile
    assert merchant.accounts, "the merchant's other items stay"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shown_name": "x" * 61}, "shownName"),
        ({"shown_name": " x"}, "shownName"),
        ({"shown_name": "x\u202ey"}, "shownName"),
        ({"support": "nobody"}, "support"),
        ({"support": "a@b"}, "support"),
        ({"support": "a b@c.example"}, "support"),
        ({"support": "a@b.example?subject=x"}, "support"),
        ({"support": "javascript:alert(1)"}, "support"),
        ({"support": "https://127.0.0.1/"}, "support"),
        ({"support": "http://help.example/"}, "support"),
        ({"accent": "blue"}, "accent"),
        ({"accent": "#1F5FA8"}, "accent"),
        ({"accent": "#777"}, "accent"),
        ({"accent": "#7a7a7a"}, "accent"),
        ({"max_refused_starts": -1}, "maxRefusedStarts"),
        ({"max_refused_starts": 100_001}, "maxRefusedStarts"),
    ],
)
def test_what_a_page_must_not_show_is_refused(world: World, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        set_checkout(world, **changes)
    assert (refused.value.code, refused.value.field) == ("field_invalid", field)
    merchant = world.merchants.get(MERCHANT)
    assert merchant is not None
    assert merchant.checkout == NO_PROFILE


def test_an_unknown_merchant(world: World) -> None:
    with pytest.raises(Refusal, match="no merchant"):
        set_checkout(world, "nobody", shown_name="x")
