"""Decodes a GET that reports a visit to a page, and recognises robots and prefetching. Pure.

Preview robots and crawlers identify themselves in `User-Agent`; browsers that prefetch a page say so in `Sec-Purpose` or `Purpose`
(WHATWG Fetch). Neither is a visit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.webhook.inbound.decode_content import decode_content, web_address
from adapters.webhook.inbound.decode_text import DecodePost
from adapters.webhook.inbound.ntfy import decode_words
from adapters.webhook.inbound.received import Answer, Said
from bridge.model.rich_text import plain

ROBOT = "a robot looked at the page"
_ROBOTS = re.compile(
    r"bot\b|bot[/;-]|crawler|spider|slurp|facebookexternalhit|facebookcatalog|whatsapp|skypeuripreview|linkexpanding|vkshare|embedly"
    r"|preview|pingdom|uptime|monitor|headlesschrome|teams|microsoft office|google-|apis-google|mediapartners|iframely|snapchat"
    r"|mattermost|rocket\.chat|telegram|viber|signal|synapse|nextcloud",
    re.IGNORECASE,
)


def is_robot(headers: Mapping[str, str]) -> bool:
    purpose = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')} {headers.get('x-moz', '')}".lower()
    return "prefetch" in purpose or "preview" in purpose or bool(_ROBOTS.search(headers.get("user-agent", "")[:500]))


def decode_page(end: str, headers: Mapping[str, str], query: Mapping[str, str], decode_post: DecodePost) -> Said:
    """The text in the query, or a line that says which page was called, and from where."""
    said = decode_words("", (), {}, {"message": query.get("text", ""), **query}, decode_post)
    if said is None:
        name = query.get("page", "") or query.get("name", "") or end
        said = Said(content=decode_content(text=plain(f"👁 {name[:200]} was called")))
    referer = web_address(headers.get("referer", "")).partition("?")[0]
    if referer:
        said = Said(
            content=decode_content(text=said.content.text, fields=[("Page", referer)]),
            id=said.id,
            author=said.author,
            avatar_url=said.avatar_url,
        )
    return Said(content=said.content, answer=Answer.PAGE, id=said.id, author=said.author, avatar_url=said.avatar_url)
