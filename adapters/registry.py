"""Platform name -> what its package offers. An explicit table for ours, entry points (`messenger_bridge.platforms`) for third
parties'.

A package describes itself by `MANIFEST`; the rest is found by name in its modules (`bridge.model.platform.Platform` lists them),
each imported when it is first asked for. Reading a manifest imports no client library. Called by the composition root and the
command line only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

from bridge.model.foreign_settings import ForeignPlatform
from bridge.model.platform import Manifest, Platform, SecretShape

if TYPE_CHECKING:
    from adapters.common.conformance import Lacks
    from adapters.common.emulation.contract import Emulator
    from bridge.model.dialects import Dialects

_OURS = {
    "teamspirit": "adapters.teamspirit",
    "telegram": "adapters.telegram",
    "slack": "adapters.slack",
    "discord": "adapters.discord",
    "webhook": "adapters.webhook",
}

_ENTRY_POINT_GROUP = "messenger_bridge.platforms"


def platforms() -> tuple[str, ...]:
    """Names of all known platforms, ours first."""
    return (*_OURS, *sorted(set(_third_party()) - set(_OURS)))


@cache
def load_manifest(platform: str) -> Manifest:
    """The platform's manifest. Raises KeyError for an unknown platform."""
    if platform in _OURS:
        found = import_module(_OURS[platform]).MANIFEST
    else:
        found = _third_party()[platform].load()
    if not isinstance(found, Manifest) or found.platform != platform:
        raise TypeError(f"platform {platform!r}: its package offers no manifest of that name")
    return found


@cache
def load_platform(platform: str) -> Platform:
    """What the platform's package offers. Raises KeyError for an unknown platform."""
    manifest = load_manifest(platform)
    package = manifest.package
    return Platform(
        manifest=manifest,
        options=lambda: _find(package, "config", "Options"),
        capabilities=_function(package, "capabilities", "capabilities"),
        check_options=_function(package, "config", "check_options"),
        check_address=_function(package, "addresses", "check_address"),
        check_thread=_function(package, "addresses", "check_thread"),
        build=_function(package, "adapter", "build"),
        preload=lambda: _find(package, "adapter", "build") and None,
        check_end=_function(package, "addresses", "check_end", optional=True),
        needs_public_web=_function(package, "config", "needs_public_web", optional=True),
        advise=lambda options: _function(package, "config", "advise", optional=True)(options) or (),
        message_of_link=_function(package, "links", "message_of_link", optional=True),
        chat_of_link=_function(package, "links", "chat_of_link", optional=True),
        decode_post=_function(package, "inbound.posts", "decode_post", optional=True),
        dialects=lambda: cast("Dialects | None", _find(package, "dialects", "TOOLS", optional=True)),
        deaf_after_s=_function(package, "capabilities", "deaf_after_s", optional=True),
        shows_health=_function(package, "capabilities", "shows_health", optional=True),
    )


def load_emulator(platform: str) -> Emulator:
    """A new emulator of the platform's servers (`emulator:build`), not started. Raises KeyError for an unknown platform."""
    made: Emulator = _find(load_manifest(platform).package, "emulator", "build")()
    return made


def people_lack(platform: str) -> Mapping[Lacks, str]:
    """What people of the platform cannot do, by the conformance case that its package offers (ours as `conformance:CASE`); without
    one they can do everything."""
    from adapters.common.conformance import ENTRY_POINT_GROUP  # here, since the daemon needs none of it

    if platform in _OURS:
        package = load_manifest(platform).package
        has_one = importlib.util.find_spec(f"{package}.conformance") is not None
        cases = [_find(package, "conformance", "CASE")] if has_one else []
    else:
        cases = [point.load() for point in entry_points(group=ENTRY_POINT_GROUP, name=platform)]
    return {what: reason for case in cases for what, reason in case.lacks.items()}


def secret_shapes() -> tuple[SecretShape, ...]:
    """What secrets of all platforms look like. A third party's package that cannot be loaded has none: it must not affect others,
    and an account that needs it gets the reason."""
    shapes: list[SecretShape] = []
    for platform in platforms():
        try:
            shapes.extend(load_manifest(platform).secret_shapes)
        except Exception:
            if platform in _OURS:
                raise
    return tuple(shapes)


def matterbridge() -> Mapping[str, ForeignPlatform]:
    """By the protocol of a matterbridge account: which of our platforms it becomes, and how (`matterbridge.py` of its package)."""
    found = {}
    for platform in platforms():
        package = load_manifest(platform).package
        for protocol in _find(package, "matterbridge", "PROTOCOLS", optional=True) or ():
            account, chat = (_find(package, "matterbridge", name) for name in ("account", "chat"))
            by_gateway = bool(_find(package, "matterbridge", "BY_GATEWAY", optional=True))
            found[protocol] = ForeignPlatform(platform, account, chat, by_gateway)
    return found


def _function(package: str, module: str, name: str, *, optional: bool = False) -> Callable[..., Any]:
    """One of the package's functions, looked up when it is called; an optional one that is not there answers None."""

    def call(*given: Any) -> Any:
        found = _find(package, module, name, optional=optional)
        return None if found is None else found(*given)

    return call


@cache
def _find(package: str, module: str, name: str, *, optional: bool = False) -> Any:
    path = f"{package}.{module}"
    try:
        return getattr(import_module(path), name)
    except ModuleNotFoundError as error:
        if not optional or error.name != path:
            raise
    except AttributeError:
        if not optional:
            raise TypeError(f"{path} has no {name}: an adapter's package needs it") from None
    return None


@cache
def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_ENTRY_POINT_GROUP)}
