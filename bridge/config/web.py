"""The `web` section: the two listeners, and who may see the dashboard."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from yaml.nodes import Node

from bridge.config.dashboard import DashboardConfig, DashboardUser, Role
from bridge.config.faults import Faults
from bridge.config.model import Listener, WebConfig
from bridge.config.plain_options import Secret
from bridge.config.sections import BaseUrl, ListenAddress, NetworkText, Section
from bridge.model.forwarded import ForwardedHeader

SHORTEST_PASSWORD = 12
_WIDEST_PREFIX = {4: 8, 6: 7}
"""Bits, by version: those of the widest private networks, 10.0.0.0/8 and fc00::/7."""
_USER = re.compile(r"[^\x00-\x20\x7f:]{1,64}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("must be the name of a header, as in Remote-User")
    return text


class PublicSection(Section):
    listen: ListenAddress = Field(description="host:port on which platforms reach the bridge, behind a TLS proxy")
    url: BaseUrl = Field(
        description="How the outside reaches that listener, as in https://bridge.example.com or https://example.com/bridge"
    )
    trusted_proxies: tuple[NetworkText, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Addresses or networks of the proxies in front, which say for whom they call. Default: this host's own",
    )
    forwarded: ForwardedHeader = Field(
        default=ForwardedHeader.X_FORWARDED_FOR,
        description="The header in which those proxies say it: x-forwarded-for, or forwarded (RFC 7239)",
    )


class DashboardUserSection(Section):
    password: SecretStr = Field(description="At least 12 characters. Programs give it as a token: Authorization: Bearer")
    role: Literal["read", "operate"] = Field(
        default="read", description="read: look; operate: also retry and drop dead letters, and reload"
    )


class DashboardSection(Section):
    enabled: bool = Field(default=True, description="Whether there is a dashboard at all, at /dashboard/")
    users: dict[str, DashboardUserSection] = Field(
        default={}, description="Who may sign in. Without users and user_header: who asks from this host may look, and nothing else"
    )
    user_header: Annotated[str, AfterValidator(_header)] | None = Field(
        default=None, description="The header in which a proxy in front names whom it has signed in, as in Remote-User"
    )
    trusted_proxies: tuple[NetworkText, ...] = Field(
        default=(), description="Addresses or networks of the proxies that are believed when they say so"
    )
    operators: tuple[str, ...] = Field(default=(), description="Of those whom the proxy names: who has the role operate")
    words: bool = Field(
        default=False, description="Whether who is signed in sees the first words of what was said in the last hour"
    )


class AdminSection(Section):
    listen: ListenAddress = Field(description="host:port of health and metrics, which ask for no password: keep it on loopback")
    hosts: tuple[str, ...] = Field(
        default=(), description="Names under which it is asked (the Host of a request), beside addresses, localhost and its own"
    )
    dashboard: DashboardSection | None = Field(
        default=None,
        description="Pages for people: what the bridge does, why, and what to do, at /dashboard/; without it there are none",
    )


class WebSection(Section):
    public: PublicSection | None = Field(default=None, description="For webhooks and file links; without it there are none")
    admin: AdminSection | None = Field(default=None, description="For health checks, Prometheus and the dashboard, on this host")


def web_config(web: WebSection) -> WebConfig:
    public, admin = web.public, web.admin
    return WebConfig(
        public=public.listen if public else None,
        public_url=public.url if public else "",
        trusted_proxies=tuple(map(ip_network, public.trusted_proxies)) if public else (),
        forwarded=public.forwarded if public else ForwardedHeader.X_FORWARDED_FOR,
        admin=admin.listen if admin else None,
        admin_hosts=admin.hosts if admin else (),
        dashboard=_dashboard_config(admin.dashboard) if admin and admin.dashboard else DashboardConfig(),
    )


def _dashboard_config(section: DashboardSection) -> DashboardConfig:
    return DashboardConfig(
        enabled=section.enabled,
        users=tuple(
            DashboardUser(name=name, password=Secret(user.password.get_secret_value()), role=Role(user.role))
            for name, user in section.users.items()
        ),
        user_header=section.user_header or "",
        trusted_proxies=tuple(map(ip_network, section.trusted_proxies)),
        operators=section.operators,
        words=section.words,
    )


# -- checks -----------------------------------------------------------------------------------------------------------------


def check_listeners(faults: Faults, at: Mapping[str, Node], web: WebSection) -> None:
    """The two listeners differ, and the one without a password is not open to the internet."""
    public, admin = web.public, web.admin
    if public and admin and _overlap(public.listen, admin.listen):
        faults.add(at.get("admin"), "web.admin.listen", "the same address as web.public.listen")
    if admin and not is_loopback(admin.listen.host):
        faults.warn(
            at.get("admin"),
            "web.admin.listen",
            f"health and metrics on {admin.listen.host} ask for no password",
            hint="use 127.0.0.1, or a network that only monitoring reaches",
        )
    if public and public.url.startswith("http://") and not is_loopback(public.url.split("/")[2]):
        faults.warn(at.get("public"), "web.public.url", "is not https: webhook secrets travel in the open")
    if admin:
        _check_dashboard(faults, at.get("admin"), admin)


def _check_dashboard(faults: Faults, at: Node | None, admin: AdminSection) -> None:
    """Who signs in can, with a password that is no guess; and nobody sees it without one, but on this host."""
    key, board = "web.admin.dashboard", admin.dashboard
    if board is None:
        if "dashboard" in admin.model_fields_set:
            faults.warn(at, key, "is empty, so there is no dashboard", hint="give users; {} lets whoever asks from this host look")
        return
    seen: dict[str, str] = {}
    for name, user in board.users.items():
        password = user.password.get_secret_value()
        if not _USER.fullmatch(name):
            faults.add(at, f"{key}.users", f"{name[:64]!r} is no user name", hint="use 1 to 64 characters, without spaces and :")
        if len(password) < SHORTEST_PASSWORD:
            why = f"has fewer than {SHORTEST_PASSWORD} characters, so it can be guessed"
            faults.add(at, f"{key}.users.{name}.password", why, hint="`openssl rand -base64 24` makes a good one")
        other = seen.setdefault(password, name)
        if other != name:
            faults.add(at, f"{key}.users.{name}.password", f"is that of {other} too: nobody could say who did what")
    if board.user_header and not board.trusted_proxies:
        hint = "name the proxy's address: trusted_proxies: [127.0.0.1]"
        faults.add(at, f"{key}.user_header", "nobody is trusted to say who somebody is", hint=hint)
    wide = [network for network in map(ip_network, board.trusted_proxies) if network.prefixlen < _WIDEST_PREFIX[network.version]]
    if board.user_header and wide:
        why = f"{wide[0]} is more than a proxy's network: whoever calls from there is believed to be anybody"
        faults.add(at, f"{key}.trusted_proxies", why, hint="name the proxy's own address, as in 127.0.0.1")
    if board.operators and not board.user_header:
        hint = "give user_header, or users with role: operate"
        faults.add(at, f"{key}.operators", "no proxy names anybody", hint=hint)
    if not board.enabled or board.users or board.user_header:
        return
    if not is_loopback(admin.listen.host):
        why = f"there is no dashboard on {admin.listen.host}, since nobody would have to sign in"
        faults.warn(at, key, why, hint="give users with a password_file each, or the user_header of a proxy")
    elif admin.hosts:
        why = f"who is let through to {admin.hosts[0]} may look at the dashboard without a password"
        faults.warn(at, key, why, hint="give users with a password_file each, or the user_header of the proxy; or enabled: false")


def _overlap(one: Listener, other: Listener) -> bool:
    everywhere = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return one.port == other.port and (one.host == other.host or one.host in everywhere or other.host in everywhere)


def is_loopback(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
