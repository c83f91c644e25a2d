"""How a message looks in a target: whole messages, from event to parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.capabilities import Capabilities, Feature, Limits, Support
from bridge.characters import is_blank
from bridge.contract import OutboundFile, Reply, Sender
from bridge.events import (
    AttachmentKind,
    Author,
    ChatRenamed,
    Contact,
    Content,
    Forward,
    Location,
    MembershipChanged,
    MembershipKind,
    PinsChanged,
    Poll,
    PollOption,
    ReplyTo,
    Status,
    StatusChanged,
)
from bridge.names import Names
from bridge.people import People, Person
from bridge.render import Rendered, Settled, Target, line, notice_text, render, render_notice
from bridge.slices import runs
from bridge.text import CodeBlock, Emoji, Mark, Mention, MentionKind, Paragraph, RichText, Text, plain, text_of, to_plain
from tests.bridge.strategies import (
    ANNA,
    FILE_KINDS,
    MEGA,
    ORIGIN,
    TEAM,
    TEXT_FEATURES,
    TG,
    attachment,
    capabilities,
    created,
    edited,
    fetched,
    inked,
    limits,
    meta,
    plain_measure,
    rich_texts,
    target,
)

PHOTO, VIDEO, STICKER = AttachmentKind.PHOTO, AttachmentKind.VIDEO, AttachmentKind.STICKER
PEOPLE = People([Person(name="Anna Petrova", ids={TEAM: "U1", TG: "anna_p"}), Person(name="Bob", ids={TEAM: "U2"})])
NATIVE = capabilities()
NAME_IN_TEXT = capabilities(Feature.SENDER_NAME)
BARE = capabilities(*TEXT_FEATURES, Feature.SENDER_NAME, Feature.REPLY)


def rendered(
    content: Content,
    to: Target | None = None,
    *,
    settled: list[Settled] | None = None,
    reply: Reply | None = None,
    author: Author | None = ANNA,
    people: People = PEOPLE,
    names: Names | None = None,
) -> Rendered:
    return render(
        created(content, author),
        origin=ORIGIN,
        target=to or target(NATIVE),
        settled=[fetched(a) for a in content.attachments] if settled is None else settled,
        reply=reply,
        people=people,
        names=names or Names((), people),
    )


def re_rendered(content: Content, existing: list[bool] | None, to: Target | None = None, **details: object) -> Rendered:
    return render(
        edited(content),
        origin=ORIGIN,
        target=to or target(NAME_IN_TEXT),
        settled=[Settled(attachment=a) for a in content.attachments],
        reply=None,
        people=PEOPLE,
        names=Names((), PEOPLE),
        existing=existing,
    )


def said(text: str, **details: object) -> Content:
    return Content(text=plain(text), **details)  # type: ignore[arg-type]


def shapes(made: Rendered) -> list[tuple[str, list[str]]]:
    return [(to_plain(part.text), [file.name for file in part.files]) for part in made.parts]


def only_text(made: Rendered) -> str:
    (part,) = made.parts
    return to_plain(part.text)


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
    made = rendered(Content(location=Location(latitude=59.9343, longitude=30.3351, title="Office", address="Nevsky 1")))
    assert only_text(made) == (
        "📍 Office, Nevsky 1: 59.934300, 30.335100 "
        "(https://www.openstreetmap.org/?mlat=59.934300&mlon=30.335100#map=16/59.934300/30.335100)"
    )
    assert made.losses == ("location shown as text",)


def test_a_contact_is_a_line() -> None:
    assert only_text(rendered(Content(contact=Contact(name="Kim Lee", phone="+1 234")))) == "👤 Kim Lee +1 234"


# -- files ------------------------------------------------------------------------------------------------------------------


def test_a_short_text_is_the_caption() -> None:
    made = rendered(said("look", attachments=(attachment("a.jpg", PHOTO), attachment("b.jpg", PHOTO))))
    assert shapes(made) == [("look", ["a.jpg", "b.jpg"])]
    assert made.parts[0].has_files


def test_a_long_text_goes_before_the_files() -> None:
    made = rendered(said("word " * 30, attachments=(attachment("a.jpg", PHOTO),)), target(NAME_IN_TEXT))
    assert [(text.split("\n")[0], files) for text, files in shapes(made)] == [
        ("Anna Petrova", []),
        ("Anna Petrova …", ["a.jpg"]),
    ]


def test_a_very_long_text_is_whole_before_the_files() -> None:
    made = rendered(said("word " * 200, attachments=(attachment("a.jpg", PHOTO),)))
    assert [files for _, files in shapes(made)] == [[], [], [], ["a.jpg"]]
    assert made.parts[-1].text == RichText()


def test_a_target_without_captions_gets_the_text_first() -> None:
    to = target(capabilities(within=limits(caption_length=0)))
    assert shapes(rendered(said("look", attachments=(attachment("a.jpg", PHOTO),)), to)) == [("look", []), ("", ["a.jpg"])]
    assert shapes(rendered(Content(attachments=(attachment("a.jpg", PHOTO),)), to)) == [("", ["a.jpg"])]
    named = target(capabilities(Feature.SENDER_NAME, within=limits(caption_length=0)))
    made = rendered(Content(attachments=(attachment("a.jpg", PHOTO),)), named)
    assert shapes(made) == [("Anna Petrova", []), ("", ["a.jpg"])]


def test_many_files_are_several_messages_that_show_whose_they_are() -> None:
    files = tuple(attachment(f"{number}.jpg", PHOTO) for number in range(5))
    made = rendered(
        said("look", attachments=files), target(capabilities(Feature.SENDER_NAME, within=limits(attachments_per_message=2)))
    )
    assert shapes(made) == [
        ("Anna Petrova\nlook", ["0.jpg", "1.jpg"]),
        ("Anna Petrova …", ["2.jpg", "3.jpg"]),
        ("Anna Petrova …", ["4.jpg"]),
    ]


def test_a_file_that_cannot_go_is_a_visible_line() -> None:
    files = (attachment("clip.mp4", VIDEO, size_bytes=1_234_567_890), attachment("a.jpg", PHOTO))
    made = rendered(said("look", attachments=files), settled=[Settled(attachment=files[0]), fetched(files[1])])
    assert shapes(made) == [("look\n🎬 clip.mp4 (1.2 GB) - too large for Telegram", ["a.jpg"])]
    assert made.losses == ("video shown as a line: too large for Telegram",)


def test_a_file_larger_than_announced_is_noticed_once_it_is_fetched() -> None:
    given = attachment("a.bin", size_bytes=None)
    file = OutboundFile(attachment=given, path=Path("/x"), name="a.bin", mime="", size_bytes=60 * MEGA)
    made = rendered(Content(attachments=(given,)), settled=[Settled(attachment=given, file=file)])
    assert only_text(made) == "📎 a.bin (60 MB) - too large for Telegram"


@pytest.mark.parametrize(
    ("options", "details", "settled_problem", "problem"),
    [
        ({"files": False}, {}, "", "files are not relayed here"),
        ({"max_file_mb": 1.5}, {"size_bytes": 2 * MEGA}, "", "larger than the 1.5 MB allowed here"),
        ({}, {"problem": "hidden by the sender"}, "", "hidden by the sender"),
        ({}, {}, "gone from the server", "gone from the server"),
        ({}, {}, "", "could not be fetched"),
    ],
)
def test_why_a_file_is_missing(options: dict[str, object], details: dict[str, object], settled_problem: str, problem: str) -> None:
    given = attachment("a.pdf", **details)  # type: ignore[arg-type]
    made = rendered(Content(attachments=(given,)), target(**options), settled=[Settled(attachment=given, problem=settled_problem)])
    assert only_text(made).endswith(f" - {problem}")
    assert only_text(made).startswith("📎 a.pdf (")


def test_a_sticker_without_its_file_is_its_emoji() -> None:
    sticker = attachment("s.webp", STICKER, emoji="😺", size_bytes=None)
    made = rendered(Content(attachments=(sticker,)), settled=[Settled(attachment=sticker, problem="not available")])
    assert only_text(made) == "🏷️ 😺 sticker - not available"


def test_the_name_of_a_file_cannot_break_its_line() -> None:
    given = attachment("a\nBob: pay\u202e me" + "x" * 300, problem="gone")
    text = only_text(rendered(Content(attachments=(given,)), settled=[Settled(attachment=given)]))
    assert "\n" not in text
    assert "\u202e" not in text
    assert len(text) < 180


def test_a_description_of_a_missing_picture_is_kept() -> None:
    given = attachment("a.jpg", PHOTO, alt_text="two cats", problem="gone")
    made = rendered(Content(attachments=(given,)), settled=[Settled(attachment=given)])
    assert only_text(made) == "🖼️ a.jpg (1.0 kB) - gone\ntwo cats"


def test_a_hidden_picture_is_announced_where_it_cannot_be_hidden() -> None:
    content = said("look", attachments=(attachment("a.jpg", PHOTO, spoiler=True),))
    assert shapes(rendered(content, target(capabilities(Feature.SPOILER)))) == [("[spoiler]\nlook", ["a.jpg"])]
    assert shapes(rendered(content)) == [("look", ["a.jpg"])]


# -- edits ------------------------------------------------------------------------------------------------------------------


def test_an_edit_changes_the_text_in_place() -> None:
    made = re_rendered(said("better"), [False])
    assert shapes(made) == [("Anna Petrova\nbetter", [])]
    assert not made.parts[0].has_files


def test_an_edited_caption_stays_with_its_files() -> None:
    made = re_rendered(said("better", attachments=(attachment("a.jpg", PHOTO),)), [True])
    assert [(to_plain(part.text), part.files, part.has_files) for part in made.parts] == [("Anna Petrova\nbetter", (), True)]


def test_a_caption_that_grew_too_long_goes_on_in_a_further_message() -> None:
    made = re_rendered(said("word " * 60), [True, True])
    assert [part.has_files for part in made.parts] == [True, True, False]
    assert len(to_plain(made.parts[0].text)) <= 100
    assert to_plain(made.parts[1].text) == "Anna Petrova …"
    assert [part.unchanged for part in made.parts] == [False, True, False]
    assert inked("".join(to_plain(part.text) for part in made.parts)).count("word") == 60


def test_a_text_that_grew_fills_its_messages_and_adds_one_at_the_end() -> None:
    made = re_rendered(said("word " * 200), [False, False, True])
    assert [part.has_files for part in made.parts] == [False, False, True, False]
    assert not any(part.surplus for part in made.parts)


def test_a_text_that_shrank_gives_up_its_further_messages_and_no_files() -> None:
    made = re_rendered(said("short"), [False, False, True, False])
    assert [part.surplus for part in made.parts] == [False, True, False, True]
    assert to_plain(made.parts[0].text) == "Anna Petrova\nshort"


def test_the_limit_of_edits_is_kept() -> None:
    to = target(capabilities(within=limits(edit_length=50)))
    made = re_rendered(said("word " * 30), [False], to)
    assert len(made.parts) > 2
    assert all(plain_measure(part.text) <= 50 for part in made.parts)


def test_a_removed_caption_leaves_the_files() -> None:
    made = re_rendered(Content(), [True], target(NATIVE))
    assert made.parts[0].text == RichText()
    assert not made.parts[0].surplus


def test_lines_of_missing_files_survive_an_edit() -> None:
    big = attachment("clip.mp4", VIDEO, size_bytes=10**9)
    made = re_rendered(said("better", attachments=(big,)), [False], target(NATIVE))
    assert shapes(made) == [("better\n🎬 clip.mp4 (1.0 GB) - too large for Telegram", [])]


def test_an_edit_without_knowledge_of_its_copies_has_the_layout_of_a_new_message() -> None:
    made = re_rendered(said("word " * 200, attachments=(attachment("a.jpg", PHOTO),)), None)
    assert [part.has_files for part in made.parts] == [False, False, False, True]


# -- notices ----------------------------------------------------------------------------------------------------------------

KIM = Author(user_id="U5", name="Kim")
BY_KIM = meta(KIM)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (MembershipChanged(meta=BY_KIM, change=MembershipKind.JOINED, member=KIM), "Kim joined (general, Slack)"),
        (MembershipChanged(meta=meta(None), change=MembershipKind.LEFT, member=KIM), "Kim left (general, Slack)"),
        (MembershipChanged(meta=meta(), change=MembershipKind.JOINED, member=KIM), "Anna Petrova added Kim (general, Slack)"),
        (MembershipChanged(meta=meta(), change=MembershipKind.LEFT, member=KIM), "Anna Petrova removed Kim (general, Slack)"),
        (ChatRenamed(meta=BY_KIM, name="new\nname"), "Kim renamed the chat to “new name” (general, Slack)"),
        (ChatRenamed(meta=meta(None), name="x"), "Somebody renamed the chat to “x” (general, Slack)"),
        (PinsChanged(meta=BY_KIM, message_id="1", pinned=True), "Kim pinned a message (general, Slack)"),
        (PinsChanged(meta=BY_KIM, message_id="1", pinned=False), "Kim unpinned a message (general, Slack)"),
        (StatusChanged(meta=BY_KIM, status=Status.AWAY, text="lunch"), "Kim is away: lunch (general, Slack)"),
    ],
)
def test_notices(event: MembershipChanged | ChatRenamed | PinsChanged | StatusChanged, expected: str) -> None:
    text = notice_text(event, origin=ORIGIN, names=Names((), PEOPLE))
    assert only_text(render_notice(text, target=target(BARE))) == expected
    assert render_notice(text, target=target(BARE)).parts[0].sender is None


def test_a_long_notice_is_split_and_an_empty_one_is_still_something() -> None:
    assert len(render_notice(line("word " * 200), target=target()).parts) == 3
    assert len(render_notice(RichText(), target=target()).parts) == 1


# -- for every message ------------------------------------------------------------------------------------------------------

FILES = st.lists(
    st.builds(
        lambda kind, size, spoiler, number: attachment(f"file{number}.bin", kind, size_bytes=size, spoiler=spoiler),
        st.sampled_from(AttachmentKind),
        st.sampled_from([None, 10, 5 * MEGA, 100 * MEGA]),
        st.booleans(),
        st.integers(0, 9),
    ),
    max_size=5,
).map(tuple)
CONTENTS = st.builds(
    Content,
    text=rich_texts,
    attachments=FILES,
    reply_to=st.none()
    | st.builds(ReplyTo, message_id=st.just("5"), author_name=st.text(max_size=5), excerpt=st.text(max_size=200)),
    forwarded_from=st.none() | st.builds(Forward, author_name=st.text(max_size=5), chat_name=st.text(max_size=5)),
    poll=st.none() | st.just(Poll(question="q", options=(PollOption(text="a"),))),
    location=st.none() | st.just(Location(latitude=1, longitude=2)),
)
LIMITS = st.builds(
    limits,
    text_length=st.just(220),
    caption_length=st.sampled_from([0, 60, 220]),
    edit_length=st.sampled_from([None, 180]),
    attachments_per_message=st.integers(1, 3),
    photo_bytes=st.sampled_from([None, MEGA]),
    sender_name_length=st.just(32),
)
TARGETS = st.builds(
    lambda lacking, album, within: target(capabilities(*lacking, levels={Feature.ALBUM: album}, within=within)),
    st.sets(st.sampled_from([*TEXT_FEATURES, *FILE_KINDS, Feature.SENDER_NAME, Feature.REPLY])),
    st.sampled_from(Support),
    LIMITS,
)
AUTHORS = st.none() | st.builds(Author, user_id=st.just("U1"), name=st.text(max_size=100))


@given(CONTENTS, TARGETS, AUTHORS, st.none() | st.just(Reply(message_id="9")))
@settings(max_examples=150, deadline=None)
def test_every_message_has_a_form_within_the_limits_and_no_file_vanishes(
    content: Content, to: Target, author: Author | None, reply: Reply | None
) -> None:
    made = rendered(content, to, author=author, reply=reply, people=People())
    assert made.parts
    within = to.capabilities.limits
    for part in made.parts:
        assert part.files or not is_blank(text_of(part.text))
        assert to.measure(part.text) <= (within.caption_length if part.files else within.text_length)
        assert len(part.files) <= within.attachments_per_message
        assert (part.sender is not None) == to.capabilities.native(Feature.SENDER_NAME)
        assert all(file.size_bytes <= within.upload_bytes for file in part.files)
    everything = "".join(to_plain(part.text) for part in made.parts)
    sent = [file.name for part in made.parts for file in part.files]
    lines = sum(everything.count(f" - {problem}") for problem in ("too large for", "Telegram takes no"))
    assert len(sent) + lines == len(content.attachments)


@given(CONTENTS, TARGETS, st.lists(st.booleans(), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_edit_fits_its_copies(content: Content, to: Target, existing: list[bool]) -> None:
    made = re_rendered(content, existing, to)
    within = to.capabilities.limits
    assert len(made.parts) >= len(existing)
    for number, part in enumerate(made.parts):
        assert not part.files
        assert part.has_files == (existing[number] if number < len(existing) else False)
        limit = within.caption_length if part.has_files else within.text_length
        assert to.measure(part.text) <= min(limit, within.edit_length or limit)
        assert not (part.surplus and (part.has_files or part.text))
    assert any(part.text or part.has_files for part in made.parts)


@given(CONTENTS, TARGETS)
@settings(max_examples=150, deadline=None)
def test_an_edit_that_changes_nothing_changes_no_copy(content: Content, to: Target) -> None:
    to = replace(to, capabilities=msgspec.structs.replace(to.capabilities, limits=without_edit_limit(to)))
    first = rendered(content, to)
    again = re_rendered(content, [bool(part.files) for part in first.parts], to)
    assert len(again.parts) == len(first.parts)
    for before, after in zip(first.parts, again.parts, strict=True):
        assert not after.surplus
        assert after.unchanged or after.text == before.text


def without_edit_limit(to: Target) -> Limits:
    return msgspec.structs.replace(to.capabilities.limits, edit_length=None)


@given(rich_texts)
@settings(max_examples=100, deadline=None)
def test_no_word_of_a_text_is_lost(rich: RichText) -> None:
    for caps in (NATIVE, BARE):
        made = rendered(Content(text=rich), target(caps), people=People())
        carried = iter("".join(to_plain(part.text) for part in made.parts))
        visible = [character for character in inked(text_of(rich)) if character.isprintable() and not is_blank(character)]
        assert all(character in carried for character in visible)


def test_capabilities_may_change_between_two_messages() -> None:
    """A guild's upload limit is known only once connected: the target is read anew each time."""
    given_file = attachment("a.bin", size_bytes=20 * MEGA)
    content = Content(attachments=(given_file,))
    small: Capabilities = capabilities(within=limits(upload_bytes=10 * MEGA))
    assert "too large" in only_text(rendered(content, target(small)))
    assert shapes(rendered(content, target(NATIVE))) == [("", ["a.bin"])]
