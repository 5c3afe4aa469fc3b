"""Tests that need something beside the repository. Where it is absent they are left out in one line that says so.

A test says what it needs with `@pytest.mark.needs("sdk")`. `pytest --require=sdk` makes its absence an error.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from local.setup import BROWSER_PACKAGES, find_chromium

ROOT: Final = Path(__file__).resolve().parents[2]
CONTRACTS: Final = ROOT.parent / "shared" / "contracts"
LOCALSTRIPE_PYTHON: Final = ROOT / ".local" / "localstripe" / "bin" / "python"
CHROMIUM: Final = find_chromium()
"""The system's browser; None where there is none."""
AXE: Final = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
WORKERD: Final = ROOT / "clients" / "runtimes" / "node_modules" / ".bin" / "workerd"
SDK_PYTHON: Final = ROOT / ".venv-sdk" / "bin" / "python"

_MARK: Final = "needs"


@dataclass(frozen=True, slots=True)
class Need:
    """Something beside the repository."""

    name: str
    is_there: Callable[[], bool]
    what: str
    resolution: str

    @property
    def sentence(self) -> str:
        """What is absent, and how to get it."""
        return f"{self.what} absent: {self.resolution}"


NEEDS: Final = {
    need.name: need
    for need in (
        Need(
            "sdk",
            SDK_PYTHON.exists,
            "The providers' SDKs are",
            "`make sdk` installs them into .venv-sdk and runs the tests that need them.",
        ),
        Need(
            "runtimes",
            WORKERD.exists,
            "Deno and workerd are",
            "`make all-clients` installs them (250 MB) and runs the tests that need them.",
        ),
        Need(
            "contracts",
            CONTRACTS.is_dir,
            "The providers' published contracts are",
            "../shared/contracts would hold Stripe's and Cashfree's OpenAPI, Razorpay's samples and vectors.json.",
        ),
        Need(
            "browser",
            lambda: CHROMIUM is not None and BROWSER_PACKAGES.is_dir() and AXE.is_file(),
            "Chromium, Playwright or axe-core is",
            "install Chromium (`apt-get install chromium`, or CHROMIUM=path); `make browser` installs the others.",
        ),
        Need(
            "localstripe",
            LOCALSTRIPE_PYTHON.exists,
            "localstripe, a fake of Stripe that is not ours, is",
            "`make smoke` installs it into .local and runs the tests that need it.",
        ),
    )
}
_LEFT_OUT: Final = pytest.StashKey[dict[str, int]]()


def add_option(parser: pytest.Parser) -> None:
    """`--require=sdk`, as often as there are needs."""
    parser.addoption("--require", action="append", default=[], choices=sorted(NEEDS), help="fail where this is absent")


def register_mark(config: pytest.Config) -> None:
    """Raises `UsageError` where something is required and absent."""
    config.addinivalue_line("markers", f"{_MARK}(name): needs something beside the repository ({', '.join(NEEDS)})")
    for name in config.getoption("--require"):
        if not NEEDS[name].is_there():
            raise pytest.UsageError(NEEDS[name].sentence)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what cannot run, and remember how many test functions that were: parameters may be absent as well."""
    absent = {name for name, need in NEEDS.items() if not need.is_there()}
    left_out = {item: name for item in items for name in absent & _needs_of(item)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    names = [name for _, name in {(item.nodeid.partition("[")[0], name) for item, name in left_out.items()}]
    config.stash[_LEFT_OUT] = {name: names.count(name) for name in NEEDS if name in names}


def lines(config: pytest.Config) -> Iterable[str]:
    """One line for each need that was not met."""
    for name, count in config.stash.get(_LEFT_OUT, {}).items():
        yield f"{count} test functions left out. {NEEDS[name].sentence}"


def _needs_of(item: pytest.Item) -> set[str]:
    return {str(mark.args[0]) for mark in item.iter_markers(_MARK)}
