"""Files that people send: the body of a form, built whole, since the signature covers all of it. The emulator receives no files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from adapters.common.emulation.contract import Upload


def form_body(fields: Mapping[str, str], files: Sequence[Upload]) -> tuple[bytes, str]:
    """A multipart/form-data body and its content type. Source: RFC 7578, read 2026-11-26."""
    boundary = uuid.uuid4().hex
    pieces: list[bytes] = []
    for name, value in fields.items():
        pieces.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for number, file in enumerate(files):
        quoted = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'Content-Disposition: form-data; name="file{number}"; filename="{quoted}"\r\nContent-Type: {file.mime}'
        pieces.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + file.content + b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"
