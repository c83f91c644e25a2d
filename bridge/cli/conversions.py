"""What `check` says of the conversion of files: what is missing for it, and what the processes that do it can reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.files.guards import Guards


@dataclass(frozen=True, slots=True)
class Conversions:
    """`missing`: Python packages. `guards`: of the processes; None: there is nothing that could convert."""

    missing: tuple[str, ...]
    guards: Guards | None

    def lines(self) -> Iterator[str]:
        if self.missing:
            yield (
                f"note: without {', '.join(self.missing)} stickers, animations and voice messages cross as they are; "
                "pip install 'messenger-bridge[media]' converts them, media.convert: off silences this line"
            )
        if self.guards is not None:
            yield ("" if self.guards.are_whole else "note: ") + self.guards.in_words()

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        guards = self.guards
        if guards is None:
            return {"missing_packages": list(self.missing)}
        told = {"whole": guards.are_whole, "network": list(guards.network), "files": list(guards.files)}
        return {"missing_packages": list(self.missing), "guards": {**told, "not_in_force": dict(guards.missing)}}


def conversions_of(config: Config) -> Conversions | None:
    """None: nothing is to be converted. Starts a process as one for a conversion is started, and asks it."""
    from bridge.files.guards import probed
    from bridge.files.media_packages import installed_packages, missing_packages

    if not config.media.convert:
        return None
    return Conversions(tuple(missing_packages()), probed() if installed_packages() else None)
