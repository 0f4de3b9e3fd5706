"""No file ends the program, none hangs it, and each gets a picture or a known reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from bilderatlas.errors import Failure
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.refusals import SENTENCES
from tests.images.hostile import OPENS, Hostile, iter_attacks, iter_hostile, iter_mutations
from tests.images.pictures import encoded, quarters

LIMITS = dataclasses.replace(DecodeLimits(), timeout_s=4.0)
BUDGET = {"decoder-died", "bad-answer"}  # never expected of today's decoders


def run_campaign(files: list[Hostile]) -> dict[str, str]:
    """Open all, a sound picture after every tenth; return the verdict on each by name."""
    sound = Hostile("sound", encoded(quarters(), "JPEG"))
    verdicts: dict[str, str] = {}

    def mixed() -> Iterator[tuple[Hostile, bytes]]:
        for number, file in enumerate(files):
            yield file, file.content
            if number % 10 == 0:
                yield sound, sound.content

    with Decoder(LIMITS, n_children=2) as decoder:
        for file, result in decoder.iter_decoded(
            mixed(), side_px=320, thumbnails=True, subject=lambda file: file.name
        ):
            if isinstance(result, Failure):
                assert result.code in SENTENCES, file.name
                assert (result.subject, result.stage) == (file.name, "decode")
                assert result.reason.endswith(".")
                verdicts[file.name] = result.code
            else:
                assert result.pixels.shape[2] == 3
                verdicts[file.name] = OPENS
        assert decoder.peak_child_bytes <= LIMITS.memory_bytes
    assert verdicts.pop("sound") == OPENS
    return verdicts


def assert_as_expected(files: list[Hostile], verdicts: dict[str, str]) -> None:
    assert len(verdicts) == len(files)
    wrong = {f.name: verdicts[f.name] for f in files if f.expected}
    wrong = {f.name: wrong[f.name] for f in files if f.expected and wrong[f.name] not in f.expected}
    assert wrong == {}
    assert BUDGET.isdisjoint(verdicts.values())


def test_a_hundred_hostile_files() -> None:
    attacks = [file for file in iter_attacks() if file.name != "scans.jpg"]
    files = attacks[::2] + list(iter_hostile(160))[-48:]
    verdicts = run_campaign(files)
    assert len(files) >= 100
    assert_as_expected(files, verdicts)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [7, 1905])
def test_a_thousand_hostile_files(seed: int) -> None:
    files = list(iter_hostile(1000, seed))
    verdicts = run_campaign(files)
    assert_as_expected(files, verdicts)
    assert verdicts["scans.jpg"] == "too-slow"
    assert len(set(verdicts.values())) >= 9


def test_the_stream_is_a_function_of_its_seed() -> None:
    first, again, other = (
        [f.content for _, f in zip(range(30), iter_mutations(seed), strict=False)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
