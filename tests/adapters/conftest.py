"""What the tests of several adapters share."""

from __future__ import annotations

import pytest

from tests.support.network import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))
