"""Emulated methods that return e-mail addresses. Source: docs.slack.dev, users.lookupByEmail."""

from __future__ import annotations

from adapters.slack.emulator.arguments import Arguments
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Json
from adapters.slack.emulator.wire import user_wire
from adapters.slack.emulator.world import Workspace


async def users_lookup_by_email(workspace: Workspace, arguments: Arguments) -> Json:
    email = arguments.required("email").casefold()
    user = next((one for one in workspace.users.values() if one.email.casefold() == email and not one.deleted), None)
    if user is None:
        raise ApiError("users_not_found")
    return {"user": user_wire(user, workspace)}
