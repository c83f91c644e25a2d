"""Responses to senders, each in the form that the sender expects. Pure.

Sources: docs.slack.dev and developer.mattermost.com, incoming webhooks (`ok` as text; Alertmanager asks for it,
prometheus/alertmanager#3546); Discord's API reference, "Execute Webhook" (204, or the message with `?wait=true`); read 2026-11-26.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from adapters.webhook.inbound.received import Answer

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.webhook.config import FormOptions

_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>{words}</title><body style="font:18px sans-serif;margin:4em auto;max-width:30em;text-align:center"><p>{words}</p>\n'
)
_NOT_STORED = {"Cache-Control": "no-store"}


def accepted(
    answer: Answer, message_id: str, headers: Mapping[str, str], query: Mapping[str, str], form: FormOptions | None
) -> web.Response:
    """The response once the message is on disk. `message_id` is empty if the request posts no message."""
    from aiohttp import web

    match answer:
        case Answer.SLACK | Answer.MATTERMOST:
            return web.Response(text="ok", headers=_NOT_STORED)
        case Answer.DISCORD if query.get("wait", "").lower() not in ("true", "1"):
            return web.Response(status=204, headers=_NOT_STORED)
        case Answer.DISCORD:
            return web.json_response({"id": message_id, "type": 0, "content": ""}, headers=_NOT_STORED)
        case Answer.FORM if _wants_page(headers):
            if form is not None and form.redirect is not None:
                return web.Response(status=303, headers={"Location": str(form.redirect), **_NOT_STORED})
            return page(200, form.thanks if form is not None else "Thank you.")
        case Answer.PAGE:
            return looked_at(headers)
        case _:
            return web.json_response({"id": message_id} if message_id else {}, headers=_NOT_STORED)


def looked_at(headers: Mapping[str, str]) -> web.Response:
    """The response to a GET or HEAD of a page: an empty picture if one was asked for, else `ok`."""
    from aiohttp import web

    if headers.get("accept", "").startswith("image/"):
        return web.Response(body=_PIXEL, content_type="image/gif", headers=_NOT_STORED)
    return web.Response(text="ok\n", headers=_NOT_STORED)


def refused(status: int, why: str, headers: Mapping[str, str], *, retry_after_s: int | None = None) -> web.Response:
    """The error response: a page for a browser, else JSON or text like the request."""
    from aiohttp import web

    more = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else {}
    if _wants_page(headers):
        answer = page(status, why)
    elif "json" in headers.get("content-type", "") or "json" in headers.get("accept", ""):
        answer = web.json_response({"error": why}, status=status, headers=_NOT_STORED)
    else:
        answer = web.Response(status=status, text=f"{why}\n", headers=_NOT_STORED)
    answer.headers.update(more)
    return answer


def page(status: int, words: str) -> web.Response:
    from aiohttp import web

    guards = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "X-Content-Type-Options": "nosniff"}
    text = _PAGE.replace("{words}", escape(words))
    return web.Response(status=status, text=text, content_type="text/html", headers={**_NOT_STORED, **guards})


def _wants_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser will show the response. Scripts of a page accept JSON, or anything."""
    return "text/html" in headers.get("accept", "")
