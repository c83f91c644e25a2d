"""What a person sees of stored text: safe HTML, also where entities overlap without nesting."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.telegram.emulator.render import file_kind, to_html


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("a < b & c", [], "a &lt; b &amp; c"),
        ("ab", [entity("bold", 0, 1)], "<b>a</b>b"),
        ("abc", [entity("bold", 0, 2), entity("italic", 1, 2)], "<b>a<i>b</i></b><i>c</i>"),
        ("ab", [entity("bold", 0, 2), entity("blockquote", 0, 2)], "<blockquote><b>ab</b></blockquote>"),
        ("👍b", [entity("bold", 2, 1)], "👍<b>b</b>"),
        ("x", [entity("pre", 0, 1, language='"py')], '<pre><code class="language-&quot;py">x</code></pre>'),
        ("x", [entity("text_link", 0, 1, url='https://e.com/"')], '<a href="https://e.com/&quot;">x</a>'),
        ("e.com", [entity("url", 0, 5)], '<a href="http://e.com">e.com</a>'),
        ("x", [entity("spoiler", 0, 1)], '<span class="spoiler">x</span>'),
    ],
)
def test_html(text: str, entities: list[dict[str, Any]], html: str) -> None:
    assert to_html(text, entities) == html


def test_an_animation_is_no_document() -> None:
    assert file_kind({"document": {}, "animation": {}}) == "animation"
    assert file_kind({"text": "x"}) == ""
