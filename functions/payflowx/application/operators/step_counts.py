"""The calls and units of AWS that each step takes. Written by `python -m bench counts`."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Step(NamedTuple):
    """`further_kilobyte`: the write units of each kilobyte that the payment has more.

    `item_bytes`: the largest item of the payment that the step wrote. `payment_bytes`: the payment as it was measured,
    in its last state and with the attempts of this step.
    """

    calls: int
    write_units: int
    half_read_units: int
    messages: int
    further_kilobyte: int = 0
    item_bytes: int = 0
    payment_bytes: int = 0


STEPS: Final[Mapping[str, Mapping[str, Step]]] = {
    "no endpoint, full layout": {
        "accept": Step(2, 8, 0, 1, 2, 895, 927),
        "accept, with an order": Step(2, 10, 0, 1, 2, 947, 979),
        "first attempt": Step(2, 12, 0, 0, 3, 1174, 1174),
        "later attempt": Step(4, 10, 2, 1, 3, 1477, 1411),
        "inquiry": Step(4, 12, 2, 1, 3, 1277, 1190),
        "inquiry without news": Step(5, 8, 4, 1, 2, 1190, 1190),
        "operation": Step(7, 29, 6, 1, 4, 1200, 1200),
        "delivery of an operation": Step(0, 0, 0, 0, 0, 0, 0),
        "accept a checkout": Step(1, 10, 0, 0, 2, 1058, 1359),
        "choice of a payer": Step(4, 8, 4, 1, 2, 1239, 1359),
        "attempt of a checkout": Step(4, 14, 2, 1, 3, 1775, 1825),
        "inquiry of a checkout": Step(4, 15, 4, 0, 3, 1825, 1825),
        "delivery": Step(0, 0, 0, 0, 0, 0, 0),
    },
    "one endpoint, full layout": {
        "accept": Step(2, 8, 0, 1, 2, 905, 937),
        "accept, with an order": Step(2, 10, 0, 1, 2, 957, 989),
        "first attempt": Step(3, 13, 0, 1, 3, 1190, 1190),
        "later attempt": Step(4, 10, 2, 1, 3, 1477, 1411),
        "inquiry": Step(4, 12, 2, 1, 3, 1277, 1190),
        "inquiry without news": Step(5, 8, 4, 1, 2, 1190, 1190),
        "operation": Step(8, 30, 6, 2, 4, 1200, 1200),
        "delivery of an operation": Step(3, 2, 8, 0, 0, 0, 0),
        "accept a checkout": Step(1, 10, 0, 0, 2, 1058, 1359),
        "choice of a payer": Step(4, 8, 4, 1, 2, 1239, 1359),
        "attempt of a checkout": Step(4, 14, 2, 1, 3, 1775, 1825),
        "inquiry of a checkout": Step(5, 16, 4, 1, 3, 1825, 1825),
        "delivery": Step(2, 2, 6, 0, 0, 0, 0),
    },
    "no endpoint, compact layout": {
        "accept": Step(2, 3, 0, 1, 1, 628, 659),
        "accept, with an order": Step(2, 6, 0, 1, 2, 680, 711),
        "first attempt": Step(2, 9, 0, 0, 3, 839, 839),
        "later attempt": Step(4, 10, 2, 1, 3, 1078, 1006),
        "inquiry": Step(4, 9, 2, 1, 3, 958, 865),
        "inquiry without news": Step(5, 6, 4, 1, 2, 865, 865),
        "operation": Step(7, 25, 6, 1, 4, 862, 862),
        "delivery of an operation": Step(0, 0, 0, 0, 0, 0, 0),
        "accept a checkout": Step(1, 3, 0, 0, 1, 819, 1119),
        "choice of a payer": Step(4, 6, 4, 1, 2, 975, 1119),
        "attempt of a checkout": Step(4, 14, 2, 1, 3, 1457, 1518),
        "inquiry of a checkout": Step(4, 15, 4, 0, 3, 1518, 1518),
        "delivery": Step(0, 0, 0, 0, 0, 0, 0),
    },
    "one endpoint, compact layout": {
        "accept": Step(2, 3, 0, 1, 1, 635, 666),
        "accept, with an order": Step(2, 6, 0, 1, 2, 687, 718),
        "first attempt": Step(3, 10, 0, 1, 3, 852, 852),
        "later attempt": Step(4, 10, 2, 1, 3, 1078, 1006),
        "inquiry": Step(4, 9, 2, 1, 3, 958, 865),
        "inquiry without news": Step(5, 6, 4, 1, 2, 865, 865),
        "operation": Step(8, 26, 6, 2, 4, 862, 862),
        "delivery of an operation": Step(3, 2, 8, 0, 0, 0, 0),
        "accept a checkout": Step(1, 3, 0, 0, 1, 819, 1119),
        "choice of a payer": Step(4, 6, 4, 1, 2, 975, 1119),
        "attempt of a checkout": Step(4, 14, 2, 1, 3, 1457, 1518),
        "inquiry of a checkout": Step(5, 16, 4, 1, 3, 1518, 1518),
        "delivery": Step(2, 2, 6, 0, 0, 0, 0),
    },
}
