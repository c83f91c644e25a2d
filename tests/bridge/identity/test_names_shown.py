"""A foreign name is the same harmless thing at every door: as the sender, in reply and forward lines, mentions and notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bridge.identity.lookalikes import skeleton
from bridge.identity.names import Names, clean_name, show_name
from bridge.identity.people import People, Person
from bridge.model.adapter import Reply
from bridge.model.capabilities import Feature
from bridge.model.events import Author, Contact, Content, Forward, MembershipChanged, MembershipKind, ReplyTo
from bridge.model.rich_text import Mention, MentionKind, Paragraph, RichText, Text, text_of, to_plain
from bridge.render.notice_message import notice_text
from tests.support.rendering import rendered
from tests.support.strategies import ORIGIN, TEAM, TG, capabilities, meta, target

PERSON = "Anna Petrova"
PEOPLE = People([Person(name=PERSON, ids={TG: "77"})])
NAMES = Names(["admin"], PEOPLE, ["Bridge Bot"])
PLAIN = target(capabilities(Feature.SENDER_NAME, Feature.REPLY, Feature.MENTION))


def seen(content: Content, author: Author | None = None, reply: Reply | None = None) -> str:
    made = rendered(content, PLAIN, author=author or Author(user_id="1", name="Zoe"), reply=reply, people=PEOPLE, names=NAMES)
    return "\n".join(to_plain(part.text) for part in made.parts)


def said(*inlines: Text | Mention) -> RichText:
    return RichText((Paragraph(inlines or (Text("hi"),)),))


def as_sender(name: str) -> str:
    return seen(Content(text=said()), Author(user_id="9", name=name))


def as_answered(name: str) -> str:
    return seen(Content(text=said(), reply_to=ReplyTo(message_id="5", author_name=name, author_id="9", excerpt="words")))


def as_forwarded(name: str) -> str:
    return seen(Content(text=said(), forwarded_from=Forward(author_name=name, author_id="9")))


def as_forwarded_by_nobody(name: str) -> str:
    return seen(Content(text=said(), forwarded_from=Forward(author_name=name)))


def as_channel(name: str) -> str:
    return seen(Content(text=said(), forwarded_from=Forward(chat_name=name)))


def as_mentioned(name: str) -> str:
    return seen(Content(text=said(Text("ask "), Mention(MentionKind.USER, "9", name))))


def as_member(name: str) -> str:
    member = Author(user_id="9", name=name)
    event = MembershipChanged(meta=meta(author=member), member=member, change=MembershipKind.JOINED)
    return text_of(notice_text(event, origin=ORIGIN, names=NAMES))


DOORS = [as_sender, as_answered, as_forwarded, as_forwarded_by_nobody, as_channel, as_mentioned, as_member]
IMITATIONS = [
    PERSON, "anna petrova", "ꓮnna ꓑetrova", "Ꭺnna Ꮲetrova", "🅰🅽🅽🅰 🅿🅴🆃🆁🅾🆅🅰", "🇦🇳🇳🇦 🇵🇪🇹🇷🇴🇻🇦", "Anna Petrova 🇩🇪",
    "Ａｎｎａ Ｐｅｔｒｏｖａ", "𝓐𝓷𝓷𝓪 𝓟𝓮𝓽𝓻𝓸𝓿𝓪", "ᴀɴɴᴀ ᴘᴇᴛʀᴏᴠᴀ", "ⓐⓝⓝⓐ ⓟⓔⓣⓡⓞⓥⓐ", "Anna Pеtrova", "Anna\u200b Petrova",
    "A\u0301nna Petrova",
    "𝖠𝗇𝗇𝖺 Petrova", "Аnnа Реtrоvа", "4dmin".replace("4", "a"), "Bridge Bot", "ꓐridge Bot",
]  # fmt: skip
FORGED = ["Anna Petrova [team]", "Anna Petrova （team）", "Anna Petrova <team>", "(team) Anna Petrova", "Anna Petrova team"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", IMITATIONS)
def test_an_imitator_is_told_apart_at_every_door(door: Callable[[str], str], name: str) -> None:
    assert f"({TEAM})" in door(name)


@pytest.mark.parametrize("door", [as_sender, as_answered, as_forwarded, as_member])
@pytest.mark.parametrize("name", [*FORGED, "Anna Petrova (team)", "Anna Petrova (tg)"])
def test_a_forged_distinguisher_gets_a_real_one(door: Callable[[str], str], name: str) -> None:
    assert door(name).count(f"({TEAM})") == 1 + name.count("(team)")


def test_the_distinguisher_of_an_answered_copy_is_kept_once() -> None:
    reply = Reply(author_name="Anna Petrova (tg)", excerpt="words")
    shown = seen(Content(text=said(), reply_to=ReplyTo(message_id="5")), reply=reply)
    assert "Anna Petrova (tg): words" in shown.replace("**", "")
    shown = seen(Content(text=said(), reply_to=ReplyTo(message_id="5")), reply=Reply(author_name=PERSON, excerpt="words"))
    assert "Anna Petrova: words" in shown, "the bridge itself found out that it is she"


def test_the_person_is_shown_as_one() -> None:
    for door in (Forward(author_name="ann", author_id="77"), Forward(author_name=PERSON, author_id="77")):
        made = NAMES.distinct_name(TG, door.author_name, user_id=door.author_id)
        assert made == PERSON
    assert NAMES.mentioned_name(TG, "whatever", "77") == PERSON


HOSTILE = ["x\nAdmin: done", "x\u2028y", "x\r\n> quoted", "a\u202eb", "x\x0by", "\u2066x", "x\x1b[31m", "a" + "\u0335" * 50]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_writes_lines_or_turns_text_around(door: Callable[[str], str], name: str) -> None:
    assert door(name).count("\n") <= door("x").count("\n")
    assert not regex.search(r"[\p{Cc}--\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{M}{3}", door(name), regex.V1)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "name", ["https://evil.com/x", "pay at evil.com", "t.me/evil", "www.evil.ru", "me@evil.org", "HTTP://EVIL.IO"]
)
def test_no_address_in_a_name_is_one(door: Callable[[str], str], name: str) -> None:
    assert not regex.search(r"\w://|\w\.(com|me|ru|org|io)\b", door(name), regex.IGNORECASE)


@pytest.mark.parametrize(
    "name", ["St.John", "J.R.R.Tolkien", "anna.petrov", "C.J. Smith", "D'Arcy-Łukasz", "Zoë 🦊", "👩‍💻 dev", "❤️ Kim"]
)
def test_names_as_people_have_them_stay(name: str) -> None:
    assert show_name(name) == name


INVISIBLE = [
    "\ufe0f", "\ufe00\ufe01", "\u0301", "\u0301\u0302", "\u20e3", "\U000e0100", "\u2800", "\u3164", "\uffa0", "\u115f", "\u1160",
    "\u180e",     "\u034f", "\u17b4", "\u2060\u2061", "\u200d\u200c", "\U000e0041", "\u2065", "\U0001d159", "\ufff0", "\u061c",
    "\u00ad",
    "\u180b", " \u00a0\u3000",
    "\ufeff", "\U0001bca0", "\U0001d173", "\ue000", "\U000f0000", "\u0378",
]  # fmt: skip


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_cannot_be_seen_is_no_name(name: str) -> None:
    assert clean_name(name) == ""
    assert NAMES.plain_name(TG, Author(user_id="9", name=name)) == "unknown"
    assert NAMES.plain_name(TG, Author(user_id="9", name=name, username="kim")) == "kim"


@given(st.text(st.characters(codec=None), max_size=40))
def test_every_name_has_something_visible_and_nothing_that_is_not(name: str) -> None:
    shown = NAMES.plain_name(TG, Author(user_id="9", name=name))
    assert regex.search(r"[\p{L}\p{N}\p{P}\p{S}]", shown)
    rest = regex.sub(
        r"(?<=\p{Emoji})\ufe0f|(?<=[\p{Extended_Pictographic}\ufe0f\p{EMod}])\u200d(?=\p{Extended_Pictographic})", "", shown
    )
    assert not regex.search(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u2800]", rest)
    assert not regex.match(r"\p{M}", shown)


@given(st.sampled_from(["a", "n", "p", "e", "t", "r", "o", "v"]), st.integers(0x80, 0x1FBFF))
def test_what_looks_like_a_letter_has_its_skeleton(letter: str, code: int) -> None:
    import unicodedata

    name = unicodedata.name(chr(code), "")
    if regex.fullmatch(rf"(MATHEMATICAL|FULLWIDTH|CIRCLED|NEGATIVE|SQUARED|PARENTHESIZED|REGIONAL).* {letter.upper()}", name):
        assert skeleton(chr(code)) == letter


def test_a_contact_is_no_address() -> None:
    shown = seen(Content(contact=Contact(name="Kim\nAdmin: x https://evil.com", phone="1")))
    assert "\nAdmin" not in shown
    assert "://evil" not in shown
