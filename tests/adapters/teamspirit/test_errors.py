"""Refusals of changes: what each says of the message, the chat or the bot."""

from __future__ import annotations

import pytest

from adapters.common.http_errors import Effect
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.errors import Gone, refusal
from bridge.model.errors import ChangeRefused, ChatDown, Rejected, RightMissing


@pytest.mark.parametrize(
    ("dialect", "operation", "status", "code", "error"),
    [
        ("teamspirit", "edit", 403, "forbidden", RightMissing),
        ("teamspirit", "delete", 403, "", RightMissing),
        ("teamspirit", "edit", 404, "message_not_found", Gone),
        ("teamspirit", "delete", 403, "not_a_member", ChatDown),
        ("teamspirit", "edit", 422, "too_long", Rejected),
        ("teamspirit", "send", 403, "forbidden", ChatDown),
        ("mattermost", "edit", 400, "api.post.update_post.permissions_time_limit.app_error", ChangeRefused),
        ("mattermost", "edit", 400, "api.post.update_post.system_message.app_error", ChangeRefused),
        ("mattermost", "delete", 403, "api.context.permissions.app_error", RightMissing),
        ("mattermost", "send", 403, "api.context.permissions.app_error", ChatDown),
        ("mattermost", "edit", 400, "api.post.update_post.permissions_details.app_error", Gone),
        ("mattermost", "edit", 400, "api.post.patch_post.can_not_update_post_in_deleted.error", ChatDown),
        ("mattermost", "delete", 400, "api.post.delete_post.can_not_delete_post_in_deleted.error", ChatDown),
        ("mattermost", "react", 403, "api.reaction.save.archived_channel.app_error", ChatDown),
        ("mattermost", "react", 404, "app.emoji.get_by_name.no_result", Rejected),
        ("mattermost", "react", 403, "api.emoji.disabled.app_error", Rejected),
        ("mattermost", "react", 404, "app.post.get.app_error", Gone),
        ("mattermost", "send", 400, "model.post.is_valid.message_length.app_error", Rejected),
    ],
)
def test_changes_that_are_refused(dialect: str, operation: str, status: int, code: str, error: type[Exception]) -> None:
    effect = Effect.CREATES if operation == "send" else Effect.IDEMPOTENT
    loaded = load_dialect(dialect).dialect
    assert loaded is not None
    answer = {"error": {"code": code}, "id": code}
    assert type(refusal(loaded, operation, effect, status, {}, answer)) is error


def test_a_secret_that_the_end_of_a_long_message_would_cut_is_hidden() -> None:
    loaded = load_dialect("mattermost").dialect
    assert loaded is not None
    answer = {"id": "of-its-own", "message": "x" * 185 + " hook-id-0123456789"}
    error = refusal(loaded, "webhook_send", Effect.CREATES, 400, {}, answer, hidden=("hook-id-0123456789",))
    assert "hook" not in error.reason.removeprefix("webhook_send")
    assert error.reason.endswith("***")
