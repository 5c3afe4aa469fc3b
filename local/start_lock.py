"""One start at a time: the folders of stacks, layer and code that a start makes belong to all starts of a checkout."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from local.errors import LocalEnvironmentError
from local.paths import START_LOCK


@contextmanager
def start_lock() -> Iterator[None]:
    """Raises `LocalEnvironmentError` while another process holds it. The system releases that of a killed process."""
    START_LOCK.parent.mkdir(exist_ok=True)
    with START_LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalEnvironmentError(
                "Another local environment of this checkout is starting; wait until it runs, or stop it."
            ) from None
        yield
