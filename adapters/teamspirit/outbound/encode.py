"""Outbound messages to native calls: the variables of the dialect's templates, and the request they make. Pure.

`adapter` calls this, `transport` sends the result. Every variable is described in `dialect/variables.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
from jinja2 import TemplateError
from yarl import URL

from adapters.teamspirit import emoji_names
from adapters.teamspirit.dialect.variables import variables_of
from adapters.teamspirit.mention_guards import without_slack_forms
from adapters.teamspirit.outbound.encode_text import encode_text
from adapters.teamspirit.wire import Request
from bridge.model.adapter import Copy, Outbound, OutboundEdit, OutboundFile, Reply
from bridge.model.errors import Rejected
from bridge.model.rich_text import Mark, Paragraph, Quote, RichText, Text, concat
from bridge.model.templates import fill_tree, path_template, template

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.calls import Call
    from adapters.teamspirit.dialect.events import Websocket
    from adapters.teamspirit.dialect.model import Dialect

Values = dict[str, Any]
_EXCERPT_LENGTH = 100
_WHOLE_HOST = re.compile(r"(?:https?://[^/?#{}\s]+|\{\{ *account\.[\w.]+ *\}\})[/?#]")
"""Of a `url`: its host, before anything that could be the server's word."""
_OURS = ("account.", "chat.incoming_webhook", "webhook.url")


class Encoder:
    """Makes an account's requests. `me_id` and `me_name` are filled in once the server told them."""

    def __init__(self, dialect: Dialect, options: TeamSpiritOptions) -> None:
        self._dialect = dialect
        self._options = options
        self._react_reads = variables_of(dialect.operations.react)
        sends = dialect.operations.send or dialect.operations.webhook_send
        self._slack_forms = sends is not None and sends.slack_forms
        self.me_id = ""
        self.me_name = ""

    def text(self, rich: RichText, *, mass_mentions: bool = False) -> str:
        text = encode_text(rich, self._dialect.text, mass_mentions=mass_mentions)
        return without_slack_forms(text) if self._slack_forms else text

    def measure(self, rich: RichText) -> int:
        """Length in the dialect's own unit. Mass mentions are counted as if they might ping, which is never shorter than sent."""
        text = self.text(rich)
        match self._dialect.limits.text_unit:
            case "characters":
                return len(text)
            case "utf16":
                return len(text.encode("utf-16-le")) // 2
            case "bytes":
                return len(text.encode())

    def request(self, operation: str, call: Call, values: Values) -> Request:
        """The call with its templates filled in. Raises Rejected if a template does not work with these values."""
        try:
            return self._request(operation, call, values)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Rejected(f"{operation}: a template of the dialect does not work: {type(error).__name__}") from None

    def _request(self, operation: str, call: Call, values: Values) -> Request:
        known = {**self._account(), **values}
        own = self._dialect.headers if call.path is not None else {}
        base = str(URL(template(self._dialect.base).text(known)))
        if call.path is not None:
            url = base + quote(path_template(call.path).text(known), safe="/%:@+~,;=")
        else:
            url = str(URL(template(call.url or "").text(known)))
        body = None
        if call.body is not None:
            body = json.dumps(fill_tree(call.body, known) or {}, ensure_ascii=False).encode()
        return Request(
            operation=operation,
            method=call.method,
            url=url,
            headers=dict(_filled({**own, **call.headers}, known)),
            query=_filled(call.query, known),
            json_body=body,
            form=None if call.form is None else _filled(call.form, known),
            multipart=None if call.multipart is None else _filled(call.multipart, known),
            base=base,
            is_led=is_led(call),
        )

    def is_own(self, url: str) -> bool:
        """Whether an address is on the account's own server, so that its key may go there."""
        server = urlsplit(str(self._options.server or ""))
        try:
            asked = urlsplit(url)
            return bool(server.hostname) and asked[:2] == server[:2]
        except ValueError:
            return False

    def picture(self, url: str) -> Request:
        """For a person's picture on the server, with what each call to its API has. Raises Rejected for an address elsewhere."""
        if not self.is_own(url):
            raise Rejected("the picture is not on the server")
        headers = dict(_filled(self._dialect.headers, self._account()))
        return Request(operation="picture", method="GET", url=str(URL(url)), headers=headers, query=())

    def text_of(self, source: str | None, values: Values) -> str:
        """A template filled in, of which nothing but its text is wanted; empty if there is none."""
        return template(source).text({**self._account(), **values}) if source is not None else ""

    def socket(self, websocket: Websocket) -> tuple[str, dict[str, str], list[str]]:
        """Where a websocket is opened, with which headers, and the frames that are sent first. Raises what `request` raises."""
        try:
            known = self._account()
            url = str(URL(template(websocket.url).text(known)))
            headers = dict(_filled(websocket.headers, known))
            return url, headers, [json.dumps(fill_tree(frame, known), ensure_ascii=False) for frame in websocket.hello]
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Rejected(f"websocket: a template of the dialect does not work: {type(error).__name__}") from None

    def quoted(self, outbound: Outbound) -> Outbound:
        """The same where the answered message is shown by a line, since it cannot be pointed at; itself if it answers none."""
        reply = outbound.reply
        if reply is None:
            return outbound
        return msgspec.structs.replace(outbound, reply=None, text=self._below_line(reply, outbound.text))

    def send_values(self, outbound: Outbound, file_ids: Sequence[str], root: str, reply_thread: str = "") -> Values:
        """`root`: the first message of the thread, where the dialect names threads by it; `reply_thread`: that of the answered
        message, if it was learned."""
        reply, sender = outbound.reply, outbound.sender
        message = {
            **self._content(outbound.text, outbound.mass_mentions),
            **_other_data(outbound),
            "files": list(file_ids) or None,
            "uploads": _uploads(file_ids, outbound.files),
            "reply_to": (reply.message_id if reply else "") or None,
            "reply_thread": reply_thread or (reply.thread_id if reply else "") or None,
            "thread": outbound.thread_id or None,
            "root": root or None,
            "sender": {"name": sender.name, "avatar_url": sender.avatar_url or None} if sender else None,
            "client_id": outbound.token,
            "previews": outbound.previews,
            "silent": outbound.silent,
        }
        return {"chat": self.chat(outbound.chat_id), "message": message}

    def edit_values(self, outbound: OutboundEdit, *, quoted: bool = False) -> Values:
        text = self._below_line(outbound.reply, outbound.text) if quoted else outbound.text
        content = self._content(text, outbound.mass_mentions)
        return {
            "chat": self.chat(outbound.copy.chat_id),
            "message": {**content, **_other_data(outbound), "id": _only_id(outbound.copy)},
        }

    def reaction_values(self, copy: Copy, reaction: str) -> Values:
        """Raises Rejected for an emoji that the messenger cannot have: another platform's own, or one without a short name where
        the dialect writes those."""
        by_name = "reaction.name" in self._react_reads
        name = emoji_names.short_name(reaction) if by_name else ""
        if (by_name and not name) or (not by_name and emoji_names.is_custom(reaction)):
            raise Rejected(f"the messenger has no emoji {reaction}")
        values = {"emoji": reaction, "name": name}
        return {"chat": self.chat(copy.chat_id), "message": {"id": _only_id(copy)}, "reaction": values}

    def chat(self, chat_id: str) -> Values:
        """A chat's own values. Chats of a webhooks-only account are known by the account's `chats`, or by the name that its one
        webhook posts to."""
        values: Values = {"id": chat_id}
        called = chat_id
        for name, entry in self._options.chats.items():
            if chat_id != (entry.id or name):
                continue
            called = name
            if entry.incoming_webhook is not None:
                return {**values, "incoming_webhook": entry.incoming_webhook.get_secret_value()}
        shared = self._options.incoming_webhook
        if shared is not None:
            values |= {"incoming_webhook": shared.get_secret_value(), "channel": called}
        return values

    def _below_line(self, reply: Reply | None, text: RichText) -> RichText:
        """The text below a quoted line, if there are words for one and both are short enough together."""
        lined = concat(quoted_line(reply), text) if reply is not None else text
        return lined if self.measure(lined) <= self._dialect.limits.text_length else text

    def _content(self, text: RichText, mass_mentions: bool) -> Values:
        return {"text": self.text(text, mass_mentions=mass_mentions), "format": self._dialect.text.flavour}

    def _account(self) -> Values:
        options = self._options
        key = options.api_key.get_secret_value() if options.api_key else None
        account = {"server": options.server, "api_key": key, "variables": options.variables}
        return {"account": account, "me": {"id": self.me_id, "name": self.me_name}}


