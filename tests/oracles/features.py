"""A sample of everything that text can have, each said once. Ids are those of each target's own."""

from __future__ import annotations

from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
)
from bridge.model.rich_text_tables import table

B, I, U, S, SP, C = (int(mark) for mark in (Mark.BOLD, Mark.ITALIC, Mark.UNDERLINE, Mark.STRIKE, Mark.SPOILER, Mark.CODE))  # noqa: E741
URL = "https://example.org/a_b?c=d&e=(f)*g*"
USER = {"telegram": "123456789", "slack": "U024BE7LH", "discord": "80351110224678912", "teamspirit": "anna", "mattermost": "anna"}
CHAT = {"slack": "C024BE7LR", "discord": "103735883630395392", "mattermost": "town-square"}
GROUP = {"slack": "SAZ94GDB8"}
EMOJI = {"telegram": "5368324170671202286", "slack": "party_parrot", "discord": "41771983429993937"}


def words(*runs: Inline | str) -> RichText:
    return RichText((Paragraph(tuple(Text(run) if isinstance(run, str) else run for run in runs)),))


def items(*told: ListItem | str) -> tuple[ListItem, ...]:
    return tuple(item if isinstance(item, ListItem) else ListItem((Text(item),)) for item in told)


def item(text: str, indent: int = 0, ordered: bool | None = None) -> ListItem:
    return ListItem((Text(text),), indent, ordered)


