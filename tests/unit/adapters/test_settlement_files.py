"""Settlement files read by ranges: every cut gives the same rows, in bounded memory."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from payflowx.adapters import settlement_files
from payflowx.adapters.settlement_files import S3SettlementFiles
from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportUnavailable

HEADER = "reference,amount,note\r\n"


@dataclass
class FakeS3:
    """Ranges of one object, as S3 answers them."""

    body: bytes
    ranges: list[str] = field(default_factory=list)

    def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.ranges.append(Range)
        if Key == "missing.csv":
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        first, last = (int(part) for part in Range.removeprefix("bytes=").split("-"))
        if first >= len(self.body):
            raise ClientError({"Error": {"Code": "InvalidRange", "Message": "no"}}, "GetObject")
        data = self.body[first : last + 1]
        return {
            "Body": io.BytesIO(data),
            "ContentRange": f"bytes {first}-{first + len(data) - 1}/{len(self.body)}",
        }


def read_row(_provider: str, row: Any) -> ReportEntry | None:
    if row["amount"] == "skip":
        return None
    return ReportEntry(
        kind=EntryKind.CHARGE,
        reference=row["reference"],
        provider_key=row["note"],
        amount=int(row["amount"]),
        currency="INR",
        succeeded=True,
        at_ms=0,
    )


def files(body: str | bytes) -> S3SettlementFiles:
    data = body.encode() if isinstance(body, str) else body
    return S3SettlementFiles(client=FakeS3(data), bucket="b", read_row=read_row)


def everything(reader: S3SettlementFiles) -> list[ReportEntry]:
    cursor: str | None = None
    found: list[ReportEntry] = []
    for _ in range(10_000):
        page = reader.page("x", "a.csv", cursor)
        assert isinstance(page, ReportAnswer), page
        found += page.entries
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the file does not end")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(
    notes=st.lists(CELLS, max_size=30),
    size=st.integers(70, 400),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
def test_however_a_file_is_cut_every_row_is_read_once(notes: list[str], size: int, end: str, bom: bool) -> None:
    quoted = ['"' + note.replace('"', '""') + '"' for note in notes]
    text = ("\ufeff" if bom else "") + "reference,amount,note" + end
    text += end.join(f"ref_{n},{n},{note}" for n, note in enumerate(quoted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settlement_files, "RANGE_BYTES", size)
        patch.setattr(settlement_files, "ROWS_A_PAGE", 3)
        found = everything(files(text))
    assert [(e.reference, e.amount, e.provider_key, e.line) for e in found] == [
        (f"ref_{n}", n, note, str(n + 2)) for n, note in enumerate(notes)
    ]


def test_pages_are_small_and_empty_lines_are_no_rows() -> None:
    body = HEADER + "".join(f"ref_{n},{n},\r\n\r\n" for n in range(1_250)) + "fee,skip,\r\n"
    reader = files(body)
    first = reader.page("x", "a.csv", None)
    assert isinstance(first, ReportAnswer)
    assert len(first.entries) <= settlement_files.ROWS_A_PAGE
    assert len(everything(reader)) == 1_250


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (HEADER + "ref_1,1\r\n", "file_not_understood"),
        (HEADER + "ref_1,1,a,b\r\n", "file_not_understood"),
        (HEADER + 'ref_1,1,"open', "file_not_understood"),
        (HEADER + "ref_1,one,a\r\n", "file_not_understood"),
        ("amount,note\r\n1,a\r\n", "file_not_understood"),
        ("", "file_not_understood"),
        (HEADER.encode() + b"ref_\xff,1,a\r\n", "file_not_understood"),
        (HEADER + "ref_1,1," + "a" * 70_000 + "\r\nref_2,2,b\r\n", "file_row_too_long"),
    ],
)
def test_a_file_with_a_hole_reconciles_nothing(body: str | bytes, code: str) -> None:
    page = files(body).page("x", "a.csv", None)
    assert isinstance(page, ReportUnavailable)
    assert page.code == code


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (HEADER + "ref_1,1,a\r\nref_2,secret,b\r\n", "line 3, column amount"),
        (HEADER + "\r\nref_2,secret,b\r\n", "line 3, column amount"),
        (HEADER + "ref_1,1,a,b\r\n", "line 2 has 4 cells, and line 1, which must name the columns, has 3"),
        ("reference,note\r\nref_1,a\r\n", "line 1 does not name the column amount"),
        ("reference,amount,note,amount\r\nref_1,1,a,2\r\n", "line 1 names column 2 and column 4 alike"),
        ("reference,amount,note, amount\r\n", "line 1 names column 2 and column 4 alike"),
        (
            "Summary\r\nTotal,499.00\r\n\r\n" + HEADER,
            "line 2 has 2 cells, and line 1, which must name the columns, has 1",
        ),
        ("Summary,,\r\nTotal,499.00,\r\n" + HEADER, "line 1 does not name the column amount"),
        ("", "line 1 does not name the columns"),
        (HEADER + 'ref_1,1,"open', "not a CSV file in UTF-8"),
        (HEADER.encode("utf-16"), "not a CSV file in UTF-8"),
    ],
)
def test_the_place_that_is_not_understood_is_named_without_its_text(body: str | bytes, where: str) -> None:
    page = files(body).page("x", "a.csv", None)
    assert page == ReportUnavailable(code="file_not_understood", where=where)
    assert page.problem == f"file_not_understood: {where}"


def test_a_place_of_a_later_page_is_counted_from_the_beginning() -> None:
    body = HEADER + "".join(f"ref_{n},{n},\r\n" for n in range(600)) + "ref_x,x,\r\n"
    first = files(body).page("x", "a.csv", None)
    assert isinstance(first, ReportAnswer)
    second = files(body).page("x", "a.csv", first.next_cursor)
    assert second == ReportUnavailable(code="file_not_understood", where="line 602, column amount")


def test_columns_without_a_name_may_be_several() -> None:
    assert len(everything(files("reference,amount,note,,\r\nref_1,1,a,,\r\n"))) == 1


def test_a_file_that_is_not_there() -> None:
    assert files(HEADER).page("x", "missing.csv", None) == ReportUnavailable(code="file_not_found")


def test_a_cursor_that_is_none() -> None:
    page = files(HEADER).page("x", "a.csv", "x")
    assert isinstance(page, ReportUnavailable)
    assert page.code == "file_not_understood"
