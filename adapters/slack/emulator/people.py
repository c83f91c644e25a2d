"""People of the emulated workspace, and what Slack's clients let them do: post, edit, delete, react, join. Called by `server`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.abilities import Member
from adapters.common.emulation.contract import Upload
from adapters.slack.emulator import composer, emoji
from adapters.slack.emulator.blobs import Blob
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.files import kind_of, make_file
from adapters.slack.emulator.records import Channel, Json, Message, SlackFile
from adapters.slack.emulator.world import Workspace


class People:
    """Acts as people. A person exists as soon as somebody acts under the name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def person(self, name: str) -> str:
        """The id of the person of that name."""
        return self._workspace.add_user(name).user_id

    def say(
        self, channel: Channel, person: str, text: str, *, reply_to: str = "", thread_id: str = "", files: Sequence[Upload] = ()
    ) -> str:
        """Post text, files, or both; returns the message's `ts`."""
        user = self.person(person)
        channel.members.add(user)
        blocks, mrkdwn = self._compose(text) if text else (None, "")
        message = Message(channel.channel_id, self._workspace.clock.next(), user, mrkdwn, blocks=blocks)
        message.client_msg_id = f"00000000-0000-4000-8000-{len(channel.messages):012x}"
        message.thread_ts = _thread_of(channel, thread_id or reply_to)
        if files:
            message.subtype = "file_share"
            message.files = [self._upload(upload, user) for upload in files]
        self._workspace.post(message)
        return message.ts

    def _compose(self, text: str) -> tuple[list[Json], str]:
        return composer.compose(text, user_id=self._workspace.user_id, channel_id=self._workspace.channel_id)

    def _upload(self, upload: Upload, user: str) -> SlackFile:
        content = Blob.of(upload.content)
        file = make_file(self._workspace, upload.name, upload.mime, content, owner=user, size_bytes=content.size_bytes)
        if upload.kind in ("voice", "video_note"):
            file.subtype, file.duration_ms = ("slack_audio" if upload.kind == "voice" else "slack_video"), 1000
        file.kind = kind_of(upload.mime, file.subtype)
        file.alt_text = upload.alt_text
        return file

    def edit(self, message: Message, text: str) -> None:
        blocks, mrkdwn = self._compose(text)
        self._workspace.change(message, by=message.user, text=mrkdwn, blocks=blocks)

    def react(self, message: Message, person: str, character: str, *, remove: bool) -> None:
        """Set or remove a reaction. Raises ApiError for what Slack's clients do not offer."""
        user = self.person(person)
        name = emoji.name_of(character) or character.strip(":")
        if not self._workspace.resolve_emoji(name):
            raise ApiError("invalid_name")
        if (user in message.reactions.get(name, ())) is not remove:
            raise ApiError("no_reaction" if remove else "already_reacted")
        self._workspace.react(message, user, name, remove=remove)

    def pin(self, message: Message, person: str, *, remove: bool) -> None:
        """Pin a message, or take the pin away. What is done already changes nothing."""
        if message.pinned is remove:
            self._workspace.pin(message, self.person(person), pinned=not remove)

    def members(self) -> Sequence[Member]:
        """Whom the composer offers behind an @. It knows people by their names."""
        people = [user for user in self._workspace.users.values() if not user.is_bot]
        return [Member(name=user.display_name, mention=f"@{user.name}") for user in people]


def _thread_of(channel: Channel, ts: str) -> str:
    """Slack's only reply is the thread: a reply to a reply goes to the same thread."""
    if not ts:
        return ""
    target = channel.messages[ts]
    return target.thread_ts or target.ts