FEATURES: dict[str, RichText] = {
    "plain": words("words, no more; a second line\nbelow"),
    "bold": words("so ", Text("bold words", B), " there"),
    "italic": words("so ", Text("italic words", I), " there"),
    "underline": words("so ", Text("underlined words", U), " there"),
    "strike": words("so ", Text("struck words", S), " there"),
    "spoiler": words("so ", Text("hidden words", SP), " there"),
    "code": words("so ", Text("f(a_b, *c) -> `d`", C), " there"),
    "code with backticks at the ends": words(Text("`", C), " and ", Text("``a``", C), " and ", Text("a` b", C)),
    "code block": RichText((Paragraph((Text("above"),)), CodeBlock("if a < b:\n    c = *d*\n\nend"), Paragraph((Text("below"),)))),
    "code block with language": RichText((CodeBlock('print("__init__")\n# no heading', "python"),)),
    "code block with fences inside": RichText((CodeBlock("a ``` b\n````\nc"),)),
    "quote": RichText(
        (Quote((Paragraph((Text("quoted "), Text("words", B), Text("\nof two lines"))),)), Paragraph((Text("answer"),)))
    ),
    "expandable quote": RichText((Quote((Paragraph((Text("so "), Text("bold", B), Text("\nand on"))),), is_expandable=True),)),
    "quote of a list and code": RichText((Quote((Paragraph((Text("so"),)), List(items("a", "b")), CodeBlock("c d"))),)),
    "quote within a quote": RichText(
        (
            Quote((Paragraph((Text("outer"),)),)),
            Quote((Paragraph((Text("inner "), Text("words", B), Text("\nof two lines"))),), depth=2),
            Quote((Paragraph((Text("innermost"),)),), depth=3),
            Quote((Paragraph((Text("outer again"),)),)),
            Paragraph((Text("answer"),)),
        )
    ),
    "quotes in a row within a quote": RichText(
        (Quote((Paragraph((Text("one"),)),), depth=2), Quote((Paragraph((Text("two"),)),), depth=2), Paragraph((Text("answer"),)))
    ),
    "list and code in a quote within a quote": RichText(
        (
            Quote((Paragraph((Text("so"),)), List(items("a", item("inner", 1), "b")))),
            Quote((List(items("c", "d"), ordered=True), CodeBlock("e f\n\n> g"), Paragraph((Text("and"),))), depth=2),
            Quote((List(items("h", "i")),)),
            Paragraph((Text("answer"),)),
        )
    ),
    "link": words("see https://example.org/a_b_c/?q=*x* there"),
    "masked link": words("see ", Text("the page", 0, URL), " there"),
    "masked link with marks": words("see ", Text("the ", B, URL), Text("page", B | I, URL), Text(" now", 0, URL), "."),
    "heading": RichText((Heading(1, (Text("A head"),)), Paragraph((Text("words"),)), Heading(3, (Text("#5 of "), Text("it", I))))),
    "deep heading": RichText((Heading(5, (Text("deep"),)), Paragraph((Text("words"),)))),
    "list": RichText((Paragraph((Text("so:"),)), List(items("one", "two", "three")), Paragraph((Text("and on"),)))),
    "nested list": RichText((List(items("one", item("inner", 1), item("innermost", 2), item("inner again", 1), "two")),)),
    "ordered list": RichText((List(items("one", "two", "three"), ordered=True),)),
    "ordered list from five": RichText((List(items("one", "two"), ordered=True, start=5),)),
    "list of both kinds": RichText((List(items("one", item("a", 1, ordered=True), item("b", 1, ordered=True), "two")),)),
    "list with marks": RichText((List((ListItem((Text("so "), Text("bold", B))), ListItem((Text("code", C),)))),)),
    "two kinds of list": RichText((List(items("a", "b")), List(items("c", "d"), ordered=True))),
    "table": RichText(
        (Paragraph((Text("so"),)), table([["os", "si|ze"], ["*linux*", "5 MB"], ["`b`", "-"]]), Paragraph((Text("and on"),)))
    ),
    "table in a quote": RichText((Quote((table([["a", "b"], ["c", "@anna d"]]),)),)),
    "escapes": words("*a* _b_ **c** __d__ ~e~ ~~f~~ ||g|| `h` [i](https://j.example) <k> &amp; &lt; \\l \\* > m | n"),
    "escapes at the beginning of lines": words(
        "# a\n> b\n- c\n1. d\n* e\n+ f\n-# g\n```\nh\n=====\n---\n    i\n1) j\n~~~\n| k | l |\n|---|---|"
    ),
    "mentions of nobody": words(
        "@everyone @here @channel @all <@U1> <!here> <@80351110224678912> @anna #general ~town :smile: /start"
    ),
    "nested marks": words(Text("bold ", B), Text("bold italic", B | I), Text(" bold", B), " plain ", Text("all", B | I | S)),
    "marks that overlap": words(Text("a", B), Text("b", B | I), Text("c", I), Text("d", I | S), Text("e", S)),
    "marks within words": words("un", Text("frigging", B), "believable, in", Text("side", I), " and ", Text("out", S), "side"),
    "marks at white space": words("a", Text(" bold ", B), "b", Text(" it", I), " ", Text("struck ", S), "c"),
    "marks around punctuation": words("(", Text("a.", B), ")", Text('"b"', I), "c", Text("!", B), Text("(d)", S), "e"),
    "marks over lines": words(Text("first line\nsecond line", B), "\n", Text("third\n\nfourth", I)),
    "mark beside its sign": words(
        "*", Text("a", B), "*", Text("*", I), "_", Text("b", I), "_", Text("~", S), "~", Text("c", S), "~"
    ),
    "right to left": words("אבג ", Text("דהו", B), " זחט ", Text("abc", I), " טקסט\n", Text("مرحبا", S), " بالعالم"),
    "emoji beyond the basic plane": words(
        "👨‍👩‍👧‍👦 ", Text("🎉 bold 🎉", B), "🏳️‍🌈", Text("𝒜italic", I), " ", Text("🙂", 0, URL), Text("𐍈", C)
    ),
    "combining characters": words("e\u0301", Text("e\u0301", B), Text("\u0301", I), "नमस्ते ", Text("ภาษาไทย", B)),
}


def atoms(target: str) -> dict[str, RichText]:
    """Those with an id of the target's own."""
    found: dict[str, RichText] = {
        "mention": words(
            "ask ",
            Mention(MentionKind.USER, USER[target], "Anna"),
            ", please, ",
            Mention(MentionKind.USER, USER[target], "Anna", B),
        ),
        "timestamp": words("at ", Timestamp(1618953630, "noon", "f"), " sharp"),
    }
    if target in CHAT:
        found["mention of a chat"] = words("in ", Mention(MentionKind.CHAT, CHAT[target], "general"), " then")
    if target in GROUP:
        found["mention of a group"] = words("ask ", Mention(MentionKind.GROUP, GROUP[target], "admins"), " then")
    if target in EMOJI:
        found["custom emoji"] = words(
            "so ", Emoji(EMOJI[target], EMOJI[target], "🎉") if target != "discord" else Emoji("party", EMOJI[target]), " there"
        )
    return found
