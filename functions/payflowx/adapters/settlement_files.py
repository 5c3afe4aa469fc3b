"""Settlement files in S3, read by byte ranges: a page needs as much memory whatever the size of the file.

A position is where a row begins. The csv module does the parsing; only rows that end inside of the range are taken, so
that a row which the range cuts is read whole by the next page.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.reconciliation.reports import (
    ReportAnswer,
    ReportEntry,
    ReportResult,
    ReportUnavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RANGE_BYTES: Final = 64 * 1024
"""A row that is longer than this is none."""
HEADER_BYTES: Final = 16 * 1024
ROWS_A_PAGE: Final = 500
_CURSOR: Final = re.compile(r"(?P<offset>[0-9]{1,13}):(?P<row>[0-9]{1,10})")
_BOM: Final = b"\xef\xbb\xbf"

ReadRow = Callable[[str, Mapping[str, str]], ReportEntry | None]


class _NotUnderstoodError(ValueError):
    """The text names the place in the file."""


class _Row(Mapping[str, str]):
    """The cells of a row by column. `last_read` is the column at which a reader gave up."""

    def __init__(self, columns: list[str], cells: list[str]) -> None:
        self._cells = dict(zip(columns, cells, strict=True))
        self.last_read = ""

    def __getitem__(self, column: str) -> str:
        self.last_read = column
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3SettlementFiles:
    """Implements `SettlementFiles`. `read_row`: by provider, what a row of its file says."""

    client: "S3Client"
    bucket: str
    read_row: ReadRow

    def page(self, provider: str, file: str, cursor: str | None) -> ReportResult:
        """A bounded number of rows. What cannot be understood ends the run: a file with holes reconciles nothing."""
        try:
            columns, first_offset = self._header(file)
            offset, number = _position(cursor) if cursor else (first_offset, 1)
            data, is_last = self._range(file, offset, RANGE_BYTES)
            entries: list[ReportEntry] = []
            taken = 0
            for cells, end in _rows(data, is_last=is_last):
                if taken == ROWS_A_PAGE:
                    break
                taken, offset_after = taken + 1, offset + end
                entry = self._entry(provider, columns, cells, number + taken) if cells else None
                if entry is not None:
                    entries.append(entry)
            if taken == 0 and data:
                return ReportUnavailable(code="file_row_too_long")
            more = taken > 0 and (offset_after < offset + len(data) or not is_last)
            return ReportAnswer(entries=entries, next_cursor=f"{offset_after}:{number + taken}" if more else None)
        except ClientError as error:
            gone = error.response["Error"]["Code"] in {"NoSuchKey", "404"}
            return ReportUnavailable(code="file_not_found" if gone else "file_unavailable")
        except BotoCoreError:
            return ReportUnavailable(code="file_unavailable")
        except _NotUnderstoodError as error:
            return ReportUnavailable(code="file_not_understood", where=str(error))
        except (ValueError, csv.Error):
            return ReportUnavailable(code="file_not_understood", where="not a CSV file in UTF-8")

    def _entry(self, provider: str, columns: list[str], cells: list[str], line: int) -> ReportEntry | None:
        if len(cells) != len(columns):
            raise _NotUnderstoodError(
                f"line {line} has {len(cells)} cells, and line 1, which must name the columns, has {len(columns)}"
            )
        row = _Row(columns, cells)
        try:
            entry = self.read_row(provider, row)
        except KeyError as error:
            raise _NotUnderstoodError(f"line 1 does not name the column {error.args[0]}") from None
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise _NotUnderstoodError(f"line {line}, column {row.last_read}") from error
        return replace(entry, line=str(line)) if entry else None

    def _header(self, file: str) -> tuple[list[str], int]:
        data, is_last = self._range(file, 0, HEADER_BYTES)
        cells, end = next(_rows(data, is_last=is_last), ([], 0))
        if not cells:
            raise _NotUnderstoodError("line 1 does not name the columns")
        columns = [name.strip() for name in cells]
        for place, name in enumerate(columns):
            if name and name in columns[:place]:
                raise _NotUnderstoodError(f"line 1 names column {columns.index(name) + 1} and column {place + 1} alike")
        return columns, end

    def _range(self, file: str, offset: int, size: int) -> tuple[bytes, bool]:
        """Bytes from there, and whether the file ends with them."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=file, Range=f"bytes={offset}-{offset + size - 1}")
        except ClientError as error:
            if error.response["Error"]["Code"] in {"InvalidRange", "416"}:
                return b"", True
            raise
        data: bytes = answer["Body"].read()
        whole = int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else offset + len(data)
        return data, offset + len(data) >= whole


def _position(cursor: str) -> tuple[int, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("not a position of a file")
    return int(found["offset"]), int(found["row"])


def _rows(data: bytes, *, is_last: bool) -> Iterator[tuple[list[str], int]]:
    """Each complete row with the place behind it, counted from the beginning of the data."""
    lines = data.splitlines(keepends=True)
    if lines and not is_last and not lines[-1].endswith(b"\n"):
        lines.pop()
    ends: list[int] = []
    end = 0
    for line in lines:
        end += len(line)
        ends.append(end)
    texts = [(line.removeprefix(_BOM) if place == 0 else line).decode() for place, line in enumerate(lines)]
    reader = csv.reader(texts, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if is_last:
                raise
            return  # a quoted cell goes on behind the range
        yield cells, ends[reader.line_num - 1]
