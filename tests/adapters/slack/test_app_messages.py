"""What apps post: blocks, attachments, shared messages. A copy has what Slack shows of it, and not what only notifications show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.slack.decode import decode_event
from adapters.slack.decode_context import Context, Identity
from adapters.slack.names import Names
from bridge.events import Author, Forward, MessageCreated
from bridge.refs import AccountName
from bridge.text import CodeBlock, Heading, List, Mark, Mention, MentionKind, Paragraph, Quote, RichText, Text, text_of, to_plain

NAMES = Names(
    users={"U1": Author(user_id="U1", name="Anna")}, groups={"S1": "oncall"}, channels={"C2": "random"}, bots={"B5": "Cron"}
)
CONTEXT = Context(Identity(AccountName("team"), bot_id="B0", user_id="U0"), NAMES, datetime(2026, 11, 23, tzinfo=UTC))
BASE: dict[str, Any] = {"type": "message", "channel": "C1", "ts": "1700000000.123456", "event_ts": "1700000000.123456"}
BOT: dict[str, Any] = {
    "bot_id": "B9",
    "app_id": "A9",
    "user": "U9",
    "bot_profile": {"id": "B9", "name": "Deployer", "app_id": "A9"},
}
FILLERS = [
    "This content can't be displayed.",
    "This content can’t be displayed.",
    "This message contains interactive elements.",
    "[no preview available]",
    "",
    None,
]


def rich(*leaves: Any) -> dict[str, Any]:
    elements = [leaf if isinstance(leaf, dict) else {"type": "text", "text": leaf} for leaf in leaves]
    return {"type": "rich_text", "block_id": "b1", "elements": [{"type": "rich_text_section", "elements": elements}]}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": False}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "block_id": "XTkTR", "text": mrkdwn(text), **more}


def created(**message: Any) -> MessageCreated:
    event = decode_event(msgspec.json.encode({**BASE, **BOT, **message}), CONTEXT)
    assert isinstance(event, MessageCreated)
    return event


def shown(**message: Any) -> str:
    return to_plain(created(**message).content.text)


def rich_of(*blocks: Any, **message: Any) -> RichText:
    return created(blocks=list(blocks), **message).content.text


@pytest.mark.parametrize("filler", FILLERS)
def test_a_filler_is_never_shown_beside_anything(filler: str | None) -> None:
    assert shown(text=filler, blocks=[section("*Deploy* failed")]) == "Deploy failed"
    assert shown(text=filler, attachments=[{"id": 1, "fallback": "[no preview available]", "text": "box"}]) == "box"
    assert (
        shown(text=filler, attachments=[{"id": 1, "fallback": "[no preview available]", "blocks": [section("boxed")]}]) == "boxed"
    )
    assert shown(text=filler, blocks=[{"type": "holodeck"}]) == "[holodeck]"


def test_blocks_decide_and_text_is_for_notifications() -> None:
    blocks = [{"type": "header", "text": plain("Build failed :x:")}, section("in `web`"), {"type": "divider"}]
    text = rich_of(*blocks, text="Build failed, see Slack")
    assert text.blocks[0] == Heading(2, (Text("Build failed ❌"),))
    assert to_plain(text) == "Build failed ❌\nin web"
    assert shown(text="words", blocks=[rich("Approve ", "it?"), {"type": "actions", "elements": []}]) == "Approve it?"


@pytest.mark.parametrize(
    "blocks", [[], None, [rich()], [{"type": "rich_text", "elements": []}], [{"type": "divider"}], "no list", [3]]
)
def test_blocks_that_say_nothing_hide_no_text(blocks: Any) -> None:
    assert shown(text="the *words*", blocks=blocks) == "the words"
    assert shown(text="the words", blocks=blocks, user="U1", bot_id=None, app_id=None, bot_profile=None) == "the words"


def test_the_text_stands_above_buttons_without_words() -> None:
    button = {"type": "actions", "elements": [{"type": "button", "text": plain("Approve")}]}
    assert shown(text="Approve the holiday?", blocks=[rich(), button]) == "Approve the holiday?\n[Approve]"
    assert shown(text="This message contains interactive elements.", blocks=[button]) == "[Approve]"


def test_a_persons_message_is_what_she_wrote() -> None:
    person = {"user": "U1", "bot_id": None, "app_id": None, "bot_profile": None}
    assert shown(
        text="*not* this", blocks=[rich("exactly ", {"type": "text", "text": "this", "style": {"bold": True}})], **person
    ) == ("exactly this")


def test_everything_of_a_section() -> None:
    block = section(
        "by <@U1> in <#C2|> for <!subteam^S1>",
        fields=[mrkdwn("*Commit*\nabc123"), plain("plain :tada:")],
        accessory={"type": "button", "text": plain("Open log"), "url": "https://ci.example.com/42?a=1&amp;b=2", "action_id": "x"},
    )
    text = rich_of(block)
    assert to_plain(text) == (
        "by @Anna in #random for @oncall\nCommit\nabc123\nplain 🎉\nOpen log (https://ci.example.com/42?a=1&b=2)"
    )
    assert shown(blocks=[section("x", accessory={"type": "image", "image_url": "https://e.example/c.png", "alt_text": "cat"})]) == (
        "x\ncat (https://e.example/c.png)"
    )
    assert shown(blocks=[{"type": "section", "fields": [mrkdwn("only"), mrkdwn("fields")]}]) == "only\nfields"


def test_a_context_is_a_row() -> None:
    elements = [{"type": "image", "image_url": "https://e.example/i.png", "alt_text": "icon"}, mrkdwn("by *CI*"), plain("5 min")]
    assert shown(blocks=[{"type": "context", "elements": elements}]) == "icon (https://e.example/i.png) by CI 5 min"
    long = {"type": "context", "elements": [mrkdwn("one\ntwo"), mrkdwn("three")]}
    assert shown(blocks=[long]) == "one\ntwo\nthree"


OPTIONS = [{"text": plain("Yes"), "value": "y"}, {"text": plain("No"), "value": "n"}]


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"type": "button", "text": plain("Go"), "url": "https://e.example/go"}, "Go (https://e.example/go)"),
        ({"type": "button", "text": plain("Go"), "value": "1"}, "[Go]"),
        ({"type": "button"}, "[button]"),
        ({"type": "workflow_button", "text": plain("Start")}, "[Start]"),
        ({"type": "static_select", "placeholder": plain("Pick one"), "options": OPTIONS}, "[Pick one]"),
        ({"type": "static_select", "placeholder": plain("Pick"), "initial_option": OPTIONS[1]}, "[No]"),
        ({"type": "multi_static_select", "initial_options": OPTIONS}, "[Yes, No]"),
        ({"type": "datepicker", "initial_date": "2026-11-26"}, "[2026-11-26]"),
        ({"type": "users_select"}, "[users select]"),
        (
            {"type": "overflow", "options": [{"text": plain("Docs"), "url": "https://e.example/d"}, OPTIONS[0]]},
            "Docs (https://e.example/d)\n[Yes]",
        ),
        ({"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[0]}, "☑ Yes\n☐ No"),
        ({"type": "checkboxes", "options": [{**OPTIONS[0], "description": plain("of course")}]}, "☐ Yes\nof course"),
        (
            {"type": "feedback_buttons", "positive_button": {"text": plain("Good")}, "negative_button": {"text": plain("Bad")}},
            "[Good]\n[Bad]",
        ),
        ({"type": "icon_button", "icon": "trash", "text": plain("Delete")}, "[Delete]"),
        ({"type": "hologram", "text": plain("Beam")}, "[Beam]"),
        ({"type": "hologram"}, "[hologram]"),
    ],
)
def test_buttons_and_menus(element: dict[str, Any], expected: str) -> None:
    assert shown(text="", blocks=[{"type": "actions", "elements": [element]}]) == expected


CELLS = [
    [{"type": "raw_text", "text": "Name"}, {"type": "raw_text", "text": "Count"}],
    [rich("Anna"), {"type": "raw_number", "value": 5}],
]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "image", "image_url": "https://e.example/c.png", "alt_text": "cat", "title": plain("A cat")},
            "A cat (https://e.example/c.png)",
        ),
        ({"type": "image", "image_url": "https://e.example/c.png", "alt_text": ""}, "image (https://e.example/c.png)"),
        ({"type": "image", "slack_file": {"id": "F1"}, "alt_text": "chart"}, "[image: chart]"),
        (
            {
                "type": "image",
                "slack_file": {"id": "F1", "url": "https://files.slack.com/files-pri/T1-F1/c.png"},
                "alt_text": "chart",
            },
            "chart (https://files.slack.com/files-pri/T1-F1/c.png)",
        ),
        (
            {
                "type": "video",
                "title": plain("Demo"),
                "title_url": "https://v.example/1",
                "video_url": "https://v.example/e/1",
                "provider_name": "Tube",
                "author_name": "Kim",
                "description": plain("How to"),
            },
            "Demo (https://v.example/1)\nHow to\nTube - Kim",
        ),
        (
            {"type": "call", "call_id": "R0", "call": {"v1": {"name": "Stand-up", "join_url": "https://m.example/1"}}},
            "call: Stand-up (https://m.example/1)",
        ),
        ({"type": "call", "call_id": "R0"}, "[call]"),
        ({"type": "file", "external_id": "ABC", "source": "remote"}, "[file: ABC]"),
        (
            {
                "type": "file",
                "external_id": "ABC",
                "source": "remote",
                "file": {"title": "Plan", "permalink": "https://s.example/f"},
            },
            "Plan (https://s.example/f)",
        ),
        ({"type": "table", "rows": CELLS}, "Name | Count\nAnna | 5"),
        ({"type": "data_table", "caption": "People", "rows": CELLS}, "People\nName | Count\nAnna | 5"),
        ({"type": "alert", "level": "error", "text": mrkdwn("*On fire*")}, "On fire"),
        (
            {
                "type": "card",
                "title": plain("Ticket 7"),
                "subtitle": mrkdwn("open"),
                "body": mrkdwn("Login *broken*"),
                "hero_image": {"type": "image", "image_url": "https://e.example/h.png", "alt_text": "screen"},
                "actions": [{"type": "button", "text": plain("Close")}],
            },
            "Ticket 7\nopen\nLogin broken\nscreen (https://e.example/h.png)\n[Close]",
        ),
        (
            {"type": "carousel", "elements": [{"type": "card", "title": plain("One")}, {"type": "card", "title": plain("Two")}]},
            "One\nTwo",
        ),
        ({"type": "container", "title": plain("Group"), "child_blocks": [section("inner"), {"type": "divider"}]}, "Group\ninner"),
        (
            {
                "type": "plan",
                "title": "Plan",
                "tasks": [{"type": "task_card", "task_id": "1", "title": "Look", "status": "complete", "output": rich("found")}],
            },
            "Plan\n☑ Look\nfound",
        ),
        (
            {
                "type": "input",
                "label": plain("Why?"),
                "element": {"type": "plain_text_input", "placeholder": plain("say")},
                "hint": plain("short"),
            },
            "Why?\nshort\n[say]",
        ),
        ({"type": "data_visualization", "title": "Sales", "chart": {"type": "pie"}}, "[data visualization]: Sales"),
        ({"type": "holodeck", "url": "https://e.example/deck"}, "[holodeck] (https://e.example/deck)"),
        ({"text": plain("no type")}, "[unknown block]: no type"),
    ],
    ids=lambda value: str(value.get("type")) if isinstance(value, dict) else "",
)
def test_every_kind_of_block_is_shown(block: dict[str, Any], expected: str) -> None:
    assert shown(text="This content can't be displayed.", blocks=[block]) == expected


def test_a_markdown_block() -> None:
    source = "\n".join(
        (
            "# Release :tada:",
            "**Bold** _it_ ~~gone~~ `code` [label](https://e.example/?a=1&b=2) <https://e.example/>",
            "",
            "next <@U1> & <b>html</b>",
            "",
            "- one",
            "- two",
            "  - deeper",
            "",
            "3. three",
            "",
            "> quoted",
            "",
            "```py",
            "x = 1",
            "```",
            "",
            "| a | b |",
            "|---|---|",
            "| 1 | 2 |",
        )
    )
    text = rich_of({"type": "markdown", "text": source}, text="")
    heading, first, bullets, numbers, quote, code, table = text.blocks
    assert heading == Heading(1, (Text("Release 🎉"),))
    assert isinstance(first, Paragraph)
    assert Text("Bold", Mark.BOLD) in first.inlines
    assert Text("gone", Mark.STRIKE) in first.inlines
    assert Text("code", Mark.CODE) in first.inlines
    assert Text("label", 0, "https://e.example/?a=1&b=2") in first.inlines
    assert Mention(MentionKind.USER, "U1", "Anna") in first.inlines
    assert text_of(RichText((first,))).endswith("https://e.example/\n\nnext @Anna & <b>html</b>")
    assert isinstance(bullets, List)
    assert [(item.indent, item.inlines) for item in bullets.items] == [
        (0, (Text("one"),)),
        (0, (Text("two"),)),
        (1, (Text("deeper"),)),
    ]
    assert isinstance(numbers, List)
    assert (numbers.ordered, numbers.start) == (True, 3)
    assert quote == Quote((Paragraph((Text("quoted"),)),))
    assert code == CodeBlock("x = 1", "py")
    assert text_of(RichText((table,))) == "a | b\n1 | 2"


def test_everything_of_an_integrations_box() -> None:
    box = {
        "id": 1,
        "color": "e52b50",
        "fallback": "[no preview available]",
        "pretext": "New *ticket*",
        "author_name": "Kim Lee",
        "author_link": "https://t.example.com/u/kim",
        "title": "TEST-7: login &amp; more",
        "title_link": "https://t.example.com/7",
        "text": "Steps: *open* the page",
        "fields": [
            {"title": "Priority", "value": "High", "short": True},
            {"title": "Owner", "value": "<@U1>"},
            {"value": "a\n> b"},
        ],
        "footer": "Tickets, sprint 9",
        "ts": 1715000000,
        "image_url": "https://t.example.com/p.png",
        "thumb_url": "https://t.example.com/t.png",
        "actions": [
            {"id": "1", "text": "Close", "type": "button", "url": "https://t.example.com/7/close"},
            {"type": "select", "text": "More"},
        ],
    }
    assert shown(text="", attachments=[box]).split("\n") == [
        "New ticket",
        "Kim Lee (https://t.example.com/u/kim)",
        "TEST-7: login & more (https://t.example.com/7)",
        "Steps: open the page",
        "Priority: High",
        "Owner: @Anna",
        "a",
        "> b",
        "image (https://t.example.com/p.png)",
        "Close (https://t.example.com/7/close)",
        "[More]",
        "Tickets, sprint 9",
    ]
    assert (
        shown(text="above", attachments=[{"thumb_url": "https://t.example.com/t.png"}])
        == "above\npicture (https://t.example.com/t.png)"
    )
    assert shown(text="", attachments=[{"fallback": "only this"}]) == "only this"
    assert (
        shown(text="", attachments=[{"fallback": "not shown", "text": "shown"}, {"fallback": "f", "blocks": [section("b")]}])
        == "shown\nb"
    )


def test_a_shared_message_of_an_app() -> None:
    share = {
        "is_msg_unfurl": True,
        "is_share": True,
        "author_id": "U1",
        "channel_name": "random",
        "fallback": "[November 26th, 2026] deployer: ",
        "text": "This content can't be displayed.",
        "message_blocks": [
            {"team": "T1", "channel": "C2", "ts": "1.2", "message": {"blocks": [section("*Deploy* done"), rich("ok")]}}
        ],
        "from_url": "https://x.slack.com/archives/C2/p1",
        "footer": "Posted in #random",
        "files": [{"id": "F1", "name": "log.txt", "mimetype": "text/plain", "size": 3, "url_private": "https://files.slack.com/f"}],
    }
    content = created(text="look", attachments=[share], user="U1", bot_id=None, app_id=None).content
    assert to_plain(content.text) == "look\n> Deploy done\n> ok"
    assert content.forwarded_from == Forward(author_name="Anna", chat_name="random")
    assert [file.name for file in content.attachments] == ["log.txt"]
    two = created(
        text="look", attachments=[share, {**share, "author_name": "Boris", "message_blocks": None, "text": "mine"}]
    ).content
    assert to_plain(two.text) == "look\n> Deploy done\n> ok\n> Boris:\n> mine"


def test_link_previews_are_left_out_unless_there_is_nothing_else() -> None:
    preview = {"from_url": "https://e.example/", "title": "Example", "title_link": "https://e.example/", "text": "a page", "id": 1}
    assert shown(text="<https://e.example/>", attachments=[preview]) == "https://e.example/"
    assert shown(text="", attachments=[preview]) == "Example (https://e.example/)\na page"
    assert (
        shown(text="<https://e.example/>", attachments=[{"is_app_unfurl": True, "blocks": [section("x")]}]) == "https://e.example/"
    )


def test_marks_that_are_no_formatting() -> None:
    assert created(text="2 *3* _4_ &lt; `5` <https://e.example/|label>\n&gt; no quote", mrkdwn=False).content.text == RichText(
        (Paragraph((Text("2 *3* _4_ < `5` "), Text("label", 0, "https://e.example/"), Text("\n> no quote"))),)
    )
    assert shown(text="2 *3*", mrkdwn=True) == "2 3"


def test_addresses_of_mail_are_told_once() -> None:
    assert shown(text="<mailto:a@b.example|a@b.example> <tel:+4930|+4930>") == "a@b.example +4930"
    assert shown(
        blocks=[
            rich(
                {"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"},
                " ",
                {"type": "link", "url": "mailto:a@b.example"},
            )
        ]
    ) == ("a@b.example a@b.example")
    assert shown(text="<mailto:a@b.example|write us>") == "write us (mailto:a@b.example)"


def test_no_blank_line_that_nobody_wrote() -> None:
    def text(*elements: dict[str, Any]) -> str:
        return shown(blocks=[{"type": "rich_text", "elements": list(elements)}])

    def part(kind: str, *texts: str) -> dict[str, Any]:
        return {"type": f"rich_text_{kind}", "elements": [{"type": "text", "text": text} for text in texts]}

    assert text(part("quote", "q"), part("section", "after")) == "> q\nafter"
    assert text(part("quote", "q"), part("section", "\nafter")) == "> q\nafter"
    assert text(part("quote", "q\n"), part("section", "after")) == "> q\nafter"
    assert text(part("section", "before\n"), part("quote", "q")) == "before\n> q"
    assert text(part("quote", "q"), part("section", "\n", "\nafter")) == "> q\n\nafter"
    assert shown(text="&gt; q\nafter") == "> q\nafter"


def test_containers_in_containers() -> None:
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": "in a quote"}]}
    items = {
        "type": "rich_text_list",
        "style": "ordered",
        "indent": "0",
        "offset": "4",
        "elements": [inner, {"type": "text", "text": "loose"}],
    }
    block = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_quote", "elements": [inner, items]}, {"type": "text", "text": "leaf"}],
    }
    assert shown(blocks=[block]) == "> in a quote\n> 5. in a quote\n> 6. loose\nleaf"


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ({}, "Deployer"),
        ({"user": "U1"}, "Anna"),
        ({"username": "Custom"}, "Custom"),
        ({"user": None}, "Deployer"),
        ({"bot_profile": None, "user": None, "bot_id": "B5"}, "Cron"),
        ({"bot_profile": None, "bot_id": "B5"}, "Cron"),
        ({"bot_profile": None, "user": None, "bot_id": "B6"}, "app"),
        ({"bot_id": None, "bot_profile": None, "user_profile": {"display_name": "", "real_name": "Carla C."}}, "Carla C."),
        ({"bot_id": None, "bot_profile": None, "user_profile": {"name": "carla"}}, "carla"),
    ],
)
def test_apps_have_names(author: dict[str, Any], name: str) -> None:
    found = created(text="x", **author).meta.author
    assert found is not None
    assert found.name == name


def test_pages_of_slack_are_lines_with_their_links() -> None:
    def file(**told: Any) -> dict[str, Any]:
        return {
            "id": "F1",
            "title": "Notes",
            "url_private": "https://files.slack.com/p",
            "permalink": "https://x.slack.com/docs/F1",
            **told,
        }

    for told, kind in (
        ({"mode": "quip", "mimetype": "application/vnd.slack-docs", "filetype": "quip", "pretty_type": "Canvas"}, "Canvas"),
        ({"mode": "list", "mimetype": "application/vnd.slack-list", "filetype": "list"}, "List"),
        ({"mode": "hosted", "mimetype": "application/vnd.slack-docs"}, "Docs"),
        ({"mode": "space", "filetype": "space", "pretty_type": "Post"}, "Post"),
        ({"mode": "canvas"}, "Canvas"),
        ({"mode": "post", "pretty_type": None}, "Post"),
    ):
        content = created(text="", subtype="file_share", files=[file(**told)]).content
        assert (to_plain(content.text), content.attachments) == (f"{kind}: Notes (https://x.slack.com/docs/F1)", ())
    untitled = created(text="", files=[file(mode="quip", title=None, permalink=None, url_private=None)]).content
    assert to_plain(untitled.text) == "Canvas: untitled"
    assert [
        each.name for each in created(text="", files=[file(name="a.html", mimetype="text/html", mode="hosted")]).content.attachments
    ] == ["a.html"]


def test_the_last_resort_is_better_than_nothing() -> None:
    assert shown(text="This content can't be displayed.") == "This content can't be displayed."
    assert shown(text="", attachments=[{"fallback": "[no preview available]"}]) == "[no preview available]"
