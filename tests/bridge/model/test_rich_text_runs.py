"""Runs: the short ways in which few of them are looked at say what the long ways say."""

from __future__ import annotations

import pytest

from bridge.model.rich_text import Emoji, Inline, Mention, MentionKind, Text, Timestamp, inline_text, only_texts, words_of
from bridge.model.rich_text_runs import are_merged, merge_inlines

ATOMS: dict[str, Inline] = {
    "@anna": Mention(MentionKind.USER, "1", "anna"),
    "#1": Mention(MentionKind.CHAT, "1", ""),
    ":party:": Emoji("party", "2"),
    "🎉": Emoji("party", "2", "🎉"),
    "2023-11-14 22:13 UTC": Timestamp(1_700_000_000),
}


@pytest.mark.parametrize(("shown", "atom"), ATOMS.items())
def test_what_is_displayed_of_a_run(shown: str, atom: Inline) -> None:
    assert inline_text(atom) == shown
    assert words_of((Text("a "), atom)) == f"a {shown}"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_whether_there_are_only_texts_does_not_depend_on_how_many(count: int) -> None:
    texts = tuple(Text("a", number % 2) for number in range(count))
    assert only_texts(texts)
    for atom in ATOMS.values():
        assert not only_texts((*texts, atom))
        assert not only_texts((atom, *texts))


@pytest.mark.parametrize("beside", [0, 1, 20])
@pytest.mark.parametrize(
    "run",
    [Text("a"), Text(""), Text("a", 1), Text("a", 0, ""), Text("a", 0, "https://x.example"), Text("a\r\nb"), Text("\x07")],
)
def test_runs_that_are_said_to_be_merged_are_left_as_they_are(run: Text, beside: int) -> None:
    runs = (run, *(Text("b", 2 + number % 2) for number in range(beside)))
    made = merge_inlines(runs)
    assert are_merged(runs) == (made == runs)
    assert made == () or are_merged(made)
