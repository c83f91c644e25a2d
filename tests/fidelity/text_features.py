"""Formatting, mentions, links, emoji and long texts. Data."""

from __future__ import annotations

from typing import Any

from bridge.model.capabilities import Feature as Ability
from tests.fidelity.features import NO, UNKNOWN, Feature, Json
from tests.fidelity.payloads import (
    discord,
    slack,
    slack_text,
    teamspirit,
    telegram,
)


def e(kind: str, **more: Any) -> Json:
    return {"type": kind, **more}


def li(*texts: str, style: str = "bullet", indent: int = 0) -> Json:
    sections = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in texts]
    return {"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "elements": sections}


def rich(*blocks: Json) -> Json:
    return telegram(rich_message={"blocks": list(blocks)})


_HTML = "its text is Markdown, which has no such mark"
_URL = "https://example.org/page"
_USER = {"id": 500000888, "is_bot": False, "first_name": "Ann"}
_CODE_ITEM: Json = {
    "type": "rich_text_list",
    "style": "bullet",
    "indent": 0,
    "border": 0,
    "elements": [{"type": "rich_text_section", "elements": [slack_text("word", code=True)]}],
}
_EMOJI: Json = {"id": "41771983429993937", "name": "party"}

TEXT = [
    Feature("plain words", telegram("a word"), slack("a word"), discord("a word"), teamspirit("a word"), text="a word"),
    Feature(
        "bold",
        telegram("a word", e("bold")),
        slack("a ", slack_text("word", bold=True)),
        discord("a **word**"),
        teamspirit("a **word**"),
        html=r"<(b|strong)>word",
    ),
    Feature(
        "italic",
        telegram("a word", e("italic")),
        slack("a ", slack_text("word", italic=True)),
        discord("a *word*"),
        teamspirit("a *word*"),
        html=r"<(i|em)>word",
    ),
    Feature(
        "underline",
        telegram("a word", e("underline")),
        slack("a ", slack_text("word", underline=True)),
        discord("a __word__"),
        _HTML,
        html=r"<u>word",
        ability=Ability.UNDERLINE,
    ),
    Feature(
        "strikethrough",
        telegram("a word", e("strikethrough")),
        slack("a ", slack_text("word", strike=True)),
        discord("a ~~word~~"),
        teamspirit("a ~~word~~"),
        html=r"<(s|del)>word",
    ),
    Feature(
        "spoiler",
        telegram("a word", e("spoiler")),
        NO.format("Slack"),
        discord("a ||word||"),
        _HTML,
        html=r"spoiler[^>]*>word",
        ability=Ability.SPOILER,
    ),
    Feature(
        "code",
        telegram("a word", e("code")),
        slack("a ", slack_text("word", code=True)),
        discord("a `word`"),
        teamspirit("a `word`"),
        html=r"<code>word",
    ),
    Feature(
        "marks within marks",
        telegram("a word", e("bold"), e("italic")),
        slack("a ", slack_text("word", bold=True, italic=True)),
        discord("a ***word***"),
        teamspirit("a ***word***"),
        html=r"<(b|strong)><(i|em)>word|<(i|em)><(b|strong)>word",
    ),
    Feature(
        "code block",
        telegram("word", e("pre")),
        slack(elements=[{"type": "rich_text_preformatted", "elements": [slack_text("word")], "border": 0}]),
        discord("```\nword\n```"),
        teamspirit("```\nword\n```"),
        html=r"<pre>",
    ),
    Feature(
        "language of a code block",
        telegram("word", e("pre", language="python")),
        NO.format("a rich_text block"),
        discord("```python\nword\n```"),
        teamspirit("```python\nword\n```"),
        html=r"python",
        how="code without its language",
    ),
    Feature(
        "quote",
        telegram("word\nand", e("blockquote")),
        slack(elements=[{"type": "rich_text_quote", "elements": [slack_text("word")]}]),
        discord("> word\nand"),
        teamspirit("> word\n\nand"),
        html=r"<blockquote",
    ),
    Feature(
        "expandable quote",
        telegram("word\nand", e("expandable_blockquote")),
        NO.format("Slack"),
        NO.format("Discord"),
        _HTML,
        html=r"expandable",
        how="an ordinary quote",
    ),
    Feature(
        "quote within a quote",
        rich(e("blockquote", blocks=[e("paragraph", text="word"), e("blockquote", blocks=[e("paragraph", text="inner")])])),
        NO.format("Slack"),
        NO.format("Discord"),
        teamspirit("> word\n> > inner"),
        html=r"<blockquote.*<blockquote",
        ability=Ability.NESTED_QUOTE,
    ),
    Feature(
        "address",
        telegram(f"see {_URL}", e("url", covers=_URL)),
        slack("see ", e("link", url=_URL)),
        discord(f"see {_URL}"),
        teamspirit(f"see {_URL}"),
        html=r"example\.org/page",
    ),
    Feature(
        "link with a label",
        telegram("a word", e("text_link", url=_URL)),
        slack("a ", e("link", url=_URL, text="word")),
        discord(f"a [word]({_URL})"),
        teamspirit(f"a [word]({_URL})"),
        html=r"<a [^>]*example\.org/page[^>]*>word",
    ),
    Feature(
        "heading",
        rich(e("heading", size=1, text="word"), e("paragraph", text="and")),
        NO.format("a rich_text block"),
        discord("# word\nand"),
        teamspirit("# word\nand"),
        html=r"<h1",
        ability=Ability.HEADING,
    ),
    Feature(
        "bulleted list",
        rich(e("list", items=[{"blocks": [e("paragraph", text="word")]}, {"blocks": [e("paragraph", text="two")]}])),
        slack(elements=[li("word", "two")]),
        discord("- word\n- two"),
        teamspirit("- word\n- two"),
        html=r"<ul>",
        ability=Ability.LIST,
    ),
    Feature(
        "numbered list",
        rich(
            e(
                "list",
                items=[{"value": 1, "blocks": [e("paragraph", text="word")]}, {"value": 2, "blocks": [e("paragraph", text="two")]}],
            )
        ),
        slack(elements=[li("word", "two", style="ordered")]),
        discord("1. word\n2. two"),
        teamspirit("1. word\n2. two"),
        html=r"<ol",
        ability=Ability.LIST,
    ),
    Feature(
        "list within a list",
        rich(
            e(
                "list",
                items=[{"blocks": [e("paragraph", text="word"), e("list", items=[{"blocks": [e("paragraph", text="inner")]}])]}],
            )
        ),
        slack(elements=[li("word"), li("inner", indent=1)]),
        discord("- word\n  - inner"),
        teamspirit("- word\n  - inner"),
        html=r"<ul>.*<ul>",
        ability=Ability.LIST,
    ),
    Feature(
        "code in a list",
        rich(e("list", items=[{"blocks": [e("paragraph", text=e("code", text="word"))]}])),
        slack(elements=[_CODE_ITEM]),
        discord("- `word`"),
        teamspirit("- `word`"),
        html=r"<li>\s*(<p>)?<code>word",
        how="a bullet as text",
    ),
    Feature(
        "list in a quote",
        rich(e("blockquote", blocks=[e("list", items=[{"blocks": [e("paragraph", text="word")]}])])),
        NO.format("Slack"),
        discord("> - word"),
        teamspirit("> - word"),
        html=r"<blockquote[^>]*>\s*<ul",
        how="a line of the quote",
    ),
    Feature(
        "table",
        rich(e("table", cells=[[{"text": "os"}, {"text": "word"}], [{"text": "linux"}, {"text": "5 MB"}]])),
        slack(
            text="os word",
            blocks=[
                {
                    "type": "table",
                    "rows": [
                        [{"type": "raw_text", "text": "os"}, {"type": "raw_text", "text": "word"}],
                        [{"type": "raw_text", "text": "linux"}, {"type": "raw_text", "text": "5 MB"}],
                    ],
                }
            ],
        ),
        NO.format("Discord"),
        teamspirit("| os | word |\n|---|---|\n| linux | 5 MB |"),
        html=r"<t[dh]",
        how="columns of text",
    ),
    Feature(
        "mention of a person",
        telegram("hi word", e("text_mention", user=_USER)),
        slack("hi ", e("user", user_id="U0PERSON02")),
        discord("hi <@8>", mentions=[{"id": "8", "username": "anna_p", "global_name": "Anna Petrova"}]),
        teamspirit("hi @anna"),
        html=r"class=\"mention",
        how="the name; with `people:` a mention of the same person",
    ),
    Feature(
        "mention of everyone",
        NO.format("Telegram"),
        slack("hi ", e("broadcast", range="here")),
        discord("hi @here", mention_everyone=True),
        teamspirit("hi @all"),
        html=r"class=\"mention",
        how="the words, which ping nobody; `mass_mentions` permits",
    ),
    Feature(
        "mention of a group",
        NO.format("Telegram"),
        slack("hi ", e("usergroup", usergroup_id="S0GROUP001")),
        discord("hi <@&300000000000000001>"),
        UNKNOWN,
        html=r"class=\"mention",
        how="words, which ping nobody",
    ),
    Feature(
        "mention of a chat",
        NO.format("Telegram"),
        slack("in ", e("channel", channel_id="C0000000001")),
        discord("in <#100000000000000001>"),
        UNKNOWN,
        html=r"class=\"mention|class=\"channel",
        how="its name",
    ),
    Feature(
        "mention of a command",
        telegram("use /word", e("bot_command", covers="/word")),
        NO.format("Slack"),
        discord("use </word:41771983429993937>"),
        UNKNOWN,
        html=r"class=\"(command|mention)",
        how="its name, which is no command here",
    ),
    Feature(
        "link into the server's own pages",
        NO.format("Telegram"),
        NO.format("Slack"),
        discord("see <id:customize>"),
        UNKNOWN,
        html=r"class=\"(guide|mention)",
        how="its name",
    ),
    Feature(
        "line across",
        rich(e("paragraph", text="word"), e("divider"), e("paragraph", text="and")),
        NO.format("a rich_text block"),
        NO.format("Discord"),
        teamspirit("word\n\n---\n\nand"),
        html=r"<hr",
        how="a line of signs",
    ),
    Feature(
        "hashtag",
        telegram("a #word", e("hashtag", covers="#word")),
        slack("a #word"),
        discord("a #word"),
        teamspirit("a #word"),
        text="#word",
    ),
    Feature(
        "emoji",
        telegram("a 🎉 word"),
        slack("a ", e("emoji", name="tada", unicode="1f389"), " word"),
        discord("a 🎉 word"),
        teamspirit("a 🎉 word"),
        text="🎉",
    ),
    Feature(
        "custom emoji",
        telegram("a 🎉 word", e("custom_emoji", covers="🎉", custom_emoji_id="5368324170671202286")),
        slack("a ", e("emoji", name="party_parrot"), " word"),
        discord(f"a <:{_EMOJI['name']}:{_EMOJI['id']}> word"),
        UNKNOWN,
        html=r"<img|class=\"emoji",
        how="its ordinary emoji, or its name",
    ),
    Feature(
        "moment in the reader's time zone",
        telegram("at noon", e("date_time", covers="noon", unix_time=1618953630)),
        slack("at ", e("date", timestamp=1618953630, format="{date} {time}", fallback="noon")),
        discord("at <t:1618953630:f>"),
        _HTML,
        html=r"<time|class=\"(date|time|moment)|'type': 'date'",
        how="words",
    ),
    Feature(
        "small words",
        rich(e("footer", text="a word")),
        NO.format("Slack"),
        discord("-# a word"),
        _HTML,
        html=r"<small|<sub",
        how="ordinary words",
    ),
    Feature(
        "several scripts in one line",
        telegram("слово אבג 日本 मन word"),
        slack("слово אבג 日本 मन word"),
        discord("слово אבג 日本 मन word"),
        teamspirit("слово אבג 日本 मन word"),
        text="слово אבג 日本 मन word",
    ),
    Feature("right to left", telegram("אבג word"), slack("אבג word"), discord("אבג word"), teamspirit("אבג word"), text="אבג word"),
    Feature(
        "signs that are markup elsewhere",
        telegram("*a* _b_ `c` <@U1> ~d~ word"),
        slack("*a* _b_ `c` <@U1> ~d~ word"),
        discord(r"\*a\* \_b\_ \`c\` \<@U1> \~d\~ word"),
        teamspirit(r"\*a\* \_b\_ \`c\` &lt;@U1> \~d\~ word"),
        text=r"\*a\* _b_ `c` <@.?U1> ~d~ word",
    ),
    Feature(
        "long text",
        telegram("long " * 700 + "word"),
        slack("long " * 700 + "word"),
        discord("long " * 350 + "word"),
        teamspirit("long " * 700 + "word"),
        text="long word",
        how="several messages in a row",
    ),
]
