"""What the running daemon says about the ends of routes now, for commands that read the journal: the journal knows what became of a
message, the daemon knows how a chat is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.model.refs import ChatAddress

Ask = Callable[[], Mapping[str, Any]]
"""The daemon's `/status`. Raises NotAsked."""


class NotAsked(Exception):
    """Nobody answers. As text: why, and what to do."""


class Conditions:
    """Asks once, and only when something is wanted."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._chats: Mapping[str, tuple[str, str]] | None = None
        self._whole: list[str] = []
        self._fault = ""

    def of(self, address: ChatAddress) -> tuple[str, str]:
        """Why that chat is not well, and what to do; nothing of one that is well, or of which the daemon says nothing."""
        return self._known().get(str(address), ("", ""))

    @property
    def whole(self) -> list[str]:
        """What is wrong with the bridge itself, so that it may accept nothing: its journal, its disks."""
        self._known()
        return self._whole

    @property
    def fault(self) -> str:
        """Why the daemon cannot be asked; empty if it was."""
        self._known()
        return self._fault

    def _known(self) -> Mapping[str, tuple[str, str]]:
        if self._chats is None:
            try:
                status = self._ask()
                self._chats, self._whole = dict(_chats(status)), list(_whole(status))
            except NotAsked as error:
                self._chats, self._fault = {}, str(error)
        return self._chats


def nobody() -> Mapping[str, Any]:
    raise NotAsked("no daemon was asked")


def _chats(status: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """By address. An end's own name does not tell it: a slash in it leads to a thread, or is part of the address."""
    for route in status.get("routes", {}).get("list", ()):
        for end in route["ends"]:
            if end["status"] != "pass":
                yield end.get("chat", end["end"]), (end["reason"], end["action"])


def _whole(status: Mapping[str, Any]) -> Iterator[str]:
    if error := status.get("journal", {}).get("error"):
        yield f"the journal: {error}"
    for name, disk in status.get("disks", status.get("disk", {})).items():
        if disk["status"] != "pass":
            yield f"the disk of the {name}: {disk['reason']} - {disk['action']}"
