"""`python -m bench.reconciliation [rows]`: a settlement file of a million rows, and the memory that it takes."""

import sys
import tracemalloc

from tests.support.huge_report import reconcile_rows


def main() -> None:
    """Peaks of a tenth and of the whole, and their ratio: times would be this machine's only."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    peaks: list[int] = []
    for count in (rows // 10, rows):
        tracemalloc.start()
        run = reconcile_rows(count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        print(f"{count:>9} rows: {run.pages} pages, {dict(run.counts)}, peak {peaks[-1] / 1_000_000:.2f} MB")
    print(f"ten times the rows, {peaks[1] / peaks[0]:.2f} times the memory")


if __name__ == "__main__":
    main()
