"""Webhook's case for the conformance suite."""

from __future__ import annotations

from adapters.common.conformance import Codec, ConformanceCase
from adapters.webhook.inbound.decode_text import decode_text
from adapters.webhook.outbound.encode_text import encode_text

CASE = ConformanceCase(
    codecs={"webhook": Codec(encode=encode_text, decode=decode_text, decode_raw=decode_text)},
    absent_chat="TODO",
)
