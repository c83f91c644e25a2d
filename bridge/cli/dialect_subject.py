"""What `messenger-bridge dialect` works on: an account with its platform's dialects, its masked secrets, and a run of the trial."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.cli.exits import EX_USAGE
from bridge.cli.options import account_or_exit, load_or_exit, need_secrets
from bridge.cli.output import fail
from bridge.config.secrets import secrets_of
from bridge.model.dialects import Dialects, DialectSheet, Step
from bridge.model.errors import ConfigFault
from bridge.model.platform import AdapterContext, Platform
from bridge.policy.redact import Masker
from bridge.policy.routing import RoutingTable

if TYPE_CHECKING:
    from bridge.config.model import AccountConfig, Config
    from bridge.model.web_mount import KeyHandler, WebHandler


def sheet_of(name: str, path: Path, *, json: bool) -> DialectSheet:
    """The dialect of an account, else a shipped one or a file of that name. Ends the command if there is none, or if bridge.yaml
    has faults."""
    from adapters import registry

    if path.exists() and name in _accounts(path):
        config = load_or_exit(path, json=json)
        account = next(account for known, account in config.accounts.items() if known == name)
        tools = _tools(registry.load_platform(account.platform), name, json=json)
        sheet = tools.sheet(account.options) if account.options is not None else _sheet_as_written(tools, path, name)
        return _with_overrides(sheet, path, name)
    found = None
    for platform in registry.platforms():
        offered = registry.load_platform(platform).dialects()
        if offered is not None:
            found = offered.sheet_of(name)
            if not found.faults or Path(name).exists():
                return found
    if found is not None:
        return found
    return fail(f"there is no account and no dialect {name!r}", EX_USAGE, json=json)


def _sheet_as_written(tools: Dialects, path: Path, account: str) -> DialectSheet:
    """The dialect as the file itself gives it, read without the secrets of the other options."""
    import yaml

    entry = yaml.safe_load(path.read_text(encoding="utf-8-sig"))["accounts"][account]
    named = str(entry.get("dialect") or "")
    if named.endswith((".yaml", ".yml")):
        named = str(path.parent / named)
    return tools.sheet_of(named, entry.get("overrides") or {})


def _tools(platform: Platform, name: str, *, json: bool) -> Dialects:
    tools = platform.dialects()
    if tools is None:
        fail(f"the account {name!r} has no dialect: the wire format of {platform.title} is not data", EX_USAGE, json=json)
    return tools


def _accounts(path: Path) -> set[str]:
    from bridge.config import nodes
    from bridge.config.faults import Faults

    root = nodes.parse(path.read_text(encoding="utf-8-sig"), Faults(""))
    section = _child(root, "accounts")
    return {pair[0].value for pair in getattr(section, "value", ()) if isinstance(pair, tuple)}


def _with_overrides(sheet: DialectSheet, path: Path, account: str) -> DialectSheet:
    """Entries that the account overrides get their line in bridge.yaml."""
    from bridge.config import nodes
    from bridge.config.faults import Faults

    root = nodes.parse(path.read_text(encoding="utf-8-sig"), Faults(""))
    overrides = _child(_child(_child(root, "accounts"), account), "overrides")

    def source(key: str) -> str:
        at = overrides
        for step in key.replace("[", ".").replace("]", "").split("."):
            inner = _child(at, step)
            if inner is None:
                break
            at = inner
        return f"{path.name}:{at.start_mark.line + 1}" if at is not None else path.name

    entries = tuple(one if one.source else msgspec.structs.replace(one, source=source(one.key)) for one in sheet.entries)
    return msgspec.structs.replace(sheet, entries=entries)


def _child(node: Any, key: str) -> Any:
    pairs = getattr(node, "value", None)
    if not isinstance(pairs, list):
        return None
    if key.isdecimal() and pairs and not isinstance(pairs[0], tuple):
        return pairs[int(key)] if int(key) < len(pairs) else None
    return next((pair[1] for pair in pairs if isinstance(pair, tuple) and pair[0].value == key), None)


def subject_of(account: str, path: Path, chat: str, only: Collection[str], *, json: bool) -> Subject:
    """Ends the command if bridge.yaml has faults, or there is nothing to try."""
    from adapters import registry

    loaded = load_or_exit(path, json=json, secrets=True)
    found = account_or_exit(loaded, account, json=json)
    tools = _tools(registry.load_platform(found.platform), account, json=json)
    need_secrets(found, json=json)
    there = tools.operations(found.options)
    unknown = [name for name in only if name not in there]
    if unknown:
        fail(f"the dialect has no operation {unknown[0]!r}; it has {', '.join(there)}", EX_USAGE, json=json)
    routed = [address.address for address in RoutingTable(loaded.routes).addresses(found.name)]
    return Subject(loaded, found, tools, chat or next(iter(routed), ""), tuple(only), path)


@dataclass
class Tried:
    """The result of a run, and the chat that it used."""

    steps: list[Step]
    chat: str = ""


@dataclass(frozen=True)
class Subject:
    config: Config
    account: AccountConfig
    tools: Dialects
    chat: str
    only: tuple[str, ...]
    path: Path

    @property
    def server(self) -> str:
        """The server's address, for people."""
        return str(getattr(self.account.options, "server", None) or self.account.name)

    def writes(self) -> Sequence[str]:
        return self.tools.writes(self.account.options, self.chat, self.only)

    def recording(self, tried: Tried) -> Any:
        return self.tools.recording(self._context(self.account.options), tried.chat, tried.steps)

    def run(
        self,
        *,
        reading: bool = False,
        played: Any = None,
        emulator: bool = False,
        unmasked: bool = False,
        on_step: Callable[[Step], None] | None = None,
        json: bool = False,
    ) -> Tried:
        """Run all steps; each is reported as soon as it is done, with secrets masked by default. Ends the command if the recording
        cannot be read."""
        mask = Masker(secrets_of(self.config))
        sources = {one.key: one.source for one in _with_overrides(self.tools.sheet(self.account.options), *self._place).entries}
        tried = Tried([])

        async def work() -> None:
            async with self._server(mask, emulator=emulator) as (context, chat):
                tried.chat = chat
                found = self.tools.trial(context, chat, only=self.only, reading=reading, played=played)
                async with contextlib.aclosing(found):
                    async for step in found:
                        one = step if unmasked else masked(_placed(step, sources), mask)
                        tried.steps.append(one)
                        if on_step is not None:
                            on_step(one)

        try:
            asyncio.run(work())
        except ConfigFault as fault:
            fail(str(fault), EX_USAGE, json=json)
        return tried

    @property
    def _place(self) -> tuple[Path, str]:
        return self.path, self.account.name

    @asynccontextmanager
    async def _server(self, mask: Masker, *, emulator: bool) -> AsyncIterator[tuple[AdapterContext, str]]:
        """The account's own server, or an emulator of it with one chat."""
        if not emulator:
            yield self._context(self.account.options), self.chat
            return
        from adapters import registry

        stand_in = registry.load_emulator(self.account.platform)
        await stand_in.start()
        try:
            chat = stand_in.add_chat("dialect-test")
            options = self.account.options
            given = {name: getattr(options, name) for name in options.model_fields_set}
            model = registry.load_platform(self.account.platform).options()
            mask.add(str(value) for key, value in stand_in.account_options().items() if "key" in key)
            yield self._context(model.model_validate({**given, **stand_in.account_options()})), chat.address
        finally:
            await stand_in.stop()

    def _context(self, options: Any) -> AdapterContext:
        return AdapterContext(account=self.account.name, options=options, web=_NoWeb())


def _placed(step: Step, sources: dict[str, str]) -> Step:
    """Give complaints about overridden entries their place in bridge.yaml."""
    complaints = tuple(
        one if one.source else msgspec.structs.replace(one, source=sources.get(one.entry, "")) for one in step.complaints
    )
    return msgspec.structs.replace(step, complaints=complaints)


def masked(step: Step, mask: Masker) -> Step:
    """The step with the secrets masked in all of its texts."""
    return msgspec.convert(_masked(msgspec.to_builtins(step), mask), Step)


def _masked(value: Any, mask: Masker) -> Any:
    match value:
        case str():
            return mask(value)
        case dict():
            return {mask(str(key)): _masked(inner, mask) for key, inner in value.items()}
        case list() | tuple():
            return [_masked(inner, mask) for inner in value]
        case _:
            return value


class _NoWeb:
    """The public listener of a trial, which never listens."""

    public_url = ""

    def mount(self, name: str, handler: WebHandler) -> str:
        return ""

    def unmount(self, name: str) -> None:
        pass

    def serve_keys(self, handler: KeyHandler) -> None:
        pass
