"""How a message looks in a target: whose it is, its words, mentions, replies, and what has no native form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.registry import load_manifest
from bridge.identity.names import Names
from bridge.model.adapter import Reply, Sender
from bridge.model.capabilities import Feature, Support
from bridge.model.events import (
    Author,
    Contact,
    Content,
    Forward,
    Location,
    Poll,
    PollOption,
    ReplyTo,
)
from bridge.model.rich_text import CodeBlock, Emoji, Mark, Mention, MentionKind, Paragraph, RichText, Text, to_plain
from bridge.render.message import Rendered, render
from bridge.render.parts import Held
from bridge.render.slice import runs
from tests.support.rendering import (
    BARE,
    NAME_IN_TEXT,
    PEOPLE,
    only_text,
    re_rendered,
    rendered,
    said,
    shapes,
)
from tests.support.strategies import (
    ORIGIN,
    TEAM,
    capabilities,
    created,
    target,
)

# -- who --------------------------------------------------------------------------------------------------------------------


def test_a_native_sender_keeps_the_name_out_of_the_text() -> None:
    made = rendered(said("hi"))
    assert shapes(made) == [("hi", [])]
    assert made.parts[0].sender == Sender(name="Anna Petrova", avatar_url="https://example.org/a.png")
    assert made.losses == ()


def test_no_avatar_where_there_is_none() -> None:
    made = rendered(said("hi"), target(capabilities(Feature.SENDER_AVATAR)))
    assert made.parts[0].sender == Sender(name="Anna Petrova")


def test_elsewhere_the_name_is_a_bold_line_above_the_text() -> None:
    made = rendered(said("hi"), target(NAME_IN_TEXT))
    (part,) = made.parts
    assert part.sender is None
    assert part.text.blocks == (Paragraph((Text("Anna Petrova", int(Mark.BOLD)), Text("\nhi"))),)
    assert made.losses == ("sender shown as a line in the text",)


def test_without_bold_a_colon_tells_the_name_from_the_text() -> None:
    assert only_text(rendered(said("hi"), target(capabilities(Feature.SENDER_NAME, Feature.BOLD)))) == "Anna Petrova:\nhi"


def test_the_template_of_the_end_is_used() -> None:
    made = rendered(said("hi"), target(NAME_IN_TEXT, sender="{name} [{platform}, {chat}]"))
    assert only_text(made) == "Anna Petrova [Slack, general]\nhi"


def test_a_message_without_an_author_is_the_chats() -> None:
    assert only_text(rendered(said("hi"), target(NAME_IN_TEXT), author=None)) == "general\nhi"


@pytest.mark.parametrize(
    ("platform", "chat_name", "shown"),
    [("telegram", "-1001234567890", "Slack"), ("slack", "C024BE7LH", "Slack"), ("slack", "GENERAL", "GENERAL")],
)
def test_an_id_is_no_name_of_a_chat(platform: str, chat_name: str, shown: str) -> None:
    made = render(
        created(said("hi"), None),
        origin=replace(ORIGIN, chat_name=chat_name, chat_is_named=not load_manifest(platform).is_chat_id(chat_name)),
        target=target(NAME_IN_TEXT),
        fetched=(),
        reply=None,
        people=PEOPLE,
        names=Names(),
    )
    assert only_text(made) == f"{shown}\nhi"


def test_an_imitator_is_told_apart() -> None:
    made = rendered(said("send me money"), author=Author(user_id="U666", name="Anna Petrova"))
    assert made.parts[0].sender == Sender(name="Anna Petrova (team)")


def test_every_part_of_a_long_message_shows_whose_it_is() -> None:
    made = rendered(said("word " * 300), target(NAME_IN_TEXT))
    texts = [text for text, _ in shapes(made)]
    assert len(texts) > 3
    assert texts[0].startswith("Anna Petrova\nword")
    assert all(text.startswith("Anna Petrova …\nword") for text in texts[1:])
    assert all(len(text) <= 400 for text in texts)


def test_a_text_cannot_pretend_to_be_another_message_of_somebody_else() -> None:
    """The author chooses where a long text is cut; the part after the cut still begins with the author's own name."""
    made = rendered(
        said("x " * 195 + "\n\nBob\nI owe you money " * 3), target(NAME_IN_TEXT), author=Author(user_id="7", name="Eve")
    )
    assert all(to_plain(part.text).startswith("Eve") for part in made.parts)


# -- text -------------------------------------------------------------------------------------------------------------------


def test_marks_the_target_lacks_are_converted_and_named() -> None:
    content = Content(text=RichText((Paragraph((Text("secret", int(Mark.SPOILER)),)), CodeBlock("x", "python"))))
    made = rendered(content, target(BARE))
    assert only_text(made) == "Anna Petrova:\n[spoiler] secret\nx"
    assert "spoiler shown in the open" in made.losses
    assert "code block shown as plain text" in made.losses


