"""The checks of `check --online` for each account: whether the chats exist, and the adapter's own probe. Sends no messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bridge.config.model import AccountConfig, Config
from bridge.config.secrets import secrets_of
from bridge.model.adapter import Adapter, LooksUpPeople
from bridge.model.errors import AccountDown, BridgeError, ChatDown, ConnectionLost, RetryLater
from bridge.model.platform import AdapterContext, Platform
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.redact import Masker
from bridge.policy.routing import RoutingTable

if TYPE_CHECKING:
    from bridge.model.web_mount import KeyHandler, WebHandler

_CLOSE_S = 5.0
_MOST_PEOPLE = 100
"""The most people looked up on each account, so that a check ends in time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One item of a probe. `temporary`: the platform could not be reached; a later check may succeed."""

    account: str
    where: str
    name: str
    ok: bool
    detail: str = ""
    action: str = ""
    temporary: bool = False

    def data(self) -> dict[str, Any]:
        return asdict(self)


async def probe_all(config: Config, manifests: Callable[[str], Platform], *, timeout_s: float) -> Sequence[Finding]:
    """All accounts at once, each within `timeout_s`. One account's failure is its own finding."""
    table = config.routing_table()
    mask = Masker(secrets_of(config))
    entries: dict[AccountName, dict[str, str]] = {}
    for person in config.people:
        for account_name, entry in person.ids.items():
            entries.setdefault(account_name, {})[person.name] = entry
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                _Probe(account, table, manifests(account.platform), config.web.public_url, entries.get(name, {})).run(timeout_s),
                name=f"probe {name}",
            )
            for name, account in config.accounts.items()
        ]
    return [_masked(found, mask) for task in tasks for found in task.result()]


class _Probe:
    def __init__(
        self, account: AccountConfig, table: RoutingTable, manifest: Platform, public_url: str, people: Mapping[str, str]
    ) -> None:
        """`people`: name -> what `people` in bridge.yaml calls that person on this account."""
        self._account = account
        self._table = table
        self._addresses = [address.address for address in table.addresses(account.name)]
        self._manifest = manifest
        self._people = people
        self._web = NoWeb(account.name, public_url)
        self._findings: list[Finding] = []

    async def run(self, timeout_s: float) -> list[Finding]:
        adapter: Adapter | None = None
        if self._account.options is None:
            action = "run this command as root, or as the service's user with its environment"
            self._add("", "account", ok=False, detail="not checked: its secrets cannot be read here", action=action)
            return self._findings
        try:
            async with asyncio.timeout(timeout_s):
                context = AdapterContext(account=self._account.name, options=self._account.options, web=self._web)
                adapter = self._manifest.build(context)
                await self._ask(adapter)
        except TimeoutError:
            self._add("", "connection", ok=False, detail=f"no answer within {timeout_s:g} s", temporary=True)
        except AccountDown as error:
            self._add("", "account", ok=False, detail=error.reason, action=error.action)
        except (RetryLater, ConnectionLost, OSError) as error:
            self._add("", "connection", ok=False, detail=f"cannot be reached: {error}", temporary=True)
        except BridgeError as error:
            self._add("", "account", ok=False, detail=error.reason)
        except Exception as error:
            # an adapter's bug is a finding here, with its name; the other accounts' findings are still wanted
            self._add("", "account", ok=False, detail=f"unexpected {type(error).__name__}: {error}")
        finally:
            if adapter is not None:
                with contextlib.suppress(TimeoutError, OSError, BridgeError):
                    async with asyncio.timeout(_CLOSE_S):
                        await adapter.close()
        return self._findings

    async def _ask(self, adapter: Adapter) -> None:
        names: dict[str, str] = {}
        for address in self._addresses:
            try:
                names[await adapter.resolve(address)] = address
            except ChatDown as error:
                self._add(address, "chat", ok=False, detail=error.reason, action=error.action)
            except RetryLater as error:
                self._add(address, "chat", ok=False, detail=error.reason, temporary=True)
        items = await adapter.probe(list(names))
        ends = [ChatAddress(self._account.name, names.get(item.chat_id, item.chat_id)) for item in items]
        heard = [not item.deaf or item.ok or self._table.hears(end) for item, end in zip(items, ends, strict=True)]
        is_deaf = any(is_heard and item.deaf and item.chat_id and not item.ok for item, is_heard in zip(items, heard, strict=True))
        for item, end, is_heard in zip(items, ends, heard, strict=True):
            where = end.address
            if not is_heard and (item.chat_id or not is_deaf):
                continue  # nothing is relayed from there
            if item.whole_chat and not self._table.sends_into(end):
                continue
            has_threads = self._table.mirrors_threads(end)
            if item.every_thread and not has_threads:
                continue
            ok = item.ok and not (item.bars_threads and has_threads)
            self._add(where, item.name, ok=ok, detail=item.detail, action=item.action, temporary=item.temporary and not ok)

        await self._ask_for_people(adapter)

    async def _ask_for_people(self, adapter: Adapter) -> None:
        """Looks up the entries of `people` on the platform. An unknown person is not a fault: messages are relayed all the same."""
        if not isinstance(adapter, LooksUpPeople):
            return
        for name, entry in list(self._people.items())[:_MOST_PEOPLE]:
            try:
                found = await adapter.person(entry.strip().removeprefix("@"))
            except BridgeError as error:
                self._add("", f"person {name}", ok=True, detail=f"{entry}: not looked up: {error}")
                continue
            if found is None:
                self._add("", f"person {name}", ok=True, detail=f"{entry}: no person, or several, found: mentions may ping nobody")
                continue
            who = ", ".join(dict.fromkeys(part for part in (found.name, found.username, found.user_id) if part))
            self._add("", f"person {name}", ok=True, detail=f"{entry} is {who}")
        if len(self._people) > _MOST_PEOPLE:
            self._add("", "people", ok=True, detail=f"{len(self._people) - _MOST_PEOPLE} more are not looked up")

    def _add(self, where: str, name: str, *, ok: bool, detail: str = "", action: str = "", temporary: bool = False) -> None:
        self._findings.append(Finding(self._account.name, where, name, ok, detail, action, temporary))


def _masked(found: Finding, mask: Masker) -> Finding:
    return Finding(found.account, found.where, mask(found.name), found.ok, mask(found.detail), mask(found.action), found.temporary)


class NoWeb:
    """A probe does not listen: mounts are taken and forgotten. Their paths are the daemon's, since a probe may show them."""

    def __init__(self, account: str, public_url: str) -> None:
        self._account = account
        self.public_url = public_url

    def mount(self, name: str, handler: WebHandler) -> str:
        return f"/hooks/{self._account}/{name}"

    def unmount(self, name: str) -> None:
        pass

    def serve_keys(self, handler: KeyHandler) -> None:
        pass
