"""However many rows there are, a run holds a page of them."""

import tracemalloc

from tests.support.huge_report import HugeFile, reconcile_rows

ROWS = 1_500


def test_memory_does_not_grow_with_the_rows() -> None:
    reconcile_rows(600)  # caches, imports
    peaks = [_peak(rows) for rows in (ROWS, 6 * ROWS)]
    ratio = peaks[1] / peaks[0]
    print(f"peak {peaks[0]} bytes for {ROWS} rows, {peaks[1]} for {6 * ROWS}: ratio {ratio:.2f}")
    assert ratio < 1.3


def _peak(rows: int) -> int:
    tracemalloc.start()
    try:
        run = reconcile_rows(rows)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert run.counts == {"matched": rows}


def test_the_file_is_what_it_seems() -> None:
    file = HugeFile(1_000)
    whole = file.read(0, file.size)
    assert len(whole) == file.size
    assert whole.count(b"\n") == 1_001
    for first in (0, 1, 777, file.size - 5):
        assert file.read(first, first + 50) == whole[first : first + 50]