def test_previews_need_both_sides() -> None:
    assert rendered(said("x")).parts[0].previews
    assert not rendered(said("x", previews=False)).parts[0].previews
    assert not rendered(said("x"), target(previews=False)).parts[0].previews


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\u2800"])
def test_nothing_to_see_is_said(text: str) -> None:
    assert only_text(rendered(said(text))) == "(empty message)"


# -- mentions and emoji -----------------------------------------------------------------------------------------------------


def mentioning(kind: MentionKind, mention_id: str, name: str) -> Content:
    return Content(text=RichText((Paragraph((Text("hey "), Mention(kind, mention_id, name))),)))


def mentions(made: Rendered) -> list[Mention]:
    return [inline for part in made.parts for inline in runs(part.text) if isinstance(inline, Mention)]


def test_a_known_person_is_mentioned_natively() -> None:
    made = rendered(mentioning(MentionKind.USER, "U1", "ann"))
    assert mentions(made) == [Mention(MentionKind.USER, "anna_p", "Anna Petrova")]


@pytest.mark.parametrize(("mention_id", "shown"), [("U2", "hey @Bob"), ("U9", "hey @kim")])
def test_others_are_named_and_not_pinged(mention_id: str, shown: str) -> None:
    made = rendered(mentioning(MentionKind.USER, mention_id, "kim"))
    assert mentions(made) == []
    assert only_text(made) == shown
    assert made.losses == ("mention shown as a name",)


def test_within_one_account_ids_stay() -> None:
    made = rendered(mentioning(MentionKind.USER, "U9", "kim"), target(account=TEAM, platform="slack"))
    assert mentions(made) == [Mention(MentionKind.USER, "U9", "kim")]
    made = rendered(mentioning(MentionKind.CHAT, "C9", "random"), target(account=TEAM, platform="slack"))
    assert mentions(made) == [Mention(MentionKind.CHAT, "C9", "random")]


@pytest.mark.parametrize(("kind", "shown"), [(MentionKind.CHAT, "hey #x"), (MentionKind.GROUP, "hey @x")])
def test_chats_and_groups_are_names_elsewhere(kind: MentionKind, shown: str) -> None:
    assert only_text(rendered(mentioning(kind, "1", "x"))) == shown


def test_everyone_is_never_pinged_by_default() -> None:
    for to in (target(), target(account=TEAM, platform="slack")):
        made = rendered(mentioning(MentionKind.EVERYONE, "here", "here"), to)
        assert mentions(made) == []
        assert only_text(made) == "hey @here"
        assert not made.parts[0].mass_mentions
        assert made.losses == ("mention of everyone without a ping",)


@pytest.mark.parametrize("allowed", ["Anna Petrova", "U1"])
def test_everyone_is_pinged_by_whom_the_end_allows(allowed: str) -> None:
    made = rendered(mentioning(MentionKind.EVERYONE, "here", "here"), target(mass_mentions=(allowed,)))
    assert mentions(made) == [Mention(MentionKind.EVERYONE, "here", "here")]
    assert made.parts[0].mass_mentions
    assert not rendered(said("no mention"), target(mass_mentions=(allowed,))).parts[0].mass_mentions


@pytest.mark.parametrize("author", [Author(user_id="U7", name="Anna Petrova"), Author(user_id="U7", name="U1"), None])
def test_a_name_alone_allows_nobody_to_ping(author: Author | None) -> None:
    made = rendered(mentioning(MentionKind.EVERYONE, "here", "here"), target(mass_mentions=("Anna Petrova", "U1")), author=author)
    assert mentions(made) == []


def test_a_group_needs_the_same_permission_within_its_account() -> None:
    content = mentioning(MentionKind.GROUP, "S1", "ops")
    assert mentions(rendered(content, target(account=TEAM, platform="slack"))) == []
    made = rendered(content, target(account=TEAM, platform="slack", mass_mentions=("U1",)))
    assert mentions(made) == [Mention(MentionKind.GROUP, "S1", "ops")]
    assert made.parts[0].mass_mentions


def test_custom_emoji_keep_their_id_in_their_own_account_only() -> None:
    content = Content(text=RichText((Paragraph((Emoji("party", "7"), Emoji("smile", "8", "🙂"))),)))
    assert only_text(rendered(content)) == ":party:🙂"
    made = rendered(content, target(account=TEAM, platform="slack"))
    assert list(runs(made.parts[0].text)) == [Emoji("party", "7"), Emoji("smile", "8", "🙂")]


# -- replies ----------------------------------------------------------------------------------------------------------------

ANSWERED = ReplyTo(message_id="5", author_name="Bob", excerpt="shall we?\nI think so")


