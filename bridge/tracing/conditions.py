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
        self._ends: Mapping[str, tuple[str, str]] | None = None
        self._whole: list[str] = []
        self._fault = ""

    def of(self, address: ChatAddress) -> tuple[str, str]:
        """Why that end is not well, and what to do; nothing of one that is well, or of which the daemon says nothing."""
        ends = self._known()
        name = str(address)
        return next((found for end, found in ends.items() if end == name or end.startswith(f"{name}/")), ("", ""))

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
        if self._ends is None:
            try:
                status = self._ask()
                self._ends, self._whole = dict(_ends(status)), list(_whole(status))
            except NotAsked as error:
                self._ends, self._fault = {}, str(error)
        return self._ends


def nobody() -> Mapping[str, Any]:
    raise NotAsked("no daemon was asked")


def _ends(status: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for route in status.get("routes", {}).get("list", ()):
        for end in route["ends"]:
            if end["status"] != "pass":
                yield end["end"], (end["reason"], end["action"])


def _whole(status: Mapping[str, Any]) -> Iterator[str]:
    if error := status.get("journal", {}).get("error"):
        yield f"the journal: {error}"
    for name, disk in status.get("disks", status.get("disk", {})).items():
        if disk["status"] != "pass":
            yield f"the disk of the {name}: {disk['reason']} - {disk['action']}"
