"""Two functions, one of which calls the other: what a broken design changes in its tests."""


def outer() -> int:
    return inner() + 1


def inner() -> int:
    return 1
