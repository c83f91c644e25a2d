"""Which part of a file is sent, under which name."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.events import Attachment, AttachmentKind
from bridge.render.file_names import file_name
from bridge.web.file_body import Span, disposition, span_of

ETAG = '"e"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-900", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-900", (0, 100)),
        ("bytes=99-99", (99, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        ("bytes=5-4", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=a-b", (0, 100)),
        ("bytes=٣-٥", (0, 100)),
        ("lines=0-1", (0, 100)),
        ("bytes=99999999999999999999-", (0, 100)),
    ],
)
def test_the_part_that_is_asked_for(asked: str, span: tuple[int, int] | None) -> None:
    assert span_of({"Range": asked}, 100, ETAG) == (None if span is None else Span(*span))


def test_a_part_of_an_older_file_is_answered_with_the_whole() -> None:
    assert span_of({"Range": "bytes=5-9", "If-Range": ETAG}, 100, ETAG) == Span(5, 10)
    for other in ('"older"', f"W/{ETAG}", "Thu, 26 Nov 2026 12:00:00 GMT"):
        assert span_of({"Range": "bytes=5-9", "If-Range": other}, 100, ETAG) == Span(0, 100)
    assert span_of({}, 0, ETAG) == Span(0, 0)
    assert span_of({"Range": "bytes=0-"}, 0, ETAG) is None


@given(st.text(max_size=150))
def test_a_name_stays_one_header_of_a_download(name: str) -> None:
    safe = file_name(Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name=name))
    value = disposition(safe)
    assert value.isascii()
    assert value.isprintable()
    plain = re.fullmatch(r"attachment; filename=\"([^\"\\]*)\"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*))?", value)
    assert plain is not None
    assert (unquote(plain[2]) if plain[2] is not None else plain[1]) == safe
