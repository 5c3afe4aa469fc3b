"""Card numbers are found however they are written; ids are not mistaken for them. Both error rates are measured."""

import os
import random
import sys
import time
import unicodedata
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.shared.card_data import contains_card_number, mask_card_numbers, passes_luhn
from simulation.calibration import loop_seconds

CARDS = (
    *("4111111111111111", "4222222222222", "4000000000000000006", "5555555555554444", "2223003122003222"),
    *("378282246310005", "30569309025904", "38520000023237", "6011111111111117", "3566002020360505"),
    *("6200000000000005", "6205500000000000004", "6759649826438453", "6074819900004939", "2200000000000053"),
    *("9792030394440796", "630495060000000000"),
)
"""Published test numbers of all schemes, 13 to 19 digits."""

IDS = int(os.environ.get("CARD_DATA_IDS", "20000"))
"""Of each kind. A million: `CARD_DATA_IDS=1000000 pytest tests/unit/domain/shared/test_card_data.py -k random_ids`."""

BETWEEN = (
    *("", " ", "  ", "     ", "-", " - ", ".", ". ", "/", "_", "\\", "\t", "\n", "\r\n", "\x00"),
    *("\u00a0", "\u2009", "\u202f", "\u3000", "\u200b", "\u200d\u200b", "\u2060", "\ufeff", "\u00ad", "\u202e"),
    *("\u2010", "\u2013", "\u2014", "\u2212", "\u00b7", "\u2022", "\uff0f", "\ufe0f\u20e3", "\u0301"),
    *("&nbsp;", "&#160;", "&#x200b;", "%20", "%2D", "%C2%A0"),
)
SCRIPTS = {
    unicodedata.name(chr(code)).removesuffix(" ZERO"): code
    for code in range(sys.maxunicode + 1)
    if unicodedata.decimal(chr(code), 1) == 0 and code > 0x7F
} | {"Kawi": 0x11F50, "Garay": 0x10D40, "Myanmar Pao Karen": 0x116D0, "outlined": 0x1CCF0, "Tolong Siki": 0x11DE0}
"""The zero of every script that this Python knows, and of some that a newer one knows."""
_RANDOM = random.Random(20)


def _hex(digits: int) -> str:
    return f"{_RANDOM.getrandbits(4 * digits):0{digits}x}"


def _uuid(version: int) -> str:
    return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=version))


def _uuid7() -> str:
    time_part = f"{1_764_000_000_000 + _RANDOM.getrandbits(36):012x}"
    return f"{time_part[:8]}-{time_part[8:]}-7{_hex(3)}-{_RANDOM.choice('89ab')}{_hex(3)}-{_hex(12)}"


RANDOM_IDS: dict[str, Callable[[], str]] = {
    "UUID version 1": lambda: _uuid(1),
    "UUID version 4": lambda: _uuid(4),
    "UUID version 7": _uuid7,
    "UUID in capitals, in a text": lambda: (
        f"order-{_RANDOM.randrange(10**6)}-{_uuid(4).upper()}-{_RANDOM.randrange(10)}"
    ),
    "two UUIDs": lambda: f"{_uuid(4)}-{_uuid(4)}",
    "UUID without dashes, MD5": lambda: _hex(32),
    "SHA-1": lambda: _hex(40),
    "SHA-256": lambda: _hex(64),
    "ULID": lambda: "01JD" + "".join(_RANDOM.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=22)),
    "traceparent": lambda: f"00-{_hex(32)}-{_hex(16)}-01",
    "X-Amzn-Trace-Id": lambda: f"Root=1-{_hex(8)}-{_hex(24)};Parent={_hex(16)};Sampled=1",
}


@pytest.mark.parametrize("kind", RANDOM_IDS)
def test_random_ids_are_no_card_numbers_and_stay_searchable(kind: str) -> None:
    ids = [RANDOM_IDS[kind]() for _ in range(IDS)]
    assert [text for text in ids if contains_card_number(text)] == []
    some = ids[:1000]
    assert [mask_card_numbers(f"request {text} settled") for text in some] == [
        f"request {text} settled" for text in some
    ]


def test_200_000_random_ids_are_checked_in_the_time_of_fifty_calibration_loops() -> None:
    """It takes seventeen: a second or so. A slow machine is slow at both."""
    ids = [_uuid(4) for _ in range(200_000)]
    before_seconds, started = loop_seconds(), time.process_time()
    found = [text for text in ids if contains_card_number(text)]
    took_seconds = time.process_time() - started
    assert found == []
    assert took_seconds < 50 * max(before_seconds, loop_seconds())


