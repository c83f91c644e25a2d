"""The Markdown parser: it may pause between the words of a long text, and reads the same whether it does."""

from __future__ import annotations

from adapters.teamspirit.inbound.markdown_parser import parse
from bridge.model.pauses import with_pauses


def test_it_may_pause_between_words_and_reads_the_same() -> None:
    source, points = "*a* b " * 200, list[None]()
    with_pause = with_pauses(lambda: parse(source, emoji_names=True), lambda: points.append(None))
    assert [token.as_dict() for token in with_pause] == [token.as_dict() for token in parse(source, emoji_names=True)]
    assert len(points) >= 400
