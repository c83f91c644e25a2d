"""What a message or an event can have, and how each platform sends it: one sample of each. Data.

A sample is a payload for the wire, or the reason why there is none. `native` says what a reader of a copy must see for it to be the
target's own: a pattern of its HTML, or the kind of its file. Anything else that is seen is a conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.common.emulation.contract import SeenMessage
from bridge.model.capabilities import Feature as Ability
from tests.flows.world import World

Json = dict[str, Any]
Sample = Json | list[Json] | str

NO = "{} has no such thing"
UNKNOWN = "not in the published description of its interface"


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    telegram: Sample
    slack: Sample
    discord: Sample
    teamspirit: Sample
    html: str = ""
    """Native where the copy's HTML matches."""
    file: tuple[str, ...] = ()
    """Native where the copy has a file shown as one of these kinds."""
    count: int = 0
    """Native where one message of the copy has so many files, or so many messages of one album have one each."""
    text: str = ""
    """Native where the copy's text matches, in whatever form."""
    told: Callable[[World, str, Sequence[SeenMessage]], bool] | None = None
    """Native where the target's server was told this of the copy."""
    plain_is: str = ""
    """What it is where the copy shows nothing of it, which then is no loss: a cell."""
    changes_chat: bool = False
    """Whether what was said before would be read otherwise behind it: all that must have arrived."""
    how: str = ""
    """The conversion in words; an example is shown beside it."""
    ability: Ability | None = None
    """What the target's capabilities call it: their note tells the conversion in words."""

    def sample(self, origin: str) -> Sample:
        found: Sample = getattr(self, origin)
        return found
