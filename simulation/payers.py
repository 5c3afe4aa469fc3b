"""Payers who are present: they open the page, choose, retry, open tabs, leave, come back, and pay what is closed."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from http import HTTPStatus
from random import Random
from typing import Final
from urllib.parse import urlsplit

from simulation.api import Api, Page
from simulation.browsing import Tab
from simulation.faults import Faults
from simulation.kernel import Kernel
from simulation.providers import SimulatedProviders
from simulation.workload import Order

_ROUNDS: Final = (2, 4, 4, 6, 9)
_PAUSES_MS: Final = (800, 2_000, 5_000, 20_000, 61_000, 200_000, 700_000)
_METHODS: Final = re.compile(r'name="method" value="(\w+)"')
_FIELDS: Final = re.compile(r'name="(name|email|phone)"')
_LINK: Final = re.compile(r'<a href="(https://[^"]+)" class="button main" rel="noreferrer">')
_FORM: Final = re.compile(r'<form action="(https://[^"]+)" method="post">(.*?)</form>', re.DOTALL)
_HIDDEN: Final = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')
_FRUITLESS: Final = frozenset({"fail", "insufficient_funds", "late", "slow"})
_LAST_ACTS: Final = ("fail", "late", "slow", "pay")
_MAY_REOPEN: Final = frozenset({"fail", "insufficient_funds", "late"})
"""Most of these tries fail and are charged an hour later, where the page offers that."""
_REOPENED: Final = 0.8
_GIVES_UP: Final = 0.8
"""This part of the payers leaves after a failed try that is charged later. The others try again."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The payers' acts on a provider's page, each act as often as it stands here."""

    acts: tuple[str, ...] = ("pay", "pay", "pay", "pay", "fail", "fail", "insufficient_funds", "slow", "late", "leave")
    beside_closing: tuple[str, ...] = ("pay",)
    """What they do while the object is being closed."""


USUAL_HABITS: Final = Habits()


@dataclass(slots=True)
class Payers:
    """All payers. `busy` counts those that may still do something."""

    kernel: Kernel
    faults: Faults
    api: Api
    providers: SimulatedProviders
    gives_up: Callable[[Order], None] = lambda _order: None
    """Called when a payer whose try failed, or does not end, wants the payment to be cancelled."""
    habits: Habits = USUAL_HABITS
    busy: int = 0
    _arrived: set[tuple[str, str]] = field(default_factory=set)

    def arrive(self, order: Order, address: str, expires_ms: int, fields: dict[str, str]) -> None:
        """The payer of an order got an address, ours or a provider's. Each order has one payer."""
        owner = (order.merchant, order.key)
        if owner in self._arrived:
            return
        self._arrived.add(owner)
        draws = (Random(f"{what} {order.payer['id']}") for what in ("payer", "reopening"))
        payer = _Payer(self, order, next(draws), expires_ms, next(draws))
        self.beside(lambda: payer.live(address, fields))

    def beside(self, action: Callable[[], object]) -> None:
        """Do it in a task of its own."""
        self.busy += 1

        def run() -> None:
            action()
            self.busy -= 1

        self.kernel.spawn(run)


