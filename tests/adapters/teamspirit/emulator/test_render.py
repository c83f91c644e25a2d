"""What the emulator shows of markdown, held against CommonMark as people know it."""

from __future__ import annotations

import pytest

from adapters.teamspirit.emulator.render import render


def nobody(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("markdown", "html", "text"),
    [
        ("plain", "plain", "plain"),
        ("a < b & c", "a &lt; b &amp; c", "a < b & c"),
        ("**b** *i* ~~s~~ `c`", "<b>b</b> <i>i</i> <s>s</s> <code>c</code>", "b i s c"),
        ("one\ntwo", "one\ntwo", "one\ntwo"),
        ("one\n\ntwo", "one\n\ntwo", "one\n\ntwo"),
        ("[label](https://example.com/?a=1&b=2)", '<a href="https://example.com/?a=1&amp;b=2">label</a>', "label"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<b>no html</b>", "&lt;b&gt;no html&lt;/b&gt;", "<b>no html</b>"),
        (r"\*not bold\*", "*not bold*", "*not bold*"),
        ("text\n> quoted\n\nafter", "text<blockquote>quoted</blockquote>after", "text\nquoted\nafter"),
        ("```python\nx = 1\n```", "<pre>x = 1</pre>", "x = 1"),
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "• a\n• b\n  • c"),
        ("2. a\n3. b", "<ol><li>a</li><li>b</li></ol>", "2. a\n3. b"),
        ("see https://e.com/pkg/__init__.py.", "see https://e.com/pkg/__init__.py.", "see https://e.com/pkg/__init__.py."),
        ("**https://e.com/a_b_c**", "<b>https://e.com/a_b_c</b>", "https://e.com/a_b_c"),
        ("www.e.com/*a* *b*", "www.e.com/*a* <i>b</i>", "www.e.com/*a* b"),
        ("`https://e.com/__a__`", "<code>https://e.com/__a__</code>", "https://e.com/__a__"),
        ("# Title\ntext", "<h1>Title</h1>text", "Title\ntext"),
    ],
)
def test_markdown_is_shown(markdown: str, html: str, text: str) -> None:
    assert render(markdown, nobody) == (html, text)


def test_mentions_are_marked_where_somebody_is_meant() -> None:
    known = {"anna"}.__contains__
    assert render("@anna @bert a@anna `@anna`", known)[0] == '<span class="mention">@anna</span> @bert a@anna <code>@anna</code>'
    assert 'class="mention"' in render("hi @all", known)[0]
    assert 'class="mention"' not in render("hi @\u200ball", known)[0]
