"""Replacements in the words of a message."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import given

from bridge.model.rich_text import (
    CodeBlock,
    Heading,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    plain,
    text_of,
)
from bridge.model.rich_text_tables import table
from bridge.policy.rewrites import LIMIT_S, MOST_GROWN, Rewrite, rewritten, rewritten_words
from tests.support.strategies import rich_texts


def rule(find: str, replace: str = "", *, in_code: bool = False) -> Rewrite:
    return Rewrite(find=regex.compile(find), replace=replace, in_code=in_code, name="rewrite 1 (line 3)")


def words(text: str, *rules: Rewrite) -> str:
    return text_of(rewritten(plain(text), rules)[0])


def test_one_after_the_other() -> None:
    assert words("JIRA-12 and JIRA-3", rule(r"JIRA-(\d+)", r"#\1"), rule("#3", "three")) == "#12 and three"
    assert words("a@b.example", rule(r"(?P<who>\w+)@\S+", r"\g<who>@…")) == "a@…"
    assert words("nothing here", rule("x", "y")) == "nothing here"


@pytest.mark.parametrize(
    "block", [lambda t: Paragraph((Text(t),)), lambda t: Heading(1, (Text(t),)), lambda t: Quote((Paragraph((Text(t),)),))]
)
def test_everywhere_but_in_code(block: object) -> None:
    code = CodeBlock("secret")
    tree = RichText((block("a secret"), code, List((ListItem((Text("secret", Mark.CODE), Text(" secret"))),))))  # type: ignore[operator]
    shown = text_of(rewritten(tree, (rule("secret", "xxx"),))[0])
    assert shown == "a xxx\nsecret\nsecret xxx"
    assert "secret" not in text_of(rewritten(tree, (rule("secret", "xxx", in_code=True),))[0])


def test_marks_links_and_mentions_stay() -> None:
    tree = RichText(
        (
            Paragraph(
                (
                    Text("see ", Mark.BOLD),
                    Text("old", 0, "https://old.example/old"),
                    Text(" "),
                    Text("https://old.example/x", 0, "https://old.example/x"),
                    Mention(MentionKind.USER, "1", "old"),
                )
            ),
        )
    )
    (paragraph,) = rewritten(tree, (rule("old", "new"),))[0].blocks
    assert isinstance(paragraph, Paragraph)
    assert paragraph.inlines == (
        Text("see ", Mark.BOLD),
        Text("new", 0, "https://old.example/old"),
        Text(" "),
        Text("https://new.example/x", 0, "https://new.example/x"),
        Mention(MentionKind.USER, "1", "old"),
    )


def test_an_address_that_is_taken_out_is_no_link_any_more() -> None:
    tree = RichText((Paragraph((Text("https://in.example/?token=1", 0, "https://in.example/?token=1"),)),))
    assert rewritten(tree, (rule(r"https://in\S+", "[hidden]"),))[0] == plain("[hidden]")


@pytest.mark.slow
def test_what_takes_too_long_leaves_the_words_and_says_so() -> None:
    slow, quick = rule("(a+)+$", "x"), rule("hello", "bye")
    begun_s = time.monotonic()
    shown, left_out = rewritten(plain("hello " + "a" * 5000 + "?"), (quick, slow))
    assert time.monotonic() - begun_s < LIMIT_S + 5
    assert text_of(shown) == "bye " + "a" * 5000 + "?"
    assert left_out == ("rewrite 1 (line 3)",)
    assert rewritten_words("a" * 5000 + "?", (slow,)) == ""


def test_what_makes_too_much_of_a_text_leaves_it() -> None:
    bomb = rule(".", "x" * 1000)
    assert words("a" * 10, bomb) == "a" * 10
    assert words("abc", bomb) == "x" * 3000
    assert len(words("a" * 2000, *[rule("a", "aaaa")] * 30)) <= MOST_GROWN


@given(rich_texts)
def test_a_rule_that_finds_nothing_changes_nothing(tree: RichText) -> None:
    shown, left_out = rewritten(tree, (rule("\ue123never", "x"),))
    assert text_of(shown) == text_of(rewritten(tree, (rule("\ue124never", "x"),))[0])
    assert left_out == ()


def test_cells_of_a_table_are_words() -> None:
    tree = RichText((table([["who", "a secret"], ["me", "secret"]]),))
    shown, left_out = rewritten(tree, (rule("secret", "x"),))
    assert (shown, left_out) == (RichText((table([["who", "a x"], ["me", "x"]]),)), ())
    many = RichText((table([["a"] * 20] * 100),))
    assert rewritten(many, (rule("a", "b" * 100),)) == (many, ("rewrite 1 (line 3)",)), "it would be far longer"
