"""Sessions as signed cookies, and the tokens that forms carry. Pure: time is an argument, in steady seconds of this process.

The key is made anew at each start, so a restart signs everybody out. A session is bound to its user's password: who gets another
one is signed out everywhere."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import OrderedDict

SESSION_S = 12 * 3600.0
_MOST_ENDED = 10_000
"""Sessions that were ended before their time. Beyond that the oldest of them is forgotten: an attacker cannot fill this, since only
who is signed in can sign out."""
_LONGEST_COOKIE = 512


class Sessions:
    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._ended: OrderedDict[str, None] = OrderedDict()

    def begin(self, user: str, password: str, now_s: float) -> str:
        """The cookie's value."""
        name = base64.urlsafe_b64encode(user.encode()).decode().rstrip("=")
        text = f"{name}.{int(now_s + SESSION_S)}.{secrets.token_urlsafe(16)}"
        return f"{text}.{self._sign(text, password)}"

    def claimed_user(self, cookie: str) -> str:
        """Whose session it says it is; empty if it is no session."""
        name = cookie.partition(".")[0]
        if len(cookie) > _LONGEST_COOKIE or not cookie.isascii():
            return ""
        try:
            return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except ValueError:
            return ""

    def holds(self, cookie: str, password: str, now_s: float) -> bool:
        """Whether it is a session that goes on, of the user with that password."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(text, password).encode(), signature.encode()):
            return False
        return now_s < int(text.split(".")[1]) and text not in self._ended

    def end(self, cookie: str) -> None:
        """Of a session that holds."""
        self._ended[cookie.rpartition(".")[0]] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def form_token(self, user: str, session: str) -> str:
        """What a form must carry: a page of another site cannot know it."""
        return self._sign(f"form of {user}\0{session}", "")

    def is_form_token(self, token: str, user: str, session: str) -> bool:
        return hmac.compare_digest(token.encode(), self.form_token(user, session).encode())

    def _sign(self, text: str, password: str) -> str:
        key = hmac.digest(self._key, password.encode(), "sha256")
        return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).decode().rstrip("=")
