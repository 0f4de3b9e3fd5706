"""Deliberate mistakes, each made on a sound package; each must be caught, and by its own name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.checksums import file_sha256
from bilderatlas.errors import PackageError
from bilderatlas.exchange.canonical import sha256_of
from bilderatlas.exchange.format import MANIFEST_NAME
from bilderatlas.exchange.hypotheses import other_steps
from bilderatlas.exchange.manifest import id_of
from bilderatlas.exchange.verify import Pictures, VerifyReport, verify
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.raw import RawPixels
from tests.exchange.packages import Work, paint, write_package
from tests.exchange.small_network import STEPS, SmallExtractor

WORKS = [paint(seed) for seed in range(20)]
HONEST = SmallExtractor()
Extract = Callable[[Sequence[Pixels]], list[ImageRows]]


def pictures_of(works: Sequence[Work]) -> Pictures:
    by_sha256 = {work.sha256: work for work in works}
    by_bytes = {work.png: work for work in works}
    return Pictures(
        frozenset(by_sha256),
        lambda sha256: by_sha256[sha256].png,
        lambda data, side_px: by_bytes[data].pixels,
    )


def checked(folder: Path) -> VerifyReport:
    return verify(folder, HONEST, pictures=pictures_of(WORKS))


def on_pixels(change: Callable[[Pixels], Pixels]) -> Extract:
    return lambda images: HONEST.extract_batch(
        [np.ascontiguousarray(change(image)) for image in images]
    )


def with_step(name: str, **values: Any) -> Extract:
    steps = [{**step, **values} if step["step"] == name else step for step in STEPS]
    return HONEST.with_steps(steps).extract_batch


def without_step(name: str) -> Extract:
    return HONEST.with_steps([step for step in STEPS if step["step"] != name]).extract_batch


def swapped(vectors: np.ndarray) -> np.ndarray:
    order = np.arange(len(vectors))
    order[[3, 11]] = order[[11, 3]]
    return vectors[order]


# Mistakes of a package that is written afresh, or of files that were spoilt afterwards


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest and give it the id that belongs to it: nobody's slip, an honest error."""
    path = folder / MANIFEST_NAME
    values = json.loads(path.read_text("utf-8"))
    change(values)
    values["id"] = id_of(values)
    path.write_text(json.dumps(values), "utf-8")


def rewrite_part(folder: Path, change: Callable[[Any], Any]) -> None:
    """Change the second part, and let the manifest state its new hash."""
    path = folder / "part-000002.parquet"
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)

    def restate(values: dict[str, Any]) -> None:
        part = values["integrity"]["parts"][1]
        part["sha256"], part["n_bytes"] = file_sha256(path), path.stat().st_size

    rewrite(folder, restate)


def truncate(folder: Path) -> None:
    path = folder / "part-000002.parquet"
    path.write_bytes(path.read_bytes()[:-700])


def flip_a_byte(folder: Path) -> None:
    path = folder / "part-000001.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def remove_a_part(folder: Path) -> None:
    (folder / "part-000002.parquet").unlink()


def repeat_an_id(folder: Path) -> None:
    def change(table: Any) -> Any:
        ids = table.column("item_id").to_pylist()
        ids[1] = ids[0]
        place = table.schema.get_field_index("item_id")
        return table.set_column(place, table.schema.field(place), [ids])

    rewrite_part(folder, change)


def put_a_nan(folder: Path) -> None:
    def change(table: Any) -> Any:
        vectors = table.column("vector").to_pylist()
        vectors[2][5] = float("nan")
        place = table.schema.get_field_index("vector")
        column = pa.array(vectors, table.schema.field(place).type)
        return table.set_column(place, table.schema.field(place), column)

    rewrite_part(folder, change)


def edit_the_manifest(folder: Path) -> None:
    path = folder / MANIFEST_NAME
    path.write_text(path.read_text("utf-8").replace('"bicubic"', '"lanczos"'), "utf-8")


def mix_parts(folder: Path) -> None:
    """Put in a part of another package, with a manifest that was patched to like it."""
    other = folder.parent / "other"
    write_package(other, replace_card(HONEST, tap="the first layer"), WORKS)
    rewrite_file = folder / "part-000002.parquet"
    rewrite_file.write_bytes((other / "part-000002.parquet").read_bytes())

    def restate(values: dict[str, Any]) -> None:
        part = values["integrity"]["parts"][1]
        part["sha256"], part["n_bytes"] = file_sha256(rewrite_file), rewrite_file.stat().st_size

    rewrite(folder, restate)


def replace_card(extractor: SmallExtractor, **facts: Any) -> SmallExtractor:
    other = SmallExtractor()
    other.base_card = replace(extractor.base_card, **facts)  # type: ignore[misc]
    return other


@dataclass(frozen=True)
class Mistake:
    """How vectors are made or spoilt, and the code by which that must be named."""

    code: str
    extract: Extract | None = None
    change: Callable[[np.ndarray], np.ndarray] = lambda vectors: vectors
    dtype: str | None = None
    spoil: Callable[[Path], None] = lambda folder: None
    maker: SmallExtractor = HONEST


