"""What the server refuses: lengths, numbers and sizes, kinds of files. Settings that may be changed at any time; no state."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.teamspirit.emulator.errors import PROXY_413, Refused, RefusedByProxy

TYPING_S = 5.0
"""How long the stand-in's client shows that somebody types. The vendor states no time."""


@dataclass(slots=True)
class Rules:
    max_text_chars: int = 4000
    max_files_per_message: int = 10
    max_file_bytes: int = 100 * 1024**2
    proxy_bytes: int | None = None
    """The limit of a proxy before the server, if there is one: a larger body gets the proxy's page and never reaches the server."""
    takes_files: bool = True
    takes_empty_files: bool = True
    refused_types: frozenset[str] = frozenset()
    """Endings of file names, in lower case."""
    chats_page_size: int = 100
    statuses_without_chat: bool = False
    """Whether a person's status is told once, naming no chat."""

    def check_text(self, text: str) -> None:
        if len(text) > self.max_text_chars:
            raise Refused(400, "text_too_long", f"a text may have {self.max_text_chars} characters")

    def check_file_count(self, count: int) -> None:
        if count > self.max_files_per_message:
            raise Refused(400, "too_many_files", f"a message may have {self.max_files_per_message} files")

    def check_file_name(self, name: str) -> None:
        """Before the file itself is read."""
        if not self.takes_files:
            raise Refused(501, "files_disabled", "file attachments have been disabled on this server")
        if name.rpartition(".")[2].lower() in self.refused_types:
            raise Refused(400, "file_type_refused", "files of this type are not allowed")

    def check_file_size(self, size_bytes: int) -> None:
        if not size_bytes and not self.takes_empty_files:
            raise Refused(400, "file_empty", "the file is empty")

    @property
    def upload_bytes(self) -> int:
        """The largest file that is accepted."""
        return min(self.max_file_bytes, self.proxy_bytes or self.max_file_bytes)

    def too_large(self) -> Refused:
        """The refusal of a file over `upload_bytes`."""
        if self.proxy_bytes is not None and self.proxy_bytes <= self.max_file_bytes:
            return RefusedByProxy(413, "too_large", PROXY_413)
        return Refused(413, "file_too_large", f"a file may have {self.max_file_bytes} bytes")
