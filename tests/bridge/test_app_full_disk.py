"""The bridge's own disk fails for a moment, at each thing that is asked of the journal: nothing is lost, doubled or dead."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import JournalError
from bridge.model.adapter import Intake
from bridge.model.errors import OutcomeUnknown, RetryLater
from tests.bridge.delivery.test_outbox_files_apart import files
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge

ASKED = (
    "accept",
    "album",
    "behind",
    "cursor",
    "figures",
    "is_known",
    "link",
    "merged",
    "native_ids",
    "open_lanes",
    "pending",
    "prune",
    "reactions",
    "record",
    "set_native_id",
    "set_wait",
    "take_hurried",
)


class Redelivering(ScriptedAdapter):
    """What was not accepted comes again, in its order, as platforms do."""

    async def run(self, intake: Intake) -> None:
        intake.connected()
        self.platform.connections += 1
        while True:
            batch = await self.platform.incoming.get()
            try:
                await intake.accept(batch[0], cursors=batch[1])
            except JournalError:
                waiting = [batch]
                while not self.platform.incoming.empty():
                    waiting.append(self.platform.incoming.get_nowait())
                for one in waiting:
                    self.platform.incoming.put_nowait(one)
                raise


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("every", [2, 3])
async def test_a_journal_that_fails_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, every: int) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_WAIT_S", 0.05)
    monkeypatch.setattr("bridge.delivery.patient_journal._JOURNAL_RETRY_S", 0.01)
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)
    monkeypatch.setattr("bridge.journal.maintenance.INTERVAL_S", 0.05)
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.text_length = 60
    one.adapter = Redelivering
    one.files.update(a=b"a" * 10)
    late, real_open = Counter[str](), ScriptedAdapter.open_file

    def open_file(adapter: ScriptedAdapter, attachment: Any) -> Any:
        late[attachment.file_id] += 1
        if late[attachment.file_id] < 4:
            raise RetryLater("not now", after_s=0.05)
        return real_open(adapter, attachment)

    monkeypatch.setattr(ScriptedAdapter, "open_file", open_file)
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: two.connections)
        real, calls = getattr(app._journal, asked), Counter[str]()

        async def failing(*arguments: Any, **more: Any) -> Any:
            calls["made"] += 1
            if calls["made"] % every == 0 and calls["failed"] < 20:
                calls["failed"] += 1
                raise JournalError("disk full")
            return await real(*arguments, **more)

        monkeypatch.setattr(app._journal, asked, failing)
        two.faults.extend([None, (OutcomeUnknown("cut"), True), (RetryLater("busy", after_s=0.02, rate_limited=True), False)])
        said = {}
        for event in range(6):
            said[event] = one.say(f"m{event}")
        with_file = one.say("with a file", attachments=files("a"))
        one.say(" ".join(f"w{number}" for number in range(30)))
        one.edit(said[0], "M0")
        one.delete(said[1])
        one.react(said[2], "👍")
        one.edit(with_file, "with that file", attachments_known=False)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await eventually(lambda: any(b"a" * 10 in post.files for post in two.posted()))
        monkeypatch.setattr(app._journal, asked, real)
        await all_done(app)
        assert not await app._journal.dead_letters()
    texts = two.texts()
    words = " ".join(texts).split()
    assert [words.count(f"w{number}") for number in range(30)] == [1] * 30
    assert [" ".join(texts).count(word) for word in ("M0", "m0", "m1", "m2", "m3", "m4", "m5", "end")] == [1, 0, 0, 1, 1, 1, 1, 1]
    assert sum(b"a" * 10 in post.files for post in two.posted()) == 1
    assert " ".join(texts).count("with that file") == 1
