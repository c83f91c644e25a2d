"""Content of a message by the dialect's fields: news are nobody's words, and who comes or goes has a name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from adapters.teamspirit.dialect.events import Fields
from adapters.teamspirit.inbound.decode_content import ContentDecoder, member_of
from bridge.model.rich_text import Mark, Paragraph, RichText, Text

DIALECT: Any = SimpleNamespace(flavour="plain", mention="@", chat_mention=None, emoji_names=False, tables=False, mass_mentions=())
FIELDS = Fields(message_id="id", user_id="user", text="text", news="is_news", member_id="member", member_name="member_name")


def said(**item: Any) -> RichText:
    decoder = ContentDecoder(DIALECT, "", None)
    return decoder.message({"id": "m1", "user": "u1", **item}, FIELDS, "c1", None).content.text


def test_news_are_in_italics() -> None:
    assert said(text="kim archived it", is_news=True).blocks == (Paragraph((Text("kim archived it", int(Mark.ITALIC)),)),)
    for no in (False, None, "false", "0", ""):
        assert said(text="kim archived it", is_news=no).blocks == (Paragraph((Text("kim archived it"),)),)


def test_a_member_whom_the_server_names_by_id_alone_has_no_name_yet() -> None:
    named = member_of({"member": "u2", "member_name": "Anna"}, FIELDS)
    assert named is not None
    assert (named.user_id, named.name) == ("u2", "Anna")
    unnamed = member_of({"member": "u2"}, FIELDS)
    assert unnamed is not None
    assert (unnamed.user_id, unnamed.name) == ("u2", "")
    assert member_of({}, FIELDS) is None
