"""What apps post: blocks, attachments, shared messages. A copy has what Slack shows of it, and not what only notifications show."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model.events import Forward
from bridge.model.rich_text import Heading, Paragraph, Quote, RichText, Text, to_plain
from tests.adapters.slack.inbound.app_posts import created, plain, rich, rich_of, section, shown

FILLERS = [
    "This content can't be displayed.",
    "This content can’t be displayed.",
    "This message contains interactive elements.",
    "[no preview available]",
    "",
    None,
]


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
        "Tickets, sprint 9 | 2024-05-06 12:53 UTC",
    ]
    assert (
        shown(text="above", attachments=[{"thumb_url": "https://t.example.com/t.png"}])
        == "above\npicture (https://t.example.com/t.png)"
    )
    assert shown(text="", attachments=[{"fallback": "only this"}]) == "only this"
    values = [{"title": "n", "value": value} for value in (5, 0, 1.5, True, {"text": "x"}, None, ["y"])]
    assert shown(text="", attachments=[{"fields": values}]) == "n: 5\nn: 0\nn: 1.5\nn: true\nn: x\nn\nn"
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
    assert content.forwarded_from == Forward(author_name="Anna", chat_name="random", author_id="U1")
    forged = created(text="look", attachments=[share]).content
    assert forged.forwarded_from == Forward(author_name="Anna", chat_name="random"), "an app writes what it likes"
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


def test_quotes_of_apps_are_quotes() -> None:
    for text in ("&gt; one\n&gt; two\nafter", "> one\n>two\nafter"):
        assert rich_of(section(text)).blocks == (Quote((Paragraph((Text("one\ntwo"),)),)), Paragraph((Text("after"),)))
    assert rich_of(section("before\n>>> all\nthe rest")).blocks[1] == Quote((Paragraph((Text("all\nthe rest"),)),))
    assert shown(text="a &lt; b > c -> d") == "a < b > c -> d"


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
