"""The `otel` section: where spans are sent."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bridge.config import nodes
from bridge.config.nodes import Entries
from bridge.config.otel_model import OtelConfig
from bridge.config.plain_options import Secret
from bridge.config.sections import BaseUrl, Section
from bridge.config.values import Values

_PACKAGES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_SIGNAL = "/v1/traces"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[!-~]([ !-~]*[!-~])?")
"""RFC 9110, 5.1 and 5.5, without what is obsolete there: what any collector, and any proxy before it, takes."""
_MADE_ELSEWHERE = frozenset({"content-encoding", "content-length", "content-type", "host", "transfer-encoding"})


def _headers(given: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Raises ValueError for a header that cannot be sent: each try to send would fail, long after the start."""
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"has a name that no header can have: {name[:40]!r}")
        if name.lower() in _MADE_ELSEWHERE:
            raise ValueError(f"must not have {name}: the bridge makes it for each request")
        if not _VALUE.fullmatch(value.get_secret_value()):
            raise ValueError(f"has a value for {name} that cannot be sent: letters, digits and signs of ASCII, in one line")
    return given


class OtelSection(Section):
    endpoint: BaseUrl = Field(
        description="A collector's address for OTLP over HTTP, as in http://127.0.0.1:4318; without a path /v1/traces is added"
    )
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = Field(
        default={}, description="Further headers, such as a token that the collector asks for"
    )
    sample: float = Field(default=1.0, ge=0, le=1, description="The part of all messages that is traced: 1 is every message")


def read_otel(values: Values, given: Entries) -> OtelConfig | None:
    entry = given.get("otel")
    found = None if entry is None or nodes.is_null(entry.value) else values.mapping(entry.value, "otel")
    section = None if entry is None or found is None else values.model(OtelSection, found, entry.key, "otel", partial=True)
    if entry is None or section is None or found is None or "endpoint" not in found:
        return None
    if not _is_installed():
        hint = "pip install 'messenger-bridge[otel]'"
        values.faults.add(entry.key, "otel", "needs the extra [otel], which is not installed", hint=hint)
        return None
    endpoint = str(section.endpoint)
    return OtelConfig(
        endpoint=endpoint if urlsplit(endpoint).path else endpoint + _SIGNAL,
        headers=tuple((name, Secret(value.get_secret_value())) for name, value in section.headers.items()),
        sample=section.sample,
    )


def _is_installed() -> bool:
    """Without importing it: that takes a second."""
    try:
        return all(find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:
        return False
