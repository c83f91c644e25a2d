"""Names in texts that the server's directory knows become mentions; all others stay words that ping nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, Copy, Edits, Outbound, OutboundEdit
from bridge.model.rich_text import CodeBlock, Mark, Mention, MentionKind, Paragraph, Quote, RichText, Text, plain, text_of
from tests.adapters.teamspirit.harness import make_adapter, options_of
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.adapters.teamspirit.mattermost_server import outbound as to_mattermost

FIND = "GET /users"


@pytest.fixture
async def adapter(emulator: TeamSpiritEmulator) -> AsyncIterator[Adapter]:
    made = make_adapter(options_of(emulator, mentions_by_name=True))
    yield made
    await made.close()


@pytest.fixture
def chat(emulator: TeamSpiritEmulator) -> str:
    made = emulator.add_chat("team").chat_id
    for name, shown, email in (
        ("anna", "Anna Petrova", "anna@corp.example"),
        ("anna.k", "Anna Karenina", ""),
        ("boris", "Борис", "boris@corp.example"),
        ("twin1", "Twin", ""),
        ("twin2", "Twin", ""),
        ("all", "All", ""),
    ):
        user = emulator.world.state.new_user(shown)
        emulator.world.state.user_names.pop(user.name)
        user.name, user.email = name, email
        emulator.world.state.user_names[name] = user.user_id
    return made


async def sent(adapter: Adapter, emulator: TeamSpiritEmulator, chat: str, text: RichText | str, token: str = "mbabcdef-1-0") -> str:
    """The text as it arrived."""
    rich = plain(text) if isinstance(text, str) else text
    await adapter.send(Outbound(token=token, attempt=1, chat_id=chat, text=rich))
    return emulator.world.state.chats[chat].messages[-1].text.replace("\u200b", "|")


@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        ("hi @anna, look", "hi @anna, look"),
        ("@ANNA!", "@anna!"),
        ("ask @Anna Petrova about it", "ask @anna about it"),
        ("ask @anna petrova.", "ask @anna."),
        ("@anna.k: see @anna.", "@anna.k: see @anna."),
        ("@Борис и @boris", "@boris и @boris"),
        ("(@anna)", "(@anna)"),
        ("@anna @nobody @boris", "@anna @|nobody @boris"),
        ("@Twin is two people, @twin1 is one", "@|Twin is two people, @twin1 is one"),
        ("me@anna.org @all @here", "me@|anna.org @|all @|here"),
        ("@all Anna", "@|all Anna"),
        ("@ anna @@anna", "@ anna @@|anna"),
    ],
)
async def test_names_that_the_server_knows(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, written: str, arrives: str
) -> None:
    assert await sent(adapter, emulator, chat, written) == arrives


async def test_only_a_message_s_own_words_mention(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    words = RichText(
        (
            Quote((Paragraph((Text("@anna said"),)),)),
            Paragraph((Text("@anna", Mark.CODE), Text(" "), Text("@anna", 0, "https://e.example/"))),
            CodeBlock("@anna", ""),
        )
    )
    arrived = await sent(adapter, emulator, chat, words)
    assert arrived.count("@anna") == 2, "in code nothing pings"
    assert arrived.count("@|anna") == 2
    assert FIND not in emulator.calls()


async def test_people_of_the_configuration_by_username_mail_or_id(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str
) -> None:
    boris = next(user for user in emulator.world.state.users.values() if user.name == "boris")

    def mention(entry: str) -> RichText:
        return RichText((Paragraph((Mention(MentionKind.USER, entry, "B"), Text(" look"))),))

    for number, entry in enumerate(("boris", "Boris@Corp.example", boris.user_id)):
        assert await sent(adapter, emulator, chat, mention(entry), token=f"mb-{number}") == "@boris look"
    assert await sent(adapter, emulator, chat, mention("gone@corp.example"), token="mb-9") == "@|B look"
    assert await sent(adapter, emulator, chat, mention("unknown"), token="mb-10") == "@unknown look", "as before: it may be hidden"


async def test_an_edit_says_it_the_same_way(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    receipt = await adapter.send(Outbound(token="mb-1", attempt=1, chat_id=chat, text=plain("@Anna Petrova?")))
    assert isinstance(adapter, Edits)
    copy = Copy(chat_id=chat, message_ids=receipt.message_ids)
    await adapter.edit(OutboundEdit(token="mb-2", copy=copy, text=plain("@Anna Petrova!")))
    assert emulator.world.state.chats[chat].messages[-1].text == "@anna!"


async def test_what_was_looked_up_is_remembered_and_a_text_full_of_names_is_bounded(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str
) -> None:
    await sent(adapter, emulator, chat, "@anna", token="mb-1")
    await sent(adapter, emulator, chat, "@anna @nobody", token="mb-2")
    await sent(adapter, emulator, chat, "@anna @nobody", token="mb-3")
    assert list(emulator.calls()).count(FIND) == 2
    arrived = await sent(adapter, emulator, chat, " ".join(f"@name{number}," for number in range(300)) + " @boris", token="mb-4")
    assert list(emulator.calls()).count(FIND) <= 2 + 10
    assert "@|boris" in arrived


@pytest.mark.parametrize("status", [404, 403, 500, 503, 429, 400])
async def test_a_server_that_does_not_look_up_costs_no_message(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, status: int
) -> None:
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=FIND, status=status, times=99))
    assert await sent(adapter, emulator, chat, "@anna and @boris and @carl", token="mb-1") == "@|anna and @|boris and @|carl"
    asked = list(emulator.calls()).count(FIND)
    assert asked == (5 if status == 404 else 1), "one refusal is enough; only a 404 says something of one name"
    await sent(adapter, emulator, chat, "@anna and @boris", token="mb-2")
    assert list(emulator.calls()).count(FIND) == asked


async def test_a_server_that_is_slow_to_look_up_holds_nothing_up(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teamspirit.outbound.mentions._WHOLE_LOOK_UP_S", 0.2)
    hung = asyncio.Event()

    async def hang(**_: Any) -> Any:
        hung.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("adapters.teamspirit.client.Client.find_users", lambda self, **names: hang(**names))
    assert await sent(adapter, emulator, chat, "@anna and @boris", token="mb-1") == "@|anna and @|boris"
    assert hung.is_set()
    hung.clear()
    assert await sent(adapter, emulator, chat, "@anna", token="mb-2") == "@|anna"
    assert not hung.is_set(), "it is left alone for a while"


async def test_it_is_off_unless_asked_for(emulator: TeamSpiritEmulator, chat: str) -> None:
    adapter = make_adapter(options_of(emulator))
    assert await sent(adapter, emulator, chat, "@anna") == "@|anna"
    entry = RichText((Paragraph((Mention(MentionKind.USER, "anna@corp.example", "Anna"),)),))
    assert await sent(adapter, emulator, chat, entry, token="mb-2") == "@anna", "people of bridge.yaml are mentioned all the same"
    await adapter.close()


async def test_a_text_that_would_become_too_long_keeps_its_names(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    user = next(user for user in emulator.world.state.users.values() if user.name == "boris")
    user.name, user.display_name = "b" * 200, "Bo"
    text = "@Bo " + "x" * 3995
    arrived = await sent(adapter, emulator, chat, text)
    assert arrived.startswith("@|Bo ")
    assert len(text_of(plain(text))) == 3999


async def test_mattermost_s_search_tells_more_than_is_meant(server: MattermostServer, channel: str) -> None:
    mattermost = make_adapter(account_options(server, mentions_by_name=True))
    server.add_user("anna", "Anna", "Petrova")
    server.add_user("annabel", "Anna", "Belle")
    for number, (written, arrives) in enumerate(
        {"@Anna Petrova, hi": "@anna, hi", "@annab": "@\u200bannab", "@ANNABEL": "@annabel", "@Anna": "@anna"}.items()
    ):
        await mattermost.send(to_mattermost(channel, written, token=f"mb-{number}"))
        assert list(server.posts.values())[-1]["message"] == arrives
    await mattermost.close()
