"""Reasons of failures in the log: what was not found is not said to be absent before the whole time was searched."""

import json
from typing import Any, cast

import pytest

from payflowx.adapters.failure_log import CloudWatchFailures
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.domain.shared.errors import StorageUnavailableError

LINE = {"message": json.dumps({"exception": "Traceback\nValueError: no"})}


class Pages:
    """Answers page by page, with a token until the last one."""

    def __init__(self, *pages: list[dict[str, str]], ends: bool) -> None:
        self.pages, self.ends, self.asked = list(pages), ends, 0

    def filter_log_events(self, **_arguments: Any) -> dict[str, Any]:
        page = self.pages[self.asked] if self.asked < len(self.pages) else []
        self.asked += 1
        is_last = self.ends and self.asked >= len(self.pages)
        return {"events": page, **({} if is_last else {"nextToken": "more"})}


def failures(pages: Pages) -> Any:
    log = CloudWatchFailures(client=cast("Any", pages), log_groups={WorkQueueName.JOBS: "/worker"})
    return log.failures(WorkQueueName.JOBS, "m-1", 0)


def test_a_search_to_the_end_says_what_there_is() -> None:
    assert failures(Pages([], [LINE, LINE], ends=True)) == ["ValueError: no"]
    assert failures(Pages([], [], ends=True)) == []


def test_a_search_that_was_given_up_says_nothing_is_there_only_if_it_found_something() -> None:
    assert failures(Pages([LINE], ends=False)) == ["ValueError: no"]
    pages = Pages(ends=False)
    with pytest.raises(StorageUnavailableError):
        failures(pages)
    assert pages.asked == 5
