"""Links to messages in a text: found, and replaced, wherever a reader could follow one, and nowhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.rich_text import (
    CodeBlock,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Paragraph,
    Quote,
    RichText,
    Text,
    normalize,
    plain,
    text_of,
)
from bridge.render.message_links import MOST_ADDRESSES, addresses_in, with_addresses

OLD, NEW = "https://t.me/c/1234567890/45", "https://acme.slack.com/archives/C1/p1715000000000100"
KNOWN = {OLD: NEW}


def said(*inlines: Inline) -> RichText:
    return normalize(RichText((Paragraph(inlines),)))


def test_a_link_leads_elsewhere_and_its_label_follows_if_it_was_the_address() -> None:
    for label, expected in (
        (OLD, NEW),
        (f" {OLD} ", f" {NEW} "),
        ("t.me/c/1234567890/45", "acme.slack.com/archives/C1/p1715000000000100"),
        ("see here", "see here"),
        ("t.me/c/1234567890/4", "t.me/c/1234567890/4"),
    ):
        assert with_addresses(said(Text(label, int(Mark.BOLD), OLD)), KNOWN) == said(Text(expected, int(Mark.BOLD), NEW))


def test_a_bare_address_is_found_in_a_sentence() -> None:
    for before, after in (("", ""), ("(see ", ")."), ("<", ">"), ("«", "» и дальше"), ("look: ", ", and then"), ("**", "**")):
        text = plain(f"{before}{OLD}{after}")
        assert addresses_in(text) == [OLD] or after == "» и дальше"
        if after != "» и дальше":
            assert text_of(with_addresses(text, KNOWN)) == f"{before}{NEW}{after}"


def test_what_only_begins_like_an_address_stays() -> None:
    for text in (f"{OLD}6", f"{OLD}/x", f"{OLD}?comment=1", "t.me/c/1234567890/45", OLD.replace("https", "httpss")):
        assert text_of(with_addresses(plain(text), KNOWN)) == text


def test_code_stays_as_it_is() -> None:
    code = RichText((CodeBlock(OLD), Paragraph((Text(OLD, int(Mark.CODE)), Text(OLD, int(Mark.CODE), OLD)))))
    assert addresses_in(code) == []
    assert with_addresses(code, KNOWN) == normalize(code)


def test_it_is_found_in_every_kind_of_block() -> None:
    link = Text("there", 0, OLD)
    blocks = (Heading(1, (link,)), List((ListItem((link,)),)), Quote((Paragraph((link,)),)), Paragraph((link,)))
    for block in blocks:
        rich = normalize(RichText((block,)))
        assert addresses_in(rich) == [OLD]
        assert addresses_in(with_addresses(rich, KNOWN)) == [NEW]


def test_not_all_of_very_many_are_looked_at() -> None:
    text = plain(" ".join(f"https://t.me/c/1/{number}" for number in range(1, 500)))
    assert len(addresses_in(text)) == MOST_ADDRESSES
    assert addresses_in(said(Text("x", 0, "https://t.me/" + "c" * 600))) == []


@given(
    st.text(max_size=200), st.sampled_from([0, int(Mark.BOLD), int(Mark.CODE)]), st.sampled_from([None, OLD, "https://x.example/"])
)
def test_it_is_idempotent_and_unknown_addresses_stay(words: str, marks: int, link: str | None) -> None:
    rich = said(Text(words + OLD, marks, link), Text(" "), Text(words, marks))
    once = with_addresses(rich, KNOWN)
    assert with_addresses(once, KNOWN) == once
    assert with_addresses(rich, {}) == rich
    assert with_addresses(rich, {"https://other.example/": NEW}) == rich
