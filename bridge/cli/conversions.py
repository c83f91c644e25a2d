"""What `check` says of the conversion of files: what is missing for it, and what the processes that do it can reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.model import Config


def said_of_conversions(config: Config) -> Iterator[str]:
    """Lines; none if nothing is to be converted."""
    from bridge.files.guards import probed
    from bridge.files.media_packages import installed_packages, missing_packages

    if not config.media.convert:
        return
    if missing := missing_packages():
        yield (
            f"note: without {', '.join(missing)} stickers, animations and voice messages cross as they are; "
            "pip install 'messenger-bridge[media]' converts them, media.convert: off silences this line"
        )
    if installed_packages():
        guards = probed()
        yield ("" if guards.are_whole else "note: ") + guards.in_words()
