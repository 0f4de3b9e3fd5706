"""Out of a library and back: to the bit, in every dtype; and what the published schema says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bilderatlas.arrays import Metric
from bilderatlas.errors import ConflictError, DiskFullError
from bilderatlas.exchange.base import open_features
from bilderatlas.exchange.canonical import canonical_json
from bilderatlas.exchange.diff import diff
from bilderatlas.exchange.export import export_space
from bilderatlas.exchange.format import MANIFEST_NAME
from bilderatlas.exchange.manifest import card_of, read_manifest
from bilderatlas.exchange.parts import stated_description
from bilderatlas.exchange.schema import schema_text
from bilderatlas.exchange.take_in import import_features
from bilderatlas.exchange.validate import validate
from bilderatlas.exchange.write import Identity
from bilderatlas.extractors.base import ImageRows
from bilderatlas.store.images import ImageState
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.segments import DTYPES
from tests.exchange.packages import paint, write_package
from tests.exchange.small_network import SmallExtractor
from tests.store.building import card, commit, failed_image, filled, new_image

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "features.schema.json"
WORKS = [paint(seed) for seed in range(6)]


def exported(library: LibraryStore, model_id: str, path: Path, name: str = "works") -> Path:
    export_space(library.get_collection(name), model_id, path, Identity("Works"))
    return path


def imported(library: LibraryStore, path: Path, name: str) -> None:
    with open_features(str(path)) as features:
        import_features(library, features, name)


@pytest.mark.parametrize("model_id", ["colour.test", "details.test"])
def test_there_and_back(model_id: str, library: LibraryStore, tmp_path: Path) -> None:
    first = filled(library)
    assert validate(exported(library, model_id, tmp_path / "one")) == []
    imported(library, tmp_path / "one", "second")
    second = library.get_collection("second")
    assert second.check() == []
    views = [one.space(model_id).snapshot() for one in (first, second)]
    for image in first.iter_images():
        other = second.get_record(image.image_id)
        assert other.record == image.record
        assert (other.content_sha256, other.size_wh) == (image.content_sha256, image.size_wh)
        rows = [view.rows_of(image.image_id) for view in views]
        vectors = [view.vectors_at(some) for view, some in zip(views, rows, strict=True)]
        assert vectors[0].tobytes() == vectors[1].tobytes()
        places = [view.geometry_at(some) for view, some in zip(views, rows, strict=True)]
        assert (places[0] is None) == (places[1] is None)
        if places[0] is not None and places[1] is not None:
            assert places[0].tobytes() == places[1].tobytes()
    assert second.space(model_id).n_images == first.space(model_id).n_images
    assert diff(
        tmp_path / "one", exported(library, model_id, tmp_path / "two", "second")
    ).same_space


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), dtype=st.sampled_from(sorted(DTYPES)), many=st.booleans())
def test_any_vectors_come_back_to_the_bit(
    data: st.DataObject, dtype: str, many: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind, dim = DTYPES[dtype], data.draw(st.integers(1, 9))
    numbers = (
        hnp.from_dtype(kind)
        if dtype == "u8"
        else hnp.from_dtype(kind, allow_nan=False, allow_infinity=False)
    )
    counts = data.draw(st.lists(st.integers(0, 3 if many else 1), min_size=1, max_size=8))
    arrays = [data.draw(hnp.arrays(kind, (count, dim), elements=numbers)) for count in counts]
    folder = tmp_path_factory.mktemp("there-and-back")
    facts = {"dim": dim, "many_rows": many, "metrics": (Metric.DOT,)}
    with LibraryStore.create(folder / "library") as library:
        made = library.create_collection("works", source_kind="folder", source_address="/w")
        with made.writer() as writer:
            writer.ensure_space(card("any.test", dtype=dtype, **facts))
            ids = [f"w{number}" for number in range(len(arrays))]
            rows = [(name, ImageRows(one)) for name, one in zip(ids, arrays, strict=True)]
            writer.commit_batch([new_image(name) for name in ids], {"any.test": rows})
        path = exported(library, "any.test", folder / "package")
        assert [fault.code for fault in validate(path) if fault.code != "clipped"] == []
        with open_features(str(path)) as features:
            found = [one for batch in features.batches() for _, one in batch.rows()]
    assert [one.vectors.tobytes() for one in found] == [one.tobytes() for one in arrays]


def test_images_without_a_vector_are_rows_with_a_reason(
    library: LibraryStore, tmp_path: Path
) -> None:
    made = library.create_collection("works", source_kind="folder", source_address="/w")
    with made.writer() as writer:
        writer.ensure_space(card("colour.test"))
        commit(writer, ["seen"], ["colour.test"])
        nothing = ImageRows(np.empty((0, 8), np.float32))
        writer.commit_batch([new_image("empty")], {"colour.test": [("empty", nothing)]})
        writer.commit_batch([new_image("unseen"), failed_image("broken")], {})
    path = exported(library, "colour.test", tmp_path / "package")
    table = pq.read_table(path / "part-000001.parquet").to_pydict()
    told = zip(table["item_id"], table["status"], table["code"], table["vector"], strict=True)
    assert {item: (status, code, vector is None) for item, status, code, vector in told} == {
        "seen": ("ok", None, False),
        "empty": ("ok", None, True),
        "unseen": ("failed", "not-extracted", True),
        "broken": ("failed", "truncated", True),
    }
    integrity = read_manifest(path).integrity
    assert (integrity.n_ok, integrity.n_failed) == (2, 2)
    imported(library, path, "second")
    second = library.get_collection("second")
    assert second.n_failed == 1
    assert [one.image_id for one in second.iter_images(ImageState.FAILED)] == ["broken"]
    assert second.space("colour.test").n_images == 2
    assert [failure.reason for failure in second.failures()] == ["The file ends too early."]


def test_the_manifest_follows_the_published_schema(library: LibraryStore, tmp_path: Path) -> None:
    filled(library)
    paths = [exported(library, "details.test", tmp_path / "details")]
    write_package(tmp_path / "small", SmallExtractor(), WORKS)
    for path in [*paths, tmp_path / "small"]:
        values = json.loads((path / MANIFEST_NAME).read_text("utf-8"))
        jsonschema.validate(values, json.loads(SCHEMA.read_text("utf-8")))
        values["vectors"]["dim"] = "512"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(values, json.loads(SCHEMA.read_text("utf-8")))


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text(), (
        "run python -m bilderatlas.exchange.schema > docs/reference/features.schema.json"
    )


def test_a_card_survives_the_manifest(tmp_path: Path) -> None:
    extractor = SmallExtractor()
    facts = replace(
        extractor.card,
        text_tower={"tokenizer_sha256": "0" * 64, "context": 77},
        languages=("en", "de"),
        weights=({"name": "weights.safetensors", "sha256": "1" * 64, "revision": "abc"},),
        knows_only="Squares.",
    )
    extractor = type("Told", (SmallExtractor,), {"card": facts})()
    manifest = write_package(tmp_path / "package", extractor, WORKS)
    assert card_of(manifest) == facts
    assert card_of(read_manifest(tmp_path / "package")).languages == ("en", "de")


def test_a_part_alone_says_what_it_is(tmp_path: Path) -> None:
    write_package(tmp_path / "package", SmallExtractor(), WORKS)
    stated = stated_description(pq.read_schema(tmp_path / "package" / "part-000002.parquet"))
    assert stated is not None
    assert stated["model"]["name"] == "small_network.test"
    assert stated["preprocessing"]["steps"][1]["filter"] == "bicubic"


def test_a_package_is_never_overwritten_unasked(library: LibraryStore, tmp_path: Path) -> None:
    works = filled(library)
    path = exported(library, "colour.test", tmp_path / "package")
    before = (path / MANIFEST_NAME).read_bytes()
    with pytest.raises(ConflictError, match="--replace"):
        export_space(works, "colour.test", path, Identity("Other"))
    assert (path / MANIFEST_NAME).read_bytes() == before
    export_space(works, "colour.test", path, Identity("Other"), replace=True)
    assert read_manifest(path).title == "Other"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConflictError, match="no feature package"):
        export_space(works, "colour.test", tmp_path / "mine", Identity("Other"), replace=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["library", "mine", "package"]


def test_a_failure_on_the_way_leaves_nothing(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    works = filled(library)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFullError):
            export_space(works, "colour.test", tmp_path / "out" / "package", Identity("Works"))
    assert list((tmp_path / "out").iterdir()) == []


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_canonical_numbers_are_read_back(number: float) -> None:
    spelled = canonical_json(number).decode()
    assert float(spelled) == number
    assert canonical_json(json.loads(spelled)).decode() == spelled
    assert len(spelled) <= 25


@pytest.mark.parametrize(
    "value, spelled",
    [
        ({"b": 1.0, "a": None, "ä": True}, '{"a":null,"b":1,"ä":true}'),
        ([1e21, 1e-7, 0.000001, -0.0], "[1e+21,1e-7,0.000001,0]"),
        (123456789012345680000.0, "123456789012345680000"),
        ('a\u20ac\n\u000f"', '"a€\\n\\u000f\\""'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'),
    ],
)
def test_canonical_json_follows_rfc_8785(value: object, spelled: str) -> None:
    assert canonical_json(value).decode() == spelled


def test_parquet_of_others_is_read(tmp_path: Path) -> None:
    """Large strings, other names of list elements, no optional columns: still a package."""
    import pyarrow as pa

    from bilderatlas.exchange.parts import missing_columns

    spec = write_package(tmp_path / "package", SmallExtractor(), WORKS).vectors
    schema = pa.schema(
        [
            ("item_id", pa.large_string()),
            ("status", pa.string()),
            ("vector", pa.list_(pa.field("item", pa.float32()), spec.dim)),
        ]
    )
    assert missing_columns(schema, spec) == []
    assert missing_columns(schema.remove(1), spec) == ["no column 'status'"]
    halved = pa.list_(pa.float32(), spec.dim // 2)
    assert "expected" in missing_columns(schema.set(2, pa.field("vector", halved)), spec)[0]
