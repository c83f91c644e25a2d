"""ntfy's case for the bridge's conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from adapters.common.conformance import Ask, Codec, ConformanceCase, Lacks, NetworkCase
from adapters.common.http_client import HttpClient, login_headers
from adapters.common.http_errors import Effect
from bridge.model.rich_text import plain, text_of
from messenger_bridge_ntfy.config import NtfyOptions
from messenger_bridge_ntfy.errors import refusal


@asynccontextmanager
async def _calls(options: NtfyOptions) -> AsyncIterator[tuple[Ask, Ask]]:
    client = HttpClient(options, options.server, login=login_headers(options.token), refusal=refusal)
    publish = partial(client.ask, "PUT", "topic", doing="publish", effect=Effect.CREATES, body=b"words")
    try:
        yield partial(client.ask, "GET", "v1/account", doing="account"), publish
    finally:
        await client.close()


CASE = ConformanceCase(
    codecs={"ntfy": Codec(encode=text_of, decode=plain, decode_raw=plain)},
    absent_chat="a-topic-of-others",
    network=NetworkCase(options=lambda server: {"server": server, "token": "tk_secret"}, calls=_calls),
    lacks={Lacks.REPLIES: "ntfy has no replies", Lacks.FORMATTING: "ntfy's text is plain text"},
)
