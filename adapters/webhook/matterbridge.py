"""What matterbridge's `[api.*]` becomes: an end to which programs post, and from which they fetch. Its settings:
github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("api",)

END = "api"
_KEYS = "messenger-bridge keys create ACCOUNT/api --in --out; then POST /in/KEY and GET /out/KEY (docs/webhooks.md)"


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    section.note("BindAddress", "the programs of this API must use other addresses", _KEYS)
    section.tell_given(["Token"], "is replaced by keys", _KEYS)
    section.tell_given(["Buffer"], "is not needed: what waits to be fetched is in the journal")
    return {"ends": {END: {"fetch": True}}}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The name of the end."""
    return END
