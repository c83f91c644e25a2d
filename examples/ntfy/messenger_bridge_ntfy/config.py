"""Options of an ntfy account."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, SecretStr

from adapters.common.options import HttpUrl, NetworkOptions
from adapters.common.tls import ca_file_faults
from bridge.model.errors import ConfigFault


class NtfyOptions(NetworkOptions):
    server: HttpUrl = Field("https://ntfy.sh", description="base URL of the ntfy server")
    token: SecretStr | None = Field(None, description="access token (tk_...), for topics that are not open to everybody")
    username: str = Field("", description="instead of token: the user's name, with password")
    password: SecretStr | None = Field(None, description="the user's password")
    max_message_bytes: int = Field(4096, ge=512, description="the server's message-size-limit")
    max_upload_bytes: int = Field(15 * 1024**2, ge=0, description="the server's attachment-file-size-limit")


Options = NtfyOptions


def check_options(options: NtfyOptions) -> Sequence[ConfigFault]:
    faults = ca_file_faults(options.ca_file)
    if bool(options.username) != (options.password is not None):
        faults.append(ConfigFault("a user needs both username and password", key="username"))
    if options.username and options.token is not None:
        faults.append(ConfigFault("token and username are two ways to log in: give one of them", key="token"))
    return faults
