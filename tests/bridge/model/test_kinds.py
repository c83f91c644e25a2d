"""The traits of each kind of event: complete, and the only place that says them."""

from __future__ import annotations

import msgspec
import pytest

from bridge.model.events import KINDS, MessageChange
from bridge.policy.routing import Reactions, RelayOptions, Renames


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_says_its_traits_itself(kind: type) -> None:
    assert "traits" in vars(kind)
    traits = kind.traits  # type: ignore[attr-defined]
    assert (traits.switch is None) == (traits.off is None)
    assert traits.switch is None or isinstance(getattr(RelayOptions(), traits.switch), bool | Reactions | Renames)
    assert traits.title


def test_each_switch_has_its_own_rule_and_is_of_one_kind() -> None:
    switched = [kind.traits for kind in KINDS if kind.traits.switch is not None]
    assert len({traits.switch for traits in switched}) == len({traits.off for traits in switched}) == len(switched)


def test_changes_of_a_message_name_it() -> None:
    changes = [kind for kind in KINDS if issubclass(kind, MessageChange)]
    named = [kind for kind in KINDS if any(field.name == "message_id" for field in msgspec.structs.fields(kind))]
    assert changes == [kind for kind in named if kind.__name__ != "MessageCreated"]
