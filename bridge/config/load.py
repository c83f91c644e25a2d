"""Reads bridge.yaml: every fault of the whole file at once, or the `Config`. Called by the composition root and the CLI.

The steps: parse with positions (`nodes`), read each section (`accounts`, `routes`, `filters`, `people`, `sections`), check the
whole (`check`). Nothing here raises on bad input, opens a connection, or shows a secret.
"""

from __future__ import annotations

import contextlib
import gc
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from yaml.nodes import MappingNode, Node

from bridge.config import check, nodes
from bridge.config.accounts import Account, Manifests, read_accounts
from bridge.config.commands import read_commands
from bridge.config.faults import Faults, TooManyFaults, did_you_mean
from bridge.config.model import (
    AccountConfig,
    Config,
    JournalConfig,
    Loaded,
    LogConfig,
    MediaConfig,
    WebConfig,
)
from bridge.config.nodes import Entries, Entry
from bridge.config.ops import read_ops
from bridge.config.otel import read_otel
from bridge.config.people import read_people
from bridge.config.relay import RELAY_KEYS, cascade, read_relay
from bridge.config.route_tests import run_tests
from bridge.config.routes import ReadRoute, RouteReader
from bridge.config.sections import JournalSection, LogSection, MediaSection, ShutdownSection
from bridge.config.showing import Shown, keys_of, shown
from bridge.config.values import Absent, Values
from bridge.config.web import WebSection, check_listeners, web_config
from bridge.identity.people import People, Person
from bridge.model.errors import ConfigFault
from bridge.model.platform import Platform
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.redact import Masker
from bridge.policy.routing import RelayOptions

SECTIONS = (
    "accounts",
    "routes",
    "people",
    "defaults",
    "journal",
    "media",
    "web",
    "log",
    "shutdown",
    "commands",
    "ops",
    "otel",
    "people_match",
    "reserved_names",
)
PEOPLE_MATCHES = ("off", "email")
PRIVATE_PREFIX = "x-"
"""Top-level keys with this prefix are ignored: admins keep anchors there."""

_JOURNAL_NAME = "messenger-bridge.journal"
_LARGEST_FILE_BYTES = 64 * 1024 * 1024

Model = TypeVar("Model", bound=BaseModel)


def load_config(
    path: Path,
    environ: Mapping[str, str],
    manifests: Manifests,
    platforms: Sequence[str] = (),
    *,
    absent: Absent = Absent.FAULT,
) -> Loaded:
    """Read and check a configuration file.

    `manifests` gives a platform's manifest and raises KeyError for an unknown one; `platforms` are the names it knows, for hints.
    Relative paths in the file are relative to the file's folder. Accounts whose values are `absent` have no options (None)."""
    faults = Faults(str(path))
    values = Values(faults, environ, path.parent, absent)
    config = None
    text = _read(path, faults)
    if text is not None:
        with _no_collection():
            root = nodes.parse(text, faults)
            if root is not None:
                with contextlib.suppress(TooManyFaults):
                    config = _Reader(path, values, environ, manifests, platforms).config(root)
            elif not faults.faults:
                faults.add(None, "", "the file is empty", hint="bridge.yaml.example shows all options")
    found, warnings = faults.in_order(Masker(values.secrets))
    return Loaded(None if found else config, found, warnings, values.seen(text or ""))


def show_config(path: Path, environ: Mapping[str, str], platforms: Mapping[str, Platform]) -> Shown:
    """The file as it may be shown. Everything that is a secret in it is looked for, as far as it can be read."""
    faults = Faults(str(path))
    values = Values(faults, environ, path.parent, Absent.LEFT_OUT)
    text = _read(path, faults)
    if text is None:
        return Shown("", why=faults.faults[0].why)
    root = nodes.parse(text, faults)
    if root is not None:
        with contextlib.suppress(TooManyFaults):
            _Reader(path, values, environ, platforms.__getitem__, tuple(platforms)).config(root)
    return shown(text, root, values.secrets, keys_of(platforms.values(), RELAY_KEYS), SECTIONS)


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """Where the journal is. `is_default`: the file does not say it."""

    path: Path
    is_default: bool


def find_journal(path: Path, environ: Mapping[str, str]) -> tuple[JournalPlace | None, list[ConfigFault]]:
    """Where the journal is, and nothing else: for tools beside the daemon, whose shell has none of the daemon's secrets."""
    faults = Faults(str(path))
    values = Values(faults, environ, path.parent)
    text = _read(path, faults)
    root = nodes.parse(text, faults) if text is not None else None
    section = JournalSection()
    if isinstance(root, MappingNode):
        with contextlib.suppress(TooManyFaults):
            entry = nodes.entries(root, "", Faults("")).get("journal")
            if entry is not None and not nodes.is_null(entry.value):
                found = values.mapping(entry.value, "journal")
                section = (found and values.model(JournalSection, found, entry.key, "journal")) or section
    elif not faults.faults:
        faults.add(root, "", "must be a mapping with accounts: and routes:")
    found_faults, _ = faults.in_order(Masker(values.secrets))
    place = JournalPlace(_journal_path(section, values, environ), section.path is None)
    return (None if found_faults else place), found_faults


