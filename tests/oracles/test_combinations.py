"""Any combination of marks, blocks and hostile words means to two parsers of other people what was meant."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.model.rich_text import CodeBlock, Heading, List, ListItem, Mark, Paragraph, Quote, RichText, Text, normalize
from bridge.render.degrade import degrade
from tests.oracles.node_parsers import NodeParsers
from tests.oracles.targets import TARGETS, Target, misread
from tests.support.budget import examples

WORDS = st.sampled_from(
    [
        "word",
        "a",
        "B2",
        "слово",
        "日本",
        "🙂",
        "e\u0301",
        "אבג",
        "*",
        "_",
        "~",
        "|",
        "`",
        "\\",
        "#",
        ">",
        "-",
        "1.",
        "[x]",
        "(y)",
        "<b>",
        *("&amp;", "@anna", "**", "__", "~~", "||", "a*b", "c_d", "!", ".", '"', "https://example.org/a_b"),
    ]
)
SPACES = st.sampled_from(["", " ", " ", " ", "\n"])
WORDS_ON_A_LINE = st.lists(st.tuples(WORDS, st.sampled_from(["", " ", " "])), min_size=1, max_size=3).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
TEXTS = st.lists(st.tuples(WORDS, SPACES), min_size=1, max_size=3).map(lambda pairs: "".join(word + space for word, space in pairs))
MARKS = st.sampled_from([0, 0, 1, 2, 4, 8, 16, 3, 9, 10, 11, 17, 24, int(Mark.CODE)])


def runs(texts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Text, ...]]:
    linked = st.builds(lambda text, marks: Text(text, marks & ~Mark.CODE, "https://example.org/x_y?a=b&c"), texts, MARKS)
    text = st.builds(Text, texts, MARKS)
    return st.lists(st.one_of(text, text, text, linked), min_size=1, max_size=4).map(tuple)


PARAGRAPHS = st.builds(Paragraph, runs(TEXTS))
LISTS = st.builds(
    lambda words, ordered, deep: List(tuple(ListItem(each, min(at, deep)) for at, each in enumerate(words)), ordered),
    st.lists(runs(WORDS_ON_A_LINE), min_size=1, max_size=3),
    st.booleans(),
    st.integers(0, 2),
)
SIMPLE = (
    PARAGRAPHS
    | st.builds(Heading, st.integers(1, 3), runs(WORDS_ON_A_LINE))
    | st.builds(CodeBlock, st.sampled_from(["a *b*\n  c", "```", "x", "# y\n> z"]), st.sampled_from(["", "python"]))
    | LISTS
)
BLOCKS = (
    PARAGRAPHS | SIMPLE | st.builds(Quote, st.lists(SIMPLE, min_size=1, max_size=1).map(tuple), depth=st.sampled_from([1, 1, 2, 3]))
)


def has_lists_in_a_row(rich: RichText) -> bool:
    """Of which one of the parsers makes one list."""
    blocks = [inner for block in rich.blocks for inner in (block.blocks if isinstance(block, Quote) else (block,))]
    return any(isinstance(one, List) and isinstance(other, List) for one, other in pairwise(blocks))


TREES = st.builds(RichText, st.lists(BLOCKS, min_size=1, max_size=2).map(tuple)).filter(lambda rich: not has_lists_in_a_row(rich))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(rich=TREES)
@settings(
    max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_two_parsers_read_any_combination_as_it_was_meant(target: Target, ask: NodeParsers, rich: RichText) -> None:
    shown = degrade(normalize(rich), target.capabilities, {})
    wire = target.encode(shown)
    asked = [oracle for oracle in target.oracles if not oracle.stumbles(str(wire))]
    wrong = [why for oracle in asked if (why := misread(target, oracle, shown, wire, ask))]
    assert len(wrong) <= max(len(asked) - 2, 0), "".join(wrong)
