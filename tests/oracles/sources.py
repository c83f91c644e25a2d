"""What people and apps write in each messenger's own markup: a sample of each thing. Data; ids and forms as in the references."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SLACK_MRKDWN: dict[str, str] = {
    "plain": "words, no more; a second line\nbelow",
    "bold": "so *bold words* there",
    "italic": "so _italic words_ there",
    "strike": "so ~struck words~ there",
    "code": "so `f(a_b, *c)` there",
    "code block": "above\n```x = 1\n*y*```\nbelow",
    "marks within marks": "so *bold _and italic_* there",
    "escapes": "a &lt;b&gt; &amp;amp; c",
    "link": "see <https://example.org/a_b?c=d&amp;e=f> there",
    "link with a label": "see <https://example.org/page|the page> there",
    "address of mail": "write to <mailto:anna@example.org|anna@example.org> now",
    "mention": "ask <@U024BE7LH> or <@W012A3CDE|bob> now",
    "mention of a chat": "in <#C024BE7LR> and <#C024BE7LS|general> now",
    "subteam": "ask <!subteam^SAZ94GDB8> now",
    "subteam with its handle": "ask <!subteam^SAZ94GDB8|@admins> now",
    "mention of everyone": "so <!here> and <!channel> and <!everyone> there",
    "date": "at <!date^1392734382^{date_num} {time_secs}|2014-02-18 6:39:42 AM PST> sharp",
    "date of a day": "on <!date^1392734382^Posted {date_long}|Posted February 18, 2014> it was",
    "date that is a link": "at <!date^1392734382^{date} at {time}^https://example.org/|February 18th, 2014> sharp",
}


def _rich(*elements: Json) -> list[Json]:
    return [{"type": "rich_text", "elements": list(elements)}]


def _section(*leaves: Json | str) -> Json:
    made = [{"type": "text", "text": leaf} if isinstance(leaf, str) else leaf for leaf in leaves]
    return {"type": "rich_text_section", "elements": made}


def _leaf(kind: str, **fields: Any) -> Json:
    return {"type": kind, **fields}


def _cell(text: str) -> Json:
    return {"type": "rich_text", "elements": [_section(text)]}


SLACK_BLOCKS: dict[str, list[Json]] = {
    "marks": _rich(
        _section(
            "so ",
            _leaf("text", text="bold", style={"bold": True}),
            " and ",
            _leaf("text", text="italic", style={"italic": True}),
            " and ",
            _leaf("text", text="struck", style={"strike": True}),
            " and ",
            _leaf("text", text="code", style={"code": True}),
        )
    ),
    "link": _rich(_section("see ", _leaf("link", url="https://example.org/page", text="the page"), " there")),
    "mention": _rich(_section("ask ", _leaf("user", user_id="U024BE7LH"), " now")),
    "mention of a chat": _rich(_section("in ", _leaf("channel", channel_id="C024BE7LR"), " now")),
    "subteam": _rich(_section("ask ", _leaf("usergroup", usergroup_id="SAZ94GDB8"), " now")),
    "date": _rich(_section("at ", _leaf("date", timestamp=1720710212, format="{date_num} at {time}", fallback="noon"), " sharp")),
    "list": _rich(
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "border": 0, "elements": [_section("one"), _section("two")]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "border": 0, "elements": [_section("deeper")]},
    ),
    "quote": _rich({"type": "rich_text_quote", "elements": [_leaf("text", text="quoted")]}, _section("answer")),
    "table": [
        {
            "type": "table",
            "rows": [[_cell("os"), _cell("size")], [_cell("linux"), _cell("5 MB")]],
        }
    ],
    "code block": _rich({"type": "rich_text_preformatted", "border": 0, "elements": [_leaf("text", text="x = 1\ny = 2")]}),
}

DISCORD: dict[str, str] = {
    "plain": "words, no more; a second line\nbelow",
    "bold": "so **bold words** there",
    "italic": "so *italic* and _words_ there",
    "underline": "so __underlined words__ there",
    "strike": "so ~~struck words~~ there",
    "spoiler": "so ||hidden words|| there",
    "code": "so `f(a_b, *c)` there",
    "code block": "```python\nx = 1\n*y*\n```",
    "quote": "> quoted words\nanswer",
    "escapes": r"so \*no mark\* and \_none\_ there",
    "address": "see https://example.org/a_b?c=d there",
    "mention": "ask <@80351110224678912> and <@!80351110224678913> now",
    "mention of a role": "ask <@&165511591545143296> now",
    "mention of a chat": "in <#103735883630395392> now",
    "mention of everyone": "so @everyone and @here now",
    "custom emoji": "so <:party:41771983429993937> and <a:wave:41771983429993938> there",
    "command": "use </airhorn:816437322781949972> now",
    "command below another": "use </music play:816437322781949972> now",
    "timestamp": "at <t:1618953630> sharp",
    **{f"timestamp {style}": f"at <t:1618953630:{style}> sharp" for style in "tTdDfFR"},
    **{f"link to {page}": f"see <id:{page}> there" for page in ("customize", "browse", "guide", "linked-roles")},
}

MATTERMOST: dict[str, str] = {
    "plain": "words, no more; a second line\nbelow",
    "bold": "so **bold words** there",
    "italic": "so *italic* and _words_ there",
    "strike": "so ~~struck words~~ there",
    "code": "so `f(a_b, *c)` there",
    "code block": "```python\nx = 1\n*y*\n```",
    "quote": "> quoted words\n\nanswer",
    "quote within a quote": "> outer\n> > inner",
    "heading": "## A head\n\nwords",
    "list": "- one\n- two\n  - deeper",
    "numbered list": "1. one\n2. two",
    "link": "see [the page](https://example.org/a_b) there",
    "address": "see https://example.org/a_b there",
    "picture": "see ![a plan](https://example.org/p.png) there",
    "picture with a width": "see ![a plan](https://example.org/p.png =100) there",
    "picture with a size": "see ![a plan](https://example.org/p.png =100x200) there",
    "picture with a size and a title": 'see ![a plan](https://example.org/p.png =100x200 "the title") there',
    "table": "| os | size |\n|----|-----:|\n| linux | 5 MB |\n| a \\| b | |",
    "table behind words": "so\n\n| os | size |\n|----|------|\n| linux | 5 MB |\n\nand on",
    "table in a quote": "> | os | size |\n> |----|------|\n> | linux | 5 MB |",
}
