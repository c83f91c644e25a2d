"""A dashboard with two users, and visitors of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.dashboard import USERS, Board, Visitor


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Board]]]:
    boards: list[Board] = []

    async def build(**more: Any) -> Board:
        board = Board(tmp_path, **{"dashboard": {"users": USERS}, **more})
        await board.start()
        boards.append(board)
        return board

    yield build
    for board in boards:
        await board.stop()


@pytest.fixture
async def board(make: Callable[..., Awaitable[Board]]) -> Board:
    return await make()


@pytest.fixture
async def visitor(board: Board) -> AsyncIterator[Visitor]:
    async with board.visitor() as visitor:
        yield visitor


@pytest.fixture
async def anna(visitor: Visitor) -> Visitor:
    """Signed in; may operate."""
    assert (await visitor.sign_in()).status == 200
    return visitor
