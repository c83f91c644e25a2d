"""Dialects that are shipped, one YAML file each, and what `messenger-bridge dialect` does with them and with an admin's own.

The registry looks for `TOOLS`; the work is in `trial` and `dialect.load`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adapters.teamspirit.config import DEFAULT_DIALECT, TeamSpiritOptions, load
from adapters.teamspirit.dialect.load import Loaded, load_dialect, shipped_names
from adapters.teamspirit.trial.bench import Bench
from adapters.teamspirit.trial.recording import as_recording, read_recording
from adapters.teamspirit.trial.steps import Trial, chosen, sentences, there
from bridge.model.dialects import DialectEntry, DialectSheet, Step

if TYPE_CHECKING:
    from bridge.model.platform import AdapterContext


class _Tools:
    """See `bridge.model.dialects.Dialects`. Options have passed the check, but for those of `sheet`."""

    def names(self) -> Sequence[str]:
        return shipped_names()

    def sheet(self, options: TeamSpiritOptions) -> DialectSheet:
        return _sheet(load(options))

    def sheet_of(self, name_or_path: str, overrides: Mapping[str, Any] | None = None) -> DialectSheet:
        return _sheet(load_dialect(name_or_path or DEFAULT_DIALECT, overrides))

    def operations(self, options: TeamSpiritOptions) -> Sequence[str]:
        return there(options.read_dialect)

    def writes(self, options: TeamSpiritOptions, chat: str, only: Collection[str]) -> Sequence[str]:
        return sentences(options.read_dialect, chat, only)

    async def trial(
        self, context: AdapterContext, chat: str, *, only: Collection[str] = (), reading: bool = False, played: Any = None
    ) -> AsyncGenerator[Step, None]:
        loaded = load(context.options)
        assert loaded.dialect is not None, "options with faults are not tried"
        recording = read_recording(played) if played is not None else None
        if recording is None:
            bench = Bench(context, loaded.dialect, chat)
        else:
            bench = Bench(context, loaded.dialect, recording.chat, recording.answers)
        sources = {entry.key: entry.source for entry in loaded.entries}
        async for step in Trial(bench, sources).run(chosen(loaded.dialect, only, reading=reading)):
            yield step

    def recording(self, context: AdapterContext, chat: str, steps: Sequence[Step]) -> Any:
        return as_recording(context.options, chat, steps)


def _sheet(loaded: Loaded) -> DialectSheet:
    dialect = loaded.dialect
    if dialect is None:
        return DialectSheet(faults=tuple(loaded.faults))
    entries = tuple(DialectEntry(key=one.key, value=one.value, source=one.source) for one in loaded.entries)
    return DialectSheet(name=dialect.dialect, title=dialect.title, verified=dialect.verified, entries=entries)


TOOLS = _Tools()
