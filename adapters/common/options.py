"""The base of every platform's account options: strict, immutable, and the network settings all of them share."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from adapters.common.proxy import ProxyUrl
from bridge.model.errors import ConfigFault


class Options(BaseModel):
    """Unknown keys are faults; values are not coerced beyond YAML's own types; secrets are `SecretStr`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _http_url(value: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(map(str.isspace, value)):
        raise ValueError("not an http:// or https:// URL")
    try:
        parts.port  # noqa: B018 - read for its check
    except ValueError:
        raise ValueError("the port must be a number; in a password write / # ? @ as %2F %23 %3F %40") from None
    if not _can_be_host(parts.hostname):
        raise ValueError("its host is neither a name nor an address")
    return value.rstrip("/")


def http_url_fault(value: str) -> str:
    """Why it cannot be an http or https URL, without repeating it; empty if it can."""
    try:
        _http_url(value)
    except ValueError as error:
        return str(error)
    return ""


def unsendable(key: str, secret: SecretStr | None, *, ascii_alone: bool = True) -> list[ConfigFault]:
    """The fault of a token or key that no request can carry, as after a slip while copying it: each request would fail, which looks
    like trouble with the server. `ascii_alone`: the platform's tokens are of visible ASCII characters."""
    value = "" if secret is None else secret.get_secret_value()
    if any(unicodedata.category(one) == "Cc" for one in value):
        why = "has a line break or another control character"
    elif ascii_alone and not all("!" <= one <= "~" for one in value.strip()):
        why = "has a space, or a character that is not ASCII, within it"
    else:
        return []
    return [ConfigFault(why, key=key, hint="copy it once more, as one line")]


def _can_be_host(host: str) -> bool:
    """A host that ends in a number is an IPv4 address; a name's labels have 1 to 63 characters. Source: RFC 1035 section 2.3.4,
    WHATWG URL section 3.5."""
    from ipaddress import ip_address

    try:
        if host.rstrip(".").rpartition(".")[2].isdecimal():
            ip_address(host.rstrip("."))
        host.encode("idna")
    except ValueError:
        return False
    return True


def _file_host(value: str) -> str:
    from adapters.common.egress import host_fault

    fault = host_fault(value)
    if fault:
        raise ValueError(fault)
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An absolute http or https URL, kept without its trailing slash."""


class NetworkOptions(Options):
    """How an account reaches its platform."""

    proxy: Annotated[HttpUrl, AfterValidator(ProxyUrl)] | None = Field(
        None, description="HTTP(S) proxy for every connection of this account, e.g. http://proxy:3128"
    )
    ca_file: Path | None = Field(
        None, description="PEM file of the CA that signed the server's (or proxy's) certificate; added to the system's CAs"
    )
    file_hosts: tuple[Annotated[str, AfterValidator(_file_host)], ...] = Field(
        (), description="hosts, host:port or networks (10.0.0.0/8) that files may come from or go to, besides the platform's own"
    )
    request_timeout_s: float = Field(60.0, gt=0, le=3600, description="longest wait for one API answer, file transfers aside")
    transfer_timeout_s: float = Field(3600.0, gt=0, description="longest time for one upload or download")


__all__ = ["HttpUrl", "NetworkOptions", "Options", "ProxyUrl", "SecretStr", "http_url_fault"]
