"""Lists as iterators, which fetch a page when it is needed."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from payflowx_client.errors import PayFlowXError, UnexpectedAnswerError

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Page(Protocol[Item_co]):
    """A page of any list."""

    @property
    def items(self) -> tuple[Item_co, ...]: ...
    @property
    def next_cursor(self) -> str | None: ...


class IncompleteListError(PayFlowXError):
    """The list is complete but for `ids`: a newer version of the service stored them. Read them again later."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(f"{len(ids)} rows cannot be shown now, the first is {ids[0]}; read them again later")
        self.ids = ids


class Listing(Generic[Item]):
    """Iterate over it for all items, or over `pages()`. Each iteration reads from the start.

    An iteration over items ends with `IncompleteListError` if rows could not be shown, after all others: a list that
    misses payments must not look complete.
    """

    def __init__(self, read: Callable[[str | None], Page[Item]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Item]:
        unreadable: list[str] = []
        for page in self.pages():
            yield from page.items
            unreadable += getattr(page, "unreadable", ())
        if unreadable:
            raise IncompleteListError(tuple(unreadable))

    def pages(self) -> Iterator[Page[Item]]:
        """The pages as they are. Raises `UnexpectedAnswerError` when a cursor comes twice."""
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            page = self._read(cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                raise UnexpectedAnswerError("the list came back to a page that was read already")
            seen.add(cursor)