@dataclass(slots=True)
class _Payer:
    """One payer with several tabs. `token` of our page is empty for one who was sent to the provider's at once."""

    payers: Payers
    order: Order
    random: Random
    expires_ms: int
    reopening: Random
    """Draws which failed tries are charged after all. Apart from `random`, so that all else stays as it is."""
    token: str = ""
    back: str = ""
    """The token of the address to which providers send this payer back."""
    tabs: list[Tab] = field(default_factory=list)
    is_done: bool = False

    def live(self, address: str, fields: dict[str, str]) -> None:
        """From a task."""
        if urlsplit(address).hostname in self.payers.providers.shops:
            self._open_tab(address, fields)
        else:
            self.token = address.rpartition("/")[2]
        for _ in range(self.random.choice(_ROUNDS)):
            self._wait(self.random.choice(_PAUSES_MS))
            self._act()
            if self.is_done:
                break
        if self.random.random() < 0.35:
            self._in_the_last_second()
        elif self.tabs and self._hurries():
            self._until(self.expires_ms - self._apart.randint(1_000, 60_000))
            self._press(self.tabs[-1], self._apart.choice(_LAST_ACTS))
        if self.random.random() < 0.3:
            self._long_after()

    def _wait(self, delay_ms: int) -> None:
        self.payers.kernel.sleep(max(1, int(delay_ms * (0.5 + self.random.random()))))

    def _act(self) -> None:
        draw = self.random.random()
        if self.tabs and (draw < 0.4 or not self.token):
            self._at_provider()
        elif draw < 0.46 and self.back:
            self._page("return", self.back)
        elif self.token:
            self._at_our_page()

    def _hurries(self) -> bool:
        return self.payers.faults.strikes("payer_hurries")

    @property
    def _apart(self) -> Random:
        return self.payers.faults.apart

    # -- our page

    def _page(self, act: str, token: str, form: dict[str, str] | None = None) -> Page | None:
        return self.payers.api.page((self.order.merchant, self.order.key), act, token, form)

    def _at_our_page(self) -> None:
        """Look, and do what the page offers; now and then what it does not offer any more."""
        page = self._page("show", self.token)
        if page is None or page.status != 200:
            return
        self._collect(page)
        if self.random.random() < 0.1:
            return  # a preview of the link opens the page, too
        methods = _METHODS.findall(page.html)
        self._wait(3_000)
        if methods or self.random.random() < 0.05:
            self._choose(self.random.choice(methods or ["card"]), _FIELDS.findall(page.html))
        elif "/close" in page.html:
            self._may_close()

    def _choose(self, method: str, fields: list[str]) -> None:
        form = {"method": method, **{name: self.order.payer[name] for name in fields}}
        if self.random.random() < 0.2:  # a double click, or a second tab
            self.payers.beside(lambda: self._answered(self._page("choose", self.token, form)))
        self._answered(self._page("choose", self.token, form))

    def _answered(self, page: Page | None) -> None:
        """Browsers follow to our page, which links to the provider's.

        The form does not lead there itself: a simulated account has a domain of its own.
        """
        shown = self._page("show", self.token) if page is not None and page.status == HTTPStatus.SEE_OTHER else None
        if shown is not None and shown.status == HTTPStatus.OK:
            self._collect(shown)

    def _may_close(self) -> None:
        """Some close what is open; some only after a try whose end they do not wait for."""
        closes = self.random.random() < 0.4
        if self.tabs and self._hurries():
            self._press(self.tabs[-1], self._apart.choice(_LAST_ACTS))
            closes = True
        if closes:
            self._close()

    def _close(self) -> None:
        """Close the open object; now and then try once more in the same second."""
        if self.tabs and self.random.random() < 0.4:
            self.payers.beside(partial(self._press_later, self.tabs[-1], int(self.random.random() * 3_000)))
        self._page("close", self.token)

    def _press_later(self, tab: Tab, delay_ms: int) -> None:
        self.payers.kernel.sleep(1 + delay_ms)
        acts = self.payers.habits.beside_closing
        self._press(tab, acts[delay_ms % len(acts)])

    def _collect(self, page: Page) -> None:
        """Open the way to the provider that the page shows, in a tab."""
        for url in _LINK.findall(page.html):
            self._open_tab(unescape(url))
        for url, inner in _FORM.findall(page.html):
            self._open_tab(unescape(url), {n: unescape(v) for n, v in _HIDDEN.findall(inner)})

    # -- the provider's page

    def _open_tab(self, url: str, fields: dict[str, str] | None = None) -> None:
        if urlsplit(url).hostname not in self.payers.providers.shops:
            return
        tab = self.payers.providers.open_page(url, fields)
        if all(known.url != tab.url for known in self.tabs):
            self.tabs.append(tab)

    def _at_provider(self) -> None:
        """In the newest tab, or in any that was ever open."""
        tab = self.tabs[-1] if self.random.random() < 0.8 else self.random.choice(self.tabs)
        act = self.random.choice(self.payers.habits.acts)
        self._press(tab, act)
        if act in {"slow", "late"} and self.random.random() < 0.5:
            self._wait(2_000)
            self._press(tab, "pay")  # the bank has not answered yet: once more

    def _press(self, tab: Tab, act: str) -> None:
        if act in _MAY_REOPEN and "value='reopen'" in tab.html:
            act = "reopen" if self.reopening.random() < _REOPENED else act
            self.is_done = self.is_done or (act == "reopen" and self.reopening.random() < _GIVES_UP)
        after = self.payers.providers.press(tab, act, self.random.choice(tab.methods or ("card",)))
        if not after.html and after.url.rpartition("/")[2].startswith("return"):
            self.back = after.url.split("/")[-2]
            self._page("return", self.back)
        if act == "pay" and self.random.random() < 0.7:
            self.is_done = True
        if act in _FRUITLESS and self.token and self.payers.faults.strikes("payer_gives_up"):
            self.is_done = True
            self.payers.gives_up(self.order)

    # -- late

    def _in_the_last_second(self) -> None:
        """Pay, or choose, just when the checkout ends."""
        self._until(self.expires_ms + self.random.randint(-2_000, 1_000))
        if self.tabs and self.random.random() < 0.7:
            self._press(self.random.choice(self.tabs), "pay" if self.random.random() < 0.7 else "late")
        elif self.token:
            self._choose("card", ["name", "email", "phone"])

    def _long_after(self) -> None:
        """Come back when all is over, and try what was open once."""
        self._until(self.expires_ms + self.random.randint(60_000, 1_800_000))
        if self.token:
            self._at_our_page()
        for tab in self.tabs:
            self._press(tab, "pay")

    def _until(self, at_ms: int) -> None:
        self.payers.kernel.sleep(max(1, at_ms - self.payers.kernel.now_ms))
