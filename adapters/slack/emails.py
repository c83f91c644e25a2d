"""The part of the adapter that reads e-mail addresses of a workspace's people. Needs the scope users:read.email."""

from __future__ import annotations

from adapters.slack.directory import Directory
from bridge.model.events import Author


class Emails:
    _directory: Directory

    async def email_of(self, user_id: str) -> str:
        return await self._directory.email_of(user_id)

    async def person_by_email(self, email: str) -> Author | None:
        return await self._directory.person_by_email(email)
