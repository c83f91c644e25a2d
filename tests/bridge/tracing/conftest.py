"""What became of messages is asked for by the command line."""

from __future__ import annotations

from tests.bridge.cli.conftest import cli as cli
from tests.bridge.cli.conftest import folder as folder
from tests.bridge.cli.traced import traced_journal as traced_journal
