"""Why a chat is not well, as the running daemon says it: of that chat, and of none whose name begins like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.refs import AccountName, ChatAddress
from bridge.tracing.conditions import Conditions


def end(name: str, chat: str, status: str, reason: str) -> dict[str, str]:
    return {"end": name, "chat": chat, "status": status, "reason": reason, "action": ""}


def of(conditions: Conditions, account: str, address: str) -> str:
    return conditions.of(ChatAddress(AccountName(account), address))[0]


def test_a_chat_is_not_taken_for_one_whose_name_begins_like_its_own() -> None:
    def ask() -> Mapping[str, Any]:
        ends = [
            end("spirit/room/7", "spirit/room/7", "fail", "gone"),
            end("team2/#ops", "team2/#ops", "fail", "not invited"),
            end("tg/-100/45", "tg/-100", "warn", "slow"),
        ]
        return {"routes": {"list": [{"ends": ends}]}}

    conditions = Conditions(ask)
    assert of(conditions, "spirit", "room") == "", "its name begins the other one's"
    assert of(conditions, "spirit", "room/7") == "gone"
    assert of(conditions, "team", "#ops") == ""
    assert of(conditions, "tg", "-100") == "slow", "told of the chat by the end that is a thread of it"
