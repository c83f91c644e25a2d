"""What holds for every message and every target."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.delivery.copies import carried_by, held_by
from bridge.identity.people import People
from bridge.model.adapter import Reply
from bridge.model.capabilities import Capabilities, Feature, Limits, Support
from bridge.model.characters import is_blank
from bridge.model.events import (
    AttachmentKind,
    Author,
    Contact,
    Content,
    Forward,
    Location,
    Poll,
    PollOption,
    ReplyTo,
)
from bridge.model.rich_text import RichText, text_of, to_plain
from bridge.render.message import Target
from bridge.render.parts import Held
from tests.support.budget import examples
from tests.support.rendering import (
    BARE,
    NATIVE,
    only_text,
    re_rendered,
    rendered,
    shapes,
)
from tests.support.strategies import (
    FILE_KINDS,
    MEGA,
    TEXT_FEATURES,
    attachment,
    capabilities,
    inked,
    limits,
    rich_texts,
    target,
)

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
    contact=st.none() | st.just(Contact(name="Ivan")),
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
    st.sets(st.sampled_from([*TEXT_FEATURES, *FILE_KINDS, Feature.SENDER_NAME, Feature.REPLY, Feature.LOCATION, Feature.CONTACT])),
    st.sampled_from(Support),
    LIMITS,
)
AUTHORS = st.none() | st.builds(Author, user_id=st.just("U1"), name=st.text(max_size=100))


@given(CONTENTS, TARGETS, AUTHORS, st.none() | st.just(Reply(message_id="9")))
@settings(max_examples=examples(150), deadline=None)
def test_every_message_has_a_form_within_the_limits_and_no_file_vanishes(
    content: Content, to: Target, author: Author | None, reply: Reply | None
) -> None:
    assume(not any(mark in repr((content, author)) for mark in "📍👤"))  # the lines of places and contacts are counted by these
    made = rendered(content, to, author=author, reply=reply, people=People())
    assert made.parts
    within = to.capabilities.limits
    for part in made.parts:
        assert part.files or part.location or part.contact or not is_blank(text_of(part.text))
        assert to.measure(part.text) <= (within.caption_length if part.files else within.text_length)
        assert len(part.files) <= within.attachments_per_message
        assert (part.sender is not None) == to.capabilities.native(Feature.SENDER_NAME)
        assert all(file.size_bytes <= within.upload_bytes for file in part.files)
    everything = "".join(to_plain(part.text) for part in made.parts)
    for native, original, line in (
        ([part.location for part in made.parts], content.location, "📍"),
        ([part.contact for part in made.parts], content.contact, "👤"),
    ):
        shown = sum(one is not None for one in native) + everything.count(line)
        assert shown == (original is not None), "once, and in one form"
        assert native[0] == original or not any(native)
    sent = [file.name for part in made.parts for file in part.files]
    lines = sum(everything.count(f" - {problem}") for problem in ("too large for", "Telegram takes no"))
    assert len(sent) + lines == len(content.attachments)


@given(CONTENTS, TARGETS, st.lists(st.sampled_from(Held), min_size=1, max_size=4))
@settings(max_examples=examples(150), deadline=None)
def test_every_edit_fits_its_copies(content: Content, to: Target, existing: list[Held]) -> None:
    made = re_rendered(content, existing, to)
    within = to.capabilities.limits
    assert len(made.parts) >= len(existing)
    for number, part in enumerate(made.parts):
        assert not part.files
        assert part.has_files == (number < len(existing) and existing[number] is not Held.WORDS)
        limit = within.caption_length if part.has_files else within.text_length
        assert to.measure(part.text) <= min(limit, within.edit_length or limit)
        assert not (part.surplus and (part.has_files or part.says))
    assert any(part.says or part.has_files for part in made.parts)


@given(CONTENTS, TARGETS)
@settings(max_examples=examples(150), deadline=None)
def test_an_edit_that_changes_nothing_changes_no_copy(content: Content, to: Target) -> None:
    to = replace(to, capabilities=msgspec.structs.replace(to.capabilities, limits=without_edit_limit(to)))
    first = rendered(content, to)
    again = re_rendered(content, [held_by(carried_by(part)) for part in first.parts], to)
    assert len(again.parts) == len(first.parts)
    for before, after in zip(first.parts, again.parts, strict=True):
        assert not after.surplus
        assert after.unchanged or after.text == before.text


def without_edit_limit(to: Target) -> Limits:
    return msgspec.structs.replace(to.capabilities.limits, edit_length=None)


@given(rich_texts)
@settings(max_examples=examples(100), deadline=None)
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
