"""The card that a served library states: taken as it is, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bilderatlas.errors import PackageError
from bilderatlas.exchange.served import _card_of
from bilderatlas.extractors.base import EXTRACTORS

CARD = EXTRACTORS.get("raw_32.pixels").card
STATED = json.loads(json.dumps(CARD.to_json()))


def test_a_card_comes_over_with_its_types() -> None:
    card = _card_of({"card": STATED | {"of_a_newer_version": 1}}, "http://x/c/y")
    assert card == CARD
    assert all(type(getattr(card, n)) is type(getattr(CARD, n)) for n in STATED)


@pytest.mark.parametrize(
    "change",
    [
        {"dim": "3072"},
        {"dim": 3072.0},
        {"dim": True},
        {"dim": 0},
        {"dim": 10**12},
        {"dtype": "f64"},
        {"version": "1"},
        {"side_px": "32"},
        {"many_rows": "yes"},
        {"many_rows": 1},
        {"embeds_text": "no"},
        {"languages": "en"},
        {"languages": [1]},
        {"metrics": "angular"},
        {"metrics": []},
        {"metrics": ["crow"]},
        {"text_tower": "a"},
        {"projection": []},
        {"weights": {}},
        {"preprocessing": ["resize"]},
        {"judges_by": 7},
        {"model_id": "../x"},
        {"weights_sha256": "abc"},
    ],
    ids=str,
)
def test_nothing_is_converted(change: dict[str, Any]) -> None:
    with pytest.raises(PackageError) as caught:
        _card_of({"card": STATED | change}, "http://x/c/y")
    assert caught.value.reason_code == "card"
