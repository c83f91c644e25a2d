"""The probe: what is missing, and what to click."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator


async def test_probe_says_what_to_click(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    items = await adapter.probe([chat])
    assert all(item.ok for item in items)
    emulator.workspace.scopes.discard("files:read")
    emulator.remove_bot(chat)
    broken = {item.name: item for item in await adapter.probe([chat, "C0NOSUCH01"]) if not item.ok}
    assert set(broken) == {"scope files:read", "#general", "channel C0NOSUCH01"}
    assert all(item.action for item in broken.values())
    assert "files:read" in broken["scope files:read"].action
    wrong = await account.build(bot_token="xoxb-wrong").probe([])
    assert (wrong[0].ok, bool(wrong[0].action)) == (False, True)
    assert not all(item.ok for item in await account.build(app_token="xapp-wrong").probe([]))


async def test_each_missing_scope_is_named(account: Any, emulator: SlackEmulator) -> None:
    missing = {"files:write", "reactions:read", "chat:write.customize"}
    emulator.workspace.scopes -= missing | {"usergroups:read"}
    adapter = account.build()
    broken = [item for item in await adapter.probe([]) if not item.ok]
    assert {item.name for item in broken} == {f"scope {scope}" for scope in missing}
    for attribute in ("detail", "action"):
        lines = [getattr(item, attribute) for item in broken]
        assert len(set(lines)) == 3
        assert all(any(scope in line for line in lines) for scope in missing)
    useful = next(item for item in await adapter.probe([]) if item.name == "scope usergroups:read")
    assert "usergroups:read" in useful.detail
    # nobody wants the authors' names there
    plain_adapter = account.build(personas=False)
    assert "scope chat:write.customize" not in {item.name for item in await plain_adapter.probe([]) if not item.ok}


async def test_a_check_without_a_network_blames_nothing(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.refuse_connections(True)
    items = await adapter.probe([chat])
    await emulator.refuse_connections(False)
    assert [(item.ok, item.temporary, item.action) for item in items] == [(False, True, "")]
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="conversations.info", times=1))
    assert [(item.name, item.temporary) for item in await adapter.probe([chat]) if not item.ok] == [(f"channel {chat}", True)]
