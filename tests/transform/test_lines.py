"""Lines of a block: counted, numbered, and told apart from what Arrow would make of them."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxietl.transform.lines import fields_of, is_blank, lines_of, means_one_thing

PIECES = st.lists(
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b" ", b"\t", b"\xa0", b"\xc2\xa0", b"a,b", b'"', b"\x00"]
    )
)


@given(PIECES)
def test_lines_are_what_splitting_at_lf_gives(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    split = data.split(b"\n")
    if not split[-1]:
        split.pop()  # what follows the last line end is no line

    lines = lines_of(data, 5)

    all_lines = [5 + place for place in range(len(split))]
    expected = [5 + place for place, line in enumerate(split) if not is_blank(line)]
    assert lines.count == len(split)
    assert lines.rows == len(expected)
    assert (all_lines if lines.numbers is None else lines.numbers) == expected


def test_a_line_of_blanks_is_none() -> None:
    lines = lines_of(b"a\n\n  \n\t \r\n\r\r\n\xc2\xa0\n\xa0 \n a\n\x00\n\xc2\xa9\n ", 1)

    assert lines.numbers == [1, 8, 9, 10]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a,b\nc,d\n", id="lf"),
        pytest.param(b"a,b\r\nc,d\r\n", id="crlf"),
        pytest.param(b"a,b\nc,d\r\n\r\n", id="both"),
        pytest.param(b"a,b\nc,d", id="no-line-end"),
        pytest.param(b'"a,b",c\n"d","e"\r\n', id="quoted"),
        pytest.param(b'a,""\n"",b\n', id="quoted-nothing"),
        pytest.param(b"extra,x1\n", id="an-x"),
    ],
)
def test_a_plain_block_means_one_thing(data: bytes) -> None:
    assert means_one_thing(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a,b\rc,d\n", id="lone-cr"),
        pytest.param(b"a,b\n\r", id="cr-at-the-end"),
        pytest.param(b"a,b\r\r\n", id="two-cr"),
        pytest.param(b'"a,b\nc",d\n', id="line-end-in-quotes"),
        pytest.param(b'"a"b,c\n', id="text-after-a-quote"),
        pytest.param(b'"a,"b",c\n', id="comma-and-text-after-a-quote"),
        pytest.param(b'a"b,c\n', id="quote-within"),
        pytest.param(b'"a""b",c\n', id="doubled-quote"),
        pytest.param(b"\xef\xbb\xbf1,2\n", id="byte-order-mark"),
        pytest.param(b"0x1F,2\n", id="hexadecimal"),
        pytest.param(b"0X1F,2\n", id="hexadecimal-in-capitals"),
    ],
)
def test_a_block_that_arrow_would_read_otherwise_does_not(data: bytes) -> None:
    assert not means_one_thing(data)


def test_a_quoted_field_may_hold_commas() -> None:
    assert fields_of('1,"a,b",2') == ["1", "a,b", "2"]


def test_an_open_quote_is_an_error() -> None:
    with pytest.raises(csv.Error):
        fields_of('1,"a,b,2')