def quoted_line(reply: Reply) -> RichText:
    """Who is answered, and the beginning of what was said; empty if neither is known."""
    author, excerpt = (" ".join(words.split()) for words in (reply.author_name, reply.excerpt))
    if len(excerpt) > _EXCERPT_LENGTH:
        excerpt = excerpt[: _EXCERPT_LENGTH - 1] + "…"
    if not author and not excerpt:
        return RichText()
    name = (Text(f"{author}: ", int(Mark.BOLD)),) if author else ()
    return RichText((Quote((Paragraph((*name, Text(excerpt or "…"))),)),))


def _other_data(outbound: Outbound | OutboundEdit) -> Values:
    """What is nothing is left out, as everywhere."""
    location, contact = outbound.location, outbound.contact
    values: Values = {"location": None, "contact": None}
    if location is not None:
        degrees = {"latitude": location.latitude, "longitude": location.longitude}
        values["location"] = {**degrees, "title": location.title or None, "address": location.address or None}
    if contact is not None:
        more = {"details": list(contact.details) or None, "note": "\n".join(contact.details) or None}
        values["contact"] = {"name": contact.name, "phone": contact.phone or None, **more}
    return values


def _uploads(file_ids: Sequence[str], files: Sequence[OutboundFile]) -> list[Values] | None:
    """What was uploaded, as dialects may have to describe it once more."""
    made: list[Values] = []
    for place, file_id in enumerate(file_ids):
        file = files[place] if place < len(files) else None
        kind = file.mime.partition("/")[0] if file is not None else ""
        about = {"name": file.name, "mime": file.mime, "size": file.size_bytes} if file is not None else {"name": "file"}
        made.append({"id": file_id, "kind": kind if kind in ("image", "video", "audio") else "file", **about})
    return made or None


def _only_id(copy: Copy) -> str:
    if not copy.message_ids:
        raise Rejected("which message it became was never told")
    return copy.message_ids[0]


def is_led(call: Call) -> bool:
    """Whether what a server says decides which host is asked: any value but what bridge.yaml says, unless it comes behind a host
    that is already whole."""
    if call.url is None or _WHOLE_HOST.match(call.url):
        return False
    return any(not name.startswith(_OURS) for name in template(call.url).names)


def _filled(entries: Mapping[str, str], values: Values) -> tuple[tuple[str, str], ...]:
    filled = ((name, template(source).text(values)) for name, source in entries.items())
    return tuple((name, text) for name, text in filled if text)
