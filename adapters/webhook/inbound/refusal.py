"""Refusals of requests. Their text goes to the sender: it names the error in the request, and nothing internal."""

from __future__ import annotations


class Refusal(Exception):
    """`status` is HTTP's; `why` is shown to the sender."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


TOO_LARGE = "this is larger than the receiver accepts"
COMPRESSED = "the body is compressed: send it without Content-Encoding"
NOTHING = "the request is empty: there is nothing to show"
