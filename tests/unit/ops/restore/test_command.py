"""The command as a whole: what it refuses before it switches anything off."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.errors import OperatorError
from ops.restore.command import Restoring, planned
from ops.session import Session
from tests.unit.ops.restore.test_sources import FakeAws

FUTURE = datetime(2199, 1, 1, tzinfo=UTC)


def restoring(aws: FakeAws, journal: Path) -> Restoring:
    session = Session(find_target=lambda _name, _region: aws)  # type: ignore[arg-type,return-value]
    return Restoring(
        session=session,
        journal=journal,
        reason="TICKET-1",
        orders_known=False,
        all_on=False,
        asks=lambda _question: True,
    )


def test_a_time_in_the_future_switches_nothing_off(tmp_path: Path) -> None:
    aws, journal = FakeAws(), tmp_path / "journal.json"
    with pytest.raises(OperatorError, match="not over yet"):
        restoring(aws, journal)(FUTURE)
    assert aws.calls == []
    assert not journal.exists()


def test_a_plan_refuses_what_a_run_would_refuse() -> None:
    session = Session(find_target=lambda _name, _region: FakeAws())  # type: ignore[arg-type,return-value]
    with pytest.raises(OperatorError, match="not over yet"):
        planned(session, FUTURE)
