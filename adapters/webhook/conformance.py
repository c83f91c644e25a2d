"""Webhook's case for the conformance suite."""

from __future__ import annotations

from adapters.common.conformance import Codec, ConformanceCase, Lacks
from adapters.webhook.emulator.reading import read_markdown
from adapters.webhook.outbound.encode_markdown import encode_markdown

CASE = ConformanceCase(
    codecs={"webhook": Codec(encode=encode_markdown, decode=read_markdown, decode_raw=read_markdown)},
    absent_chat="not-an-end",
    lacks={
        Lacks.REPLIES: "what a program posts by a webhook answers nothing",
        Lacks.FORMATTING: "what a program posts is plain text, unless it says otherwise",
        Lacks.DELETES: "what a program posted by a webhook it cannot take back",
        Lacks.HUMANS: "who posts by a webhook is a program, unless it is a website's form",
        Lacks.SIGNS_OF_LIFE: "it is called by others, and opens no connection",
        Lacks.OWN_NAME: "a receiver is told by signed requests, which have no author but the message's",
        Lacks.UNKNOWN_OUTCOMES: "the webhook-id of a message is the same on every attempt",
        Lacks.ONE_CREDENTIAL: "each end has a receiver of its own, which refuses for itself",
    },
)
