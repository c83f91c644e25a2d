"""Texts made to be expensive: every platform's decoder and encoder takes them about as it takes any text of their length.

Measured in steps of the interpreter, not in time: a text of twice the length must not take four times as many."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.cases import CODECS

SHAPES: dict[str, Callable[[int], str]] = {
    "marks around a letter": lambda n: "*" * n + "a" + "*" * n,
    "underscores around a letter": lambda n: "_" * n + "a" + "_" * n,
    "marks everywhere": lambda n: "*a* " * (n // 2),
    "marks opened": lambda n: "**a " * (n // 2),
    "marks of all kinds": lambda n: "**a__b~~c||d" * (n // 6),
    "quote signs": lambda n: "> " * n,
    "quoted lines": lambda n: "> a\n" * (n // 2),
    "brackets": lambda n: "[" * n + "]" * n,
    "addresses in brackets": lambda n: "<https://a.b|" * (n // 6),
    "addresses in a row": lambda n: "https://a.b/" * (n // 6),
    "hosts in a row": lambda n: "www." * (n // 2),
    "mentions": lambda n: "<@U1>" * (n // 2),
    "backticks": lambda n: "`" * n + " " + "`" * n,
    "entities": lambda n: "&amp;" * (n // 2),
    "emoji": lambda n: ":a:" * (n // 2),
    "tags": lambda n: "<b>" * (n // 2),
}


def steps(work: Callable[[], Any]) -> int:
    """Lines and calls that Python runs through meanwhile."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("codec_name", CODECS)
def test_twice_the_text_is_about_twice_the_work(codec_name: str, shape: str) -> None:
    codec, make = CODECS[codec_name], SHAPES[shape]
    small, large = make(500), make(2000)
    codec.decode_raw(make(400))  # what is made once is made; texts of their own are not kept yet
    decoding = [steps(lambda text=text: codec.decode_raw(text)) for text in (small, large)]
    assert decoding[1] < 8 * decoding[0] + 50_000
    trees = [codec.decode_raw(text) for text in (small, large)]
    encoding = [steps(lambda tree=tree: codec.encode(tree)) for tree in trees]
    assert encoding[1] < 8 * encoding[0] + 50_000


@pytest.mark.parametrize("codec_name", CODECS)
@pytest.mark.parametrize("sign", ["> ", ">", "[", "![", "<b>", "<blockquote>", "||", "- ", "**a ", "```\n"])
def test_however_deep_nothing_is_too_deep(codec_name: str, sign: str) -> None:
    codec = CODECS[codec_name]
    codec.encode(codec.decode_raw(sign * 5000))
