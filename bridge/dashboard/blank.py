"""A page made for nobody: with marks in place of what is of one visitor alone. So it is made once for all who may see the same."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from markupsafe import escape

from bridge.dashboard.parts import Visit
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from aiohttp import web

LONGEST_SHOWN_NAME = 40


class Blank:
    """The marks are of this process, and never leave it: nothing from outside can have them in it."""

    def __init__(self) -> None:
        self._name, self._token = secrets.token_hex(16), secrets.token_hex(16)

    def of(self, visit: Visit) -> Visit:
        """The visit of somebody with the same rights."""
        who = replace(visit.who, name=self._name, session=self._token if visit.who.session else "")
        return replace(visit, who=who, form_token=self._token)

    def filled(self, page: web.Response, visit: Visit) -> web.Response:
        """Another response, for that visitor: each is sent once."""
        from aiohttp import web

        assert isinstance(page.body, bytes)
        name = str(escape(one_line(visit.who.name, LONGEST_SHOWN_NAME)))
        body = page.body.replace(self._name.encode(), name.encode()).replace(self._token.encode(), visit.form_token.encode())
        return web.Response(status=page.status, body=body, headers=page.headers)
