"""What an account can do follows from its dialect: each operation that is there, and nothing that is not."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teamspirit.capabilities import can_reconcile, capabilities_of, takes_files
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.dialect.model import Dialect
from bridge.model.capabilities import UNLIMITED, Capabilities, Feature, Support

OPTIONS = TeamSpiritOptions.model_validate({})


def dialect_of(name: str = "teamspirit", **overrides: Any) -> Dialect:
    loaded = load_dialect(name, overrides or None)
    assert loaded.dialect is not None, loaded.faults
    return loaded.dialect


def able(dialect: Dialect) -> Capabilities:
    return capabilities_of(dialect, OPTIONS)


@pytest.mark.parametrize(
    ("operation", "feature"),
    [("edit", Feature.EDIT), ("delete", Feature.DELETE), ("history", Feature.HISTORY), ("set_status", Feature.STATUS)],
)
def test_an_ability_is_there_exactly_with_its_operation(operation: str, feature: Feature) -> None:
    assert able(dialect_of()).native(feature)
    assert able(dialect_of(operations={operation: None})).level(feature) is Support.DROPPED


def test_without_uploads_files_are_lines_and_none_can_be_sent() -> None:
    whole, without = dialect_of(), dialect_of(operations={"upload": None})
    assert takes_files(whole)
    assert able(whole).limits.upload_bytes > 0
    assert not takes_files(without)
    assert able(without).limits.upload_bytes == 0
    assert able(without).level(Feature.PHOTO) is Support.CONVERTED


def test_a_message_of_unknown_outcome_is_found_by_the_mark_it_was_written_with() -> None:
    assert can_reconcile(dialect_of())
    assert able(dialect_of()).native(Feature.RECONCILE)
    assert not can_reconcile(dialect_of(message_fields={"client_id": None}))
    assert not can_reconcile(dialect_of(operations={"history": None}))


def test_marks_are_those_of_the_flavour() -> None:
    assert able(dialect_of(text={"flavour": "plain"})).level(Feature.BOLD) is Support.DROPPED
    assert able(dialect_of(text={"flavour": "markdown"})).level(Feature.UNDERLINE) is Support.DROPPED
    assert able(dialect_of(text={"flavour": "html"})).native(Feature.UNDERLINE)


def test_a_documented_rate_is_kept_and_none_is_invented() -> None:
    (window,) = able(dialect_of("pachca")).rates.per_chat
    assert (window.messages, window.span_s, window.burst) == (200, 60.0, 50)
    assert able(dialect_of(limits={"messages_per_minute": None})).rates == UNLIMITED


@pytest.mark.parametrize(("said", "native"), [(None, True), (True, True), (False, False)])
def test_names_are_senders_where_the_dialect_can_unless_the_admin_says_otherwise(said: bool | None, native: bool) -> None:
    options = TeamSpiritOptions.model_validate({"sender_names": said})
    for name in ("teamspirit", "pachca", "rocketchat"):
        found = capabilities_of(dialect_of(name), options)
        assert [found.native(one) for one in (Feature.SENDER_NAME, Feature.SENDER_AVATAR)] == [native] * 2
    assert not capabilities_of(dialect_of("mattermost"), options).native(Feature.SENDER_NAME)