@pytest.mark.parametrize(
    "text",
    [
        "b416da5b-1ea5-4600-9172-01545c79ed2e",
        "61502dee-3518-4376-8241-0ad1f6da7a63",
        "52.5702100309281",
        "52.57021003092812 13.40495400000001",
        "0.4539148803436467",
        "24-07-2026 25-08-2026",
        "2601-11-28",
        "2026-11-28 07:31:26.123456",
        "52.95.110.1 52.95.245.12",
        "1764015000000",
        "411111111111111",
        "4111111111111112",
        "4111111111111111" * 2,
    ],
)
def test_these_are_none(text: str) -> None:
    assert not contains_card_number(text)
    assert mask_card_numbers(text) == text


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 8])
def test_found_in_equal_groups(between: str, size: int) -> None:
    for card in CARDS:
        _assert_found(between.join(card[at : at + size] for at in range(0, len(card), size)))


@pytest.mark.parametrize("between", BETWEEN)
def test_found_as_printed_on_cards(between: str) -> None:
    for text in (("3782", "822463", "10005"), ("3056", "930902", "5904"), ("411111", "1111111111")):
        _assert_found(between.join(text))


@pytest.mark.parametrize("between", [",", ", ", ":", "|", "+", "*", "~", "';'"])
def test_found_as_printed_with_any_punctuation(between: str) -> None:
    for text in (("4111", "1111", "1111", "1111"), ("3782", "822463", "10005"), ("3056", "930902", "5904")):
        _assert_found(between.join(text))


@given(st.sampled_from(CARDS), st.data())
def test_found_in_any_grouping(card: str, data: st.DataObject) -> None:
    """Without a single dash, dot or slash: four, two and two digits of a card may be a date with these."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(card) - 1), max_size=6)))
    between = data.draw(st.sampled_from([" ", "_", " - ", "\u200b", "\n"]))
    _assert_found(between.join(card[start:end] for start, end in zip([0, *cuts], [*cuts, len(card)], strict=True)))


@pytest.mark.parametrize("script", SCRIPTS)
def test_found_in_other_scripts(script: str) -> None:
    for card in CARDS:
        _assert_found("".join(chr(SCRIPTS[script] + int(digit)) for digit in card))


@pytest.mark.parametrize(
    "text",
    [
        "41111111-1111-1111-8000-00000000000a",
        "00000000-0000-4000-8000-4111111111111111",
        "deadbeef4111111111111111deadbeef",
        "4111111111111111ffffffffffffffff",
        "00-00000000000000000000000000000000-4111111111111111-01",
        "4111111111111111-b416da5b-1ea5-4600-9172-01545c79ed2e",
        "exp 12/2026 4111 1111 1111 1111 2026-11-28",
        "2026-11-28 4111 1111 1111 1111",
    ],
)
def test_a_card_number_in_the_form_of_an_id_is_found(text: str) -> None:
    assert contains_card_number(text)


@given(st.text("0123456789", min_size=1, max_size=19))
def test_luhn_is_the_sum_of_the_standard(digits: str) -> None:
    doubled = [int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    assert passes_luhn(digits) == (sum(value // 10 + value % 10 for value in doubled) % 10 == 0)


def _assert_found(text: str) -> None:
    for before, after in (("", ""), ("card", "x"), ("é", "é"), ("no ", ". "), ("(", ")"), ("id_", "_")):
        within = before + text + after
        assert contains_card_number(within), ascii(within)
        assert not contains_card_number(mask_card_numbers(within)), ascii(within)
        assert text not in mask_card_numbers(within)


SEPARATORS = [
    chr(code) for code in range(0x30000) if unicodedata.category(chr(code)) in {"Zs", "Zl", "Zp", "Pd"}
] + list("\t\n\r\v\f.\u00b7\u2022\u2024\u2027\u3002\uff0e\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e")
"""White space, dashes, dots, zero-width characters and soft hyphens of all scripts."""
PREFIXES = (
    *(("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("34", 15), ("37", 15), ("36", 14), ("3528", 16)),
    *(("60", 16), ("62", 19), ("81", 16), ("2200", 16), ("9792", 16), ("6304", 18)),
)
"""First digits and length of each scheme."""


def _random_card() -> str:
    prefix, size = _RANDOM.choice(PREFIXES)
    body = prefix + "".join(_RANDOM.choices("0123456789", k=size - len(prefix) - 1))
    return next(body + digit for digit in "0123456789" if passes_luhn(body + digit))


def _random_grouping(card: str) -> str:
    """Groups of one to eight digits with one to three separators between them, half of the time always the same."""
    zero = _RANDOM.choice([ord("0"), ord("0"), *SCRIPTS.values()])
    one = "".join(_RANDOM.choices(SEPARATORS, k=_RANDOM.randint(1, 3)))
    is_regular, text, at = _RANDOM.random() < 0.5, "", 0
    while at < len(card):
        size = _RANDOM.randint(1, 8)
        between = one if is_regular else "".join(_RANDOM.choices(SEPARATORS, k=_RANDOM.randint(1, 3)))
        text += (between if at else "") + "".join(chr(zero + int(digit)) for digit in card[at : at + size])
        at += size
    return text


def test_no_random_grouping_is_missed() -> None:
    groupings = [_random_grouping(_random_card()) for _ in range(IDS)]
    assert [ascii(text) for text in groupings if not contains_card_number(text)] == []
