from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, public_web
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.adapters.teamspirit.receiver import Receiver
from tests.support.intake import RecordingIntake


@pytest.fixture
async def emulator() -> AsyncIterator[TeamSpiritEmulator]:
    server = TeamSpiritEmulator()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(emulator: TeamSpiritEmulator) -> AsyncIterator[httpx.AsyncClient]:
    """An independent client of the default dialect: its table, typed by hand."""
    headers = {"Authorization": f"Bearer {emulator.account_options()['api_key']}"}
    async with httpx.AsyncClient(base_url=f"{emulator.base_url}/api/v1", headers=headers, trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    server = Receiver()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def web() -> AsyncIterator[PublicWeb]:
    async with public_web() as listener:
        yield listener


@pytest.fixture
async def adapter(emulator: TeamSpiritEmulator) -> AsyncIterator[Adapter]:
    """Reads the history."""
    made = make_adapter(options_of(emulator))
    yield made
    await made.close()


@pytest.fixture
async def hooked(emulator: TeamSpiritEmulator, web: PublicWeb) -> AsyncIterator[Adapter]:
    """Is called by an outgoing webhook that it registers."""
    made = make_adapter(options_of(emulator), web)
    yield made
    await made.close()


@pytest.fixture
def intake() -> RecordingIntake:
    return RecordingIntake()


@pytest.fixture
async def server() -> AsyncIterator[MattermostServer]:
    one = MattermostServer()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def mattermost(server: MattermostServer) -> AsyncIterator[Adapter]:
    made = make_adapter(account_options(server))
    yield made
    await made.close()


@pytest.fixture
def channel(server: MattermostServer, intake: RecordingIntake) -> str:
    made = server.add_channel("town-square")
    intake.chats.add(made)
    return made