MISTAKES = {
    "BGR for RGB": Mistake("bgr", on_pixels(lambda p: p[:, :, ::-1])),
    "wrong resize filter": Mistake("resize-filter", with_step("resize", filter="bilinear")),
    "no antialiasing": Mistake("resize-filter", with_step("resize", antialias=False)),
    "missing normalisation": Mistake("normalisation", without_step("normalise")),
    "other mean and deviation": Mistake(
        "normalisation", with_step("normalise", mean=[0.5] * 3, std=[0.5] * 3)
    ),
    "not divided by 255": Mistake("scale", without_step("scale")),
    "another crop": Mistake("crop", with_step("resize", mode="squash", size_px=40)),
    "EXIF orientation ignored": Mistake("orientation", on_pixels(lambda p: np.rot90(p, 1))),
    "mirrored": Mistake("mirrored", on_pixels(lambda p: p[:, ::-1])),
    "fp16 overflow": Mistake("overflow", change=lambda v: v * 1e7, dtype="f16"),
    "fp16 clipped": Mistake(
        "clipped", change=lambda v: np.clip(v * 1e7, -65504, 65504), dtype="f16"
    ),
    "another layer": Mistake("other-layer", SmallExtractor(layer=1).extract_batch),
    "another layer, other length": Mistake("other-layer", change=lambda v: v[:, :48]),
    "swapped rows": Mistake("swapped-rows", change=swapped),
    "shifted rows": Mistake("swapped-rows", change=lambda v: np.roll(v, 1, axis=0)),
    "not normalised": Mistake("not-normalised", change=lambda v: v * 2.5),
    "wrong weights": Mistake("other-weights", maker=SmallExtractor(seed=2)),
    "truncated part": Mistake("truncated-part", spoil=truncate),
    "changed byte": Mistake("changed-part", spoil=flip_a_byte),
    "missing part": Mistake("missing-part", spoil=remove_a_part),
    "part of another package": Mistake("other-description", spoil=mix_parts),
    "duplicate id": Mistake("duplicate-id", spoil=repeat_an_id),
    "NaN": Mistake("not-finite", spoil=put_a_nan),
    "edited manifest": Mistake("changed-manifest", spoil=edit_the_manifest),
}


def test_a_sound_package_passes(tmp_path: Path) -> None:
    write_package(tmp_path / "sound", HONEST, WORKS)
    report = checked(tmp_path / "sound")
    assert report.verdict == "same"
    assert not report.causes and not report.faults
    assert report.canary is not None and report.canary.min_cosine > 1 - 1e-6
    assert report.sample is not None and report.sample.n == len(WORKS)


def test_rounding_to_float16_is_no_mistake(tmp_path: Path) -> None:
    write_package(tmp_path / "rounded", HONEST, WORKS, dtype="f16")
    assert checked(tmp_path / "rounded").verdict == "same"


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_caught_and_named(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    folder = tmp_path / "package"
    write_package(
        folder,
        mistake.maker,
        WORKS,
        extract=mistake.extract,
        change=mistake.change,
        dtype=mistake.dtype,
    )
    mistake.spoil(folder)
    found = named_by(folder)
    assert mistake.code in found, f"{name}: {found}"


def named_by(folder: Path) -> list[str]:
    """Return the codes that validation and verification name."""
    try:
        report = checked(folder)
    except PackageError as error:
        return [error.reason_code]
    assert report.verdict == "differs"
    return [*(cause.code for cause in report.causes), *(fault.code for fault in report.faults)]


@pytest.mark.parametrize(
    "code, change",
    [
        ("bgr", lambda p: p[:, :, ::-1]),
        ("mirrored", lambda p: p[:, ::-1]),
        ("inverted", lambda p: 255 - p),
        ("orientation", lambda p: p[::-1, ::-1]),
        ("grey", lambda p: np.repeat(p @ np.array([0.299, 0.587, 0.114]) // 1, 3).reshape(p.shape)),
    ],
)
def test_mistakes_with_pixels_are_named_for_extractors_without_steps(
    code: str, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    extractor = RawPixels()
    write_package(
        tmp_path / "raw",
        extractor,
        WORKS,
        extract=lambda images: extractor.extract_batch(
            [np.ascontiguousarray(change(image)).astype(np.uint8) for image in images]
        ),
    )
    report = verify(tmp_path / "raw", extractor, pictures=pictures_of(WORKS))
    assert [cause.code for cause in report.causes[:1]] == [code]


def test_other_steps_all_differ() -> None:
    """No hypothesis is the card itself, and none is tried twice."""
    hashes = [sha256_of(list(steps)) for _, _, steps in other_steps(STEPS)]
    assert sha256_of(list(STEPS)) not in hashes
    assert len(set(hashes)) == len(hashes)


def test_without_a_canary_the_sample_decides(tmp_path: Path) -> None:
    flipped = on_pixels(lambda p: p[:, :, ::-1])
    write_package(tmp_path / "package", HONEST, WORKS, extract=flipped, canary=False)
    report = checked(tmp_path / "package")
    assert report.canary is None and report.verdict == "differs"
    assert [cause.code for cause in report.causes] == ["bgr"]
    assert "It flew away." in report.notes[0]


def test_nothing_to_try_is_said(tmp_path: Path) -> None:
    write_package(tmp_path / "package", HONEST, WORKS)
    report = verify(tmp_path / "package", None, why_no_extractor="There is none.")
    assert report.verdict == "untried"
    assert report.notes == ["There is none."]
