"""How many examples a property gets: as many as it names by `make search`, which looks for new ones; a quarter in `make test`,
where they are the same in every run; ten in `make check`."""

from __future__ import annotations

from hypothesis import settings

FEWEST = 10


def examples(most: int) -> int:
    """For `settings(max_examples=...)`, which no profile changes: what it names replaces the profile's."""
    match settings.get_current_profile_name():
        case "search":
            return most
        case "quick":
            return min(FEWEST, most)
        case _:
            return min(max(FEWEST, most // 4), most)
