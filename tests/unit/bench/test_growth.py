"""No request of a payment asks for more when a merchant has many."""

from bench.growth import SMALL, growth


def test_calls_and_units_do_not_follow_the_number_of_payments() -> None:
    for name, by_size in growth(large=20 * SMALL).items():
        small, large = by_size.values()
        assert small == large, name