def _journal_path(section: JournalSection, values: Values, environ: Mapping[str, str]) -> Path:
    if section.path is not None:
        return section.path
    # systemd sets it for units with StateDirectory=; several are separated by colons
    state = environ.get("STATE_DIRECTORY", "").split(":")[0]
    return (Path(state) if state else values.folder) / _JOURNAL_NAME


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Thousands of routes make millions of objects and no garbage cycles: the collector would only double the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(path: Path, faults: Faults) -> str | None:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        faults.add(None, "", f"cannot be read: {error.strerror or error}")
        return None
    if len(raw) > _LARGEST_FILE_BYTES:
        faults.add(None, "", f"is larger than {_LARGEST_FILE_BYTES >> 20} MiB")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(None, "", f"is not UTF-8 text: line {raw.count(bytes([10]), 0, error.start) + 1}")
        return None


class _Reader:
    def __init__(
        self, path: Path, values: Values, environ: Mapping[str, str], manifests: Manifests, platforms: Sequence[str]
    ) -> None:
        self._path = path
        self._values = values
        self._environ = environ
        self._faults = values.faults
        self._manifests = manifests
        self._platforms = platforms

    def config(self, root: Node) -> Config | None:
        if not isinstance(root, MappingNode):
            self._faults.add(root, "", f"must be a mapping with accounts: and routes:, not {nodes.kind(root)}")
            return None
        found = nodes.entries(root, "", self._faults)
        for name, entry in found.items():
            if name not in SECTIONS and not name.startswith(PRIVATE_PREFIX):
                hint = did_you_mean(name, SECTIONS)
                self._faults.add(entry.key, name, f"unknown section {name!r}", value=name, hint=hint)
        # `journal:` with nothing (or only comments) under it is the same as no `journal:`
        given = {name: entry for name, entry in found.items() if not nodes.is_null(entry.value)}
        defaults = self._defaults(given)
        accounts = self._accounts(given, root)
        reader = RouteReader(self._values, accounts, defaults)
        routes = self._routes(given, root, reader)
        people = self._people(given, accounts)
        self._run_tests(routes, people)
        journal, media = self._folders(given)
        web = self._web(given, accounts)
        log = self._section(given, "log", LogSection) or LogSection()
        if log.content:
            why = "what people write goes into the log" if log.level == "debug" else "has no effect without level: debug"
            self._faults.warn(given["log"].value, "log.content", why)
        shutdown = self._section(given, "shutdown", ShutdownSection) or ShutdownSection()
        commands = read_commands(self._values, given, accounts, routes)
        ops = read_ops(self._values, given, reader)
        otel = read_otel(self._values, given)
        people_match = self._people_match(given)
        reserved = self._reserved(given)
        self._check_whole(accounts, routes, ops.chats)
        if self._faults.faults:
            return None
        return Config(
            path=self._path,
            accounts={AccountName(account.name): _configured(account, defaults) for account in accounts.values()},
            routes=tuple(one.route for one in routes),
            people=people,
            journal=journal,
            media=media,
            web=web,
            log=LogConfig(format=log.format, level=log.level, content=log.content),
            drain_s=shutdown.drain_s,
            reserved_names=reserved,
            commands=commands,
            ops=ops,
            otel=otel,
            people_match=people_match,
        )

    def _check_whole(self, accounts: Mapping[str, Account], routes: Sequence[ReadRoute], told: Sequence[ChatAddress]) -> None:
        check.check_credentials(self._faults, accounts)
        check.check_encryption(self._faults, accounts)
        check.check_doubles(self._faults, accounts, routes)
        if not self._faults.faults:
            check.check_unused(self._faults, accounts, routes, told)
        self._check_own_mode()

    # -- sections -----------------------------------------------------------------------------------------------------------

    def _accounts(self, given: Entries, root: Node) -> dict[str, Account]:
        if "accounts" not in given:
            self._faults.add(root, "accounts", "there are no accounts", hint="bridge.yaml.example shows how to write them")
            return {}
        accounts = read_accounts(self._values, given["accounts"].value, self._manifests, self._platforms)
        if not accounts and isinstance(given["accounts"].value, MappingNode):
            self._faults.add(given["accounts"].value, "accounts", "there are no accounts")
        return accounts

    def _routes(self, given: Entries, root: Node, reader: RouteReader) -> list[ReadRoute]:
        entry = given.get("routes")
        if entry is None or entry.value.value == []:
            self._faults.warn(entry.value if entry else root, "routes", "there are no routes: nothing will be relayed")
            return []
        return reader.read(entry.value)

    def _defaults(self, given: Entries) -> RelayOptions:
        if "defaults" not in given:
            return RelayOptions()
        entry = given["defaults"]
        found = self._values.mapping(entry.value, "defaults")
        return cascade(RelayOptions(), read_relay(self._values, found or {}, entry.key, "defaults"))

    def _people(self, given: Entries, accounts: Mapping[str, Account]) -> tuple[Person, ...]:
        return read_people(self._values, given["people"].value, accounts) if "people" in given else ()

    def _run_tests(self, routes: Sequence[ReadRoute], people: Sequence[Person]) -> None:
        """Only where all the rest is right."""
        if self._faults.faults:
            return
        known = People(people)
        for one in routes:
            if one.tests is not None:
                run_tests(self._values, one.route, one.tests, f"{one.key}.tests", known)

    def _folders(self, given: Entries) -> tuple[JournalConfig, MediaConfig]:
        journal = self._section(given, "journal", JournalSection) or JournalSection()
        media = self._section(given, "media", MediaSection) or MediaSection()
        path = _journal_path(journal, self._values, self._environ)
        check.check_folder(self._faults, _at(given, "journal", "path"), "journal.path", path)
        if media.spool is not None:
            check.check_folder(self._faults, _at(given, "media", "spool"), "media.spool", media.spool)
        spool = media.spool or path.with_suffix(".spool")
        check.check_spool(self._faults, _at(given, "media", "spool") or _at(given, "journal", "path"), spool, path)
        return (
            JournalConfig(path=path, keep_days=journal.keep_days),
            MediaConfig(
                spool=media.spool,
                spool_mb=media.spool_mb,
                links=media.links,
                link_days=media.link_days,
                avatars=media.avatars,
                convert=media.convert == "auto",
            ),
        )

    def _web(self, given: Entries, accounts: Mapping[str, Account]) -> WebConfig:
        web = self._section(given, "web", WebSection) or WebSection()
        places = {name: node for name in ("public", "admin") if (node := _at(given, "web", name)) is not None}
        check_listeners(self._faults, places, web)
        if not _has(given, "web", "public"):
            check.check_public_web(self._faults, accounts)
        return web_config(web)

    def _section(self, given: Entries, name: str, model: type[Model]) -> Model | None:
        if name not in given:
            return None
        found = self._values.mapping(given[name].value, name)
        return None if found is None else self._values.model(model, found, given[name].key, name, partial=True)

    def _people_match(self, given: Entries) -> str:
        if "people_match" not in given:
            return "off"
        at = given["people_match"].value
        found = self._values.text(at, "people_match") or "off"
        if found not in PEOPLE_MATCHES:
            why = f"must be one of {', '.join(PEOPLE_MATCHES)} (found {found!r})"
            self._faults.add(at, "people_match", why, value=found, hint=did_you_mean(found, PEOPLE_MATCHES))
        return found

    def _reserved(self, given: Entries) -> tuple[str, ...]:
        if "reserved_names" not in given:
            return ()
        items = self._values.sequence(given["reserved_names"].value, "reserved_names")
        texts = [self._values.text(node, f"reserved_names[{index}]") for index, node in enumerate(items)]
        return tuple(text for text in texts if text)

    def _check_own_mode(self) -> None:
        """A file with secrets in it should not be readable by everyone."""
        if not self._values.literal_secrets:
            return
        try:
            open_to_all = stat.S_IMODE(self._path.stat().st_mode) & stat.S_IROTH
        except OSError:
            return
        if open_to_all:
            node, key = self._values.literal_secrets[0]
            why = f"a secret in a file that everyone can read ({len(self._values.literal_secrets)} in all)"
            self._faults.warn(node, key, why, hint=f"chmod 640 {self._path}, or use ${{VAR}} or a *_file key")


def _configured(account: Account, defaults: RelayOptions) -> AccountConfig:
    relay = cascade(defaults, account.given)
    return AccountConfig(name=AccountName(account.name), platform=account.platform, options=account.options, relay=relay)


def _has(given: Entries, section: str, key: str) -> bool:
    entry = given.get(section)
    if entry is None or not isinstance(entry.value, MappingNode):
        return False
    found = nodes.entries(entry.value, section, Faults("")).get(key)
    return found is not None and not nodes.is_null(found.value)


def _at(given: Entries, section: str, key: str) -> Node | None:
    """The node of a key in a section, or of the section itself."""
    entry: Entry | None = given.get(section)
    if entry is None or not isinstance(entry.value, MappingNode):
        return None
    found = nodes.entries(entry.value, section, Faults("")).get(key)
    return found.value if found else entry.key
