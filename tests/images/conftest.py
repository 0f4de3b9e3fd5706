"""One decoder for the whole room: starting children is what costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bilderatlas.images.decoder import Decoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder(n_children=2) as shared:
        yield shared
