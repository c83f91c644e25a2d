"""Who may see the dashboard, as a part of `model.Config`. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.config.plain_options import Secret
from bridge.model.forwarded import Network


class Role(StrEnum):
    """What somebody may do on the dashboard."""

    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True, kw_only=True, slots=True)
class DashboardUser:
    name: str
    password: Secret
    role: Role = Role.READ


@dataclass(frozen=True, kw_only=True, slots=True)
class DashboardConfig:
    """Who may see the pages of the admin listener."""

    enabled: bool = False
    """Only who asks for it, by a section of its own, gets one."""
    users: tuple[DashboardUser, ...] = ()
    user_header: str = ""
    """Where a proxy says whom it has signed in; empty: none does."""
    trusted_proxies: tuple[Network, ...] = ()
    """Who is believed when it says so."""
    operators: tuple[str, ...] = ()
    """Of those whom the proxy names, who may operate."""
    words: bool = False
    """Whether those who are signed in see what was said."""

    @property
    def has_sign_in(self) -> bool:
        return bool(self.users or self.user_header)

    def is_open(self, *, is_local: bool) -> bool:
        """Whether there is a dashboard for anybody. `is_local`: the listener is on loopback."""
        return self.enabled and (self.has_sign_in or is_local)