def test_a_known_message_is_pointed_at() -> None:
    made = rendered(said("yes", reply_to=ANSWERED), reply=Reply(message_id="77"))
    assert only_text(made) == "yes"
    assert made.parts[0].reply == Reply(message_id="77", author_name="Bob", excerpt="shall we?\nI think so")
    assert made.losses == ()


@pytest.mark.parametrize("reply", [None, Reply(), Reply(author_name="Bob")])
def test_an_unknown_message_is_quoted_in_one_line(reply: Reply | None) -> None:
    made = rendered(said("yes", reply_to=ANSWERED), reply=reply)
    assert only_text(made) == "> Bob: shall we? I think so\nyes"
    assert made.parts[0].reply is None
    assert made.losses == ("reply shown as a quote",)


def test_a_target_without_replies_quotes() -> None:
    made = rendered(said("yes", reply_to=ANSWERED), target(BARE), reply=Reply(message_id="77"))
    assert only_text(made) == "Anna Petrova:\n> Bob: shall we? I think so\nyes"


def test_a_long_excerpt_is_shortened() -> None:
    made = rendered(said("yes", reply_to=ReplyTo(message_id="5", excerpt="word " * 100)))
    quoted, answer = only_text(made).split("\n")
    assert len(quoted) < 130
    assert quoted.endswith("…")
    assert answer == "yes"


def test_what_little_is_known_is_shown_and_nothing_is_made_up() -> None:
    assert only_text(rendered(said("yes", reply_to=ReplyTo(message_id="5", author_name="Bob")))) == "↩ in reply to Bob\nyes"
    assert only_text(rendered(said("yes", reply_to=ReplyTo(message_id="5")))) == "yes"


def test_only_the_first_part_points_where_replies_are_pointers() -> None:
    made = rendered(said("word " * 200), reply=Reply(message_id="7"))
    assert [bool(part.reply) for part in made.parts] == [True, False, False]


def test_all_parts_belong_into_the_thread_where_replies_are_threads() -> None:
    to = target(capabilities(levels={Feature.REPLY: Support.PARTIAL}))
    made = rendered(said("word " * 200), to, reply=Reply(message_id="7", thread_id="5", author_name="Bob", excerpt="x"))
    assert made.parts[0].reply == Reply(message_id="7", thread_id="5", author_name="Bob", excerpt="x")
    assert {part.reply for part in made.parts[1:]} == {Reply(message_id="7", thread_id="5")}


# -- things without a native form -------------------------------------------------------------------------------------------


def test_a_forward_says_where_it_comes_from() -> None:
    made = rendered(said("news", forwarded_from=Forward(author_name="Kim", chat_name="News")))
    assert only_text(made) == "↪ Forwarded from Kim (News)\nnews"
    assert only_text(rendered(said("news", forwarded_from=Forward(chat_name="News")))) == "↪ Forwarded from News\nnews"
    assert only_text(rendered(said("news", forwarded_from=Forward()))) == "↪ Forwarded message\nnews"


def test_a_poll_is_readable() -> None:
    poll = Poll(question="Lunch?", options=(PollOption(text="Pizza", votes=2), PollOption(text="Soup")), multiple=True, closed=True)
    made = rendered(Content(poll=poll))
    assert only_text(made) == "📊 Lunch? (several answers, closed)\n▫️ Pizza - 2\n▫️ Soup"
    assert made.losses == ("poll shown as text",)


def test_a_place_has_a_link_to_a_map() -> None:
    location = Location(latitude=59.9343, longitude=30.3351, title="Office", address="Nevsky 1")
    made = rendered(Content(location=location), target(capabilities(Feature.LOCATION)))
    assert only_text(made) == (
        "📍 Office, Nevsky 1: 59.934300, 30.335100 "
        "(https://www.openstreetmap.org/?mlat=59.934300&mlon=30.335100#map=16/59.934300/30.335100)"
    )
    assert made.losses == ("location shown as text",)


def test_a_contact_is_a_line() -> None:
    made = rendered(Content(contact=Contact(name="Kim Lee", phone="+1 234")), target(capabilities(Feature.CONTACT)))
    assert only_text(made) == "👤 Kim Lee +1 234"


def test_a_place_and_a_contact_are_native_where_they_can_be() -> None:
    """Without a line, and without a word that the message is empty."""
    location, contact = Location(latitude=1, longitude=2), Contact(name="Kim Lee")
    made = rendered(Content(location=location, contact=contact))
    assert [(part.location, part.contact, only_text(made)) for part in made.parts] == [(location, contact, "")]
    assert not made.losses
    long = rendered(said("word " * 2000, location=location))
    assert [part.location for part in long.parts] == [location, *[None] * (len(long.parts) - 1)]
    again = re_rendered(Content(location=location), [Held.WORDS])
    assert [(part.location, part.surplus) for part in again.parts] == [(location, False)]
