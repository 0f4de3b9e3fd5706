"""Vectors of strangers: clip-retrieval, imgs.ai and bare arrays, whole and hostile."""

from __future__ import annotations

import csv
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bilderatlas.errors import BilderatlasError, PackageError, UnavailableError, UsageError
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.take_in import import_features
from bilderatlas.store.library import LibraryStore

h5py = pytest.importorskip("h5py", reason="needs h5py: pip install 'bilderatlas[hdf5]'")

OPTIONS = ImportOptions(extractor="clip_vit_l14.openai")
RNG = np.random.default_rng(3)


def unit(n: int, d: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    rows = RNG.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(dtype)


def taken(library: LibraryStore, address: str, options: ImportOptions = OPTIONS) -> Any:
    with open_features(address, options) as features:
        return import_features(library, features, "own")


def refused(library: LibraryStore, address: str, options: ImportOptions = OPTIONS) -> str:
    """Return the code with which an import is refused; nothing is there afterwards."""
    with pytest.raises(BilderatlasError) as error:
        taken(library, address, options)
    assert library.list_collections() == []
    return str(getattr(error.value, "reason_code", error.value.code))


# clip-retrieval


def write_part(folder: Path, number: int, vectors: np.ndarray[Any, Any], first: int) -> None:
    for name in ("img_emb", "metadata", "text_emb"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    np.save(folder / "img_emb" / f"img_emb_{number}.npy", vectors)
    np.save(folder / "text_emb" / f"text_emb_{number}.npy", vectors)
    rows = range(first, first + len(vectors))
    table = pa.table(
        {
            "image_path": [f"{row:09d}.jpg" for row in rows],
            "caption": [f"A ship, number {row}" for row in rows],
            "key": [f"{row:09d}" for row in rows],
            "url": [f"https://museum.example/{row}.jpg" for row in rows],
            "sha256": ["0" * 64 for row in rows],
        }
    )
    pq.write_table(table, folder / "metadata" / f"metadata_{number}.parquet")


@pytest.fixture
def laion(tmp_path: Path) -> tuple[Path, np.ndarray[Any, Any]]:
    """Return a folder of eleven parts, whose numbers sort otherwise as text, and its vectors."""
    vectors = unit(55, 8, "float16")
    for number in range(11):
        write_part(tmp_path / "laion", number, vectors[number * 5 : number * 5 + 5], number * 5)
    return tmp_path / "laion", vectors


def test_a_clip_retrieval_folder(
    library: LibraryStore, laion: tuple[Path, np.ndarray[Any, Any]]
) -> None:
    folder, vectors = laion
    report = taken(library, str(folder))
    own = library.get_collection("own")
    assert (report.items, report.vectors, own.n_images) == (55, 55, 55)
    view = own.space("clip_vit_l14.openai").snapshot()
    assert view.dtype == "f16"
    for row in (0, 7, 23, 54):
        found = view.vectors_at(view.rows_of(f"{row:09d}"))[0]
        assert found.tobytes() == vectors[row].tobytes(), "identical to the bit"
        record = own.get_record(f"{row:09d}")
        assert record.record.title == f"A ship, number {row}"
        assert record.record.image_url == f"https://museum.example/{row}.jpg"
        assert record.content_sha256 is None, "that hash is of another file than was embedded"
        assert record.record.raw["sha256"] == "0" * 64
    card = own.space("clip_vit_l14.openai").card_json
    assert card["normalised"] == "l2" and card["metrics"][0] == "angular"
    assert card["preprocessing"] == [{"step": "unknown"}]
    assert card["licence"] == card["tap"] == card["pooling"] == "unknown"
    assert "nobody can verify" in card["knows_only"]
    assert any("text_emb" in note for note in report.notes)


def test_importing_the_same_folder_again_adds_nothing(
    library: LibraryStore, laion: tuple[Path, np.ndarray[Any, Any]]
) -> None:
    taken(library, str(laion[0]))
    again = taken(library, str(laion[0]))
    assert (again.added, again.vectors) == (0, 0)


def test_clip_retrieval_folders_that_do_not_fit(
    library: LibraryStore, laion: tuple[Path, np.ndarray[Any, Any]]
) -> None:
    folder, _ = laion
    images, metadata = folder / "img_emb", folder / "metadata"
    kept = (images / "img_emb_3.npy").read_bytes()

    def broken(content: bytes) -> str:
        (images / "img_emb_3.npy").write_bytes(content)
        return refused(library, str(folder))

    assert broken(kept[:-4]) == "npy"
    assert broken(b"") == "npy"
    assert broken(b"\x93NUMPY\x01\x00v\x00{'descr'") == "npy"
    assert broken(saved(unit(4, 8, "float16"))) == "count"
    assert broken(saved(unit(5, 9, "float16"))) == "dim"
    assert broken(saved(unit(5, 8, "float32"))) == "dim"
    assert broken(saved(np.full((5, 8), np.nan, "float16"))) == "not-finite"
    assert broken(saved(np.array([["a"] * 8] * 5))) == "dtype"
    (images / "img_emb_3.npy").write_bytes(kept)
    (images / "img_emb_03.npy").write_bytes(kept)
    assert refused(library, str(folder)) == "duplicate-part"
    (images / "img_emb_03.npy").unlink()
    part = (metadata / "metadata_4.parquet").read_bytes()
    (metadata / "metadata_4.parquet").write_bytes(part[: len(part) // 2])
    assert refused(library, str(folder)) == "metadata"
    (metadata / "metadata_4.parquet").unlink()
    assert refused(library, str(folder)) == "missing-part"
    (metadata / "metadata_4.parquet").write_bytes((metadata / "metadata_5.parquet").read_bytes())
    assert refused(library, str(folder)) == "duplicate-id"


# bare arrays


def saved(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def write_ids(path: Path, ids: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["inventory", "title", "artist"])
        writer.writerows([one, f"Work {one}", "Anon"] for one in ids)
    return path


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_bare_array(library: LibraryStore, tmp_path: Path, dtype: str, order: Any) -> None:
    vectors = np.asarray(RNG.integers(0, 200, (30, 6)), dtype=dtype, order=order)
    np.save(tmp_path / "v.npy", vectors)
    table = write_ids(tmp_path / "ids.csv", [f"id {n}" for n in range(30)])
    options = ImportOptions(extractor="own.model", table=table, metric="manhattan")
    taken(library, str(tmp_path / "v.npy"), options)
    own = library.get_collection("own")
    assert own.title == "own"  # called as it was named, not as the file is
    view = own.space("own.model").snapshot()
    for row in (0, 13, 29):
        assert view.vectors_of(f"id {row}")[0].tolist() == vectors[row].astype(float).tolist()
    assert own.get_record("id 4").record.title == "Work id 4"
    card = own.space("own.model").card_json
    assert card["metrics"][0] == "manhattan" and card["normalised"] == "none"


def test_the_column_of_ids_can_be_named(library: LibraryStore, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", unit(3, 4))
    table = write_ids(tmp_path / "ids.csv", ["a", "b", "c"])
    options = ImportOptions(extractor="own.model", table=table, id_column="title")
    taken(library, str(tmp_path / "v.npy"), options)
    assert library.get_collection("own").find_record("Work b") is not None


def test_arrays_that_are_refused(library: LibraryStore, tmp_path: Path) -> None:
    table = write_ids(tmp_path / "ids.csv", ["a", "b", "c"])
    options = ImportOptions(extractor="own.model", table=table)
    path = tmp_path / "v.npy"

    def code(content: bytes, given: ImportOptions = options) -> str:
        path.write_bytes(content)
        return refused(library, str(path), given)

    good = saved(unit(3, 4))
    assert code(saved(unit(4, 4))) == "count"
    assert code(saved(unit(12, 1)[:, 0])) == "shape"
    assert code(saved(np.zeros((3, 0), "f4"))) == "shape"
    assert code(saved(np.zeros((3, 2, 2), "f4"))) == "shape"
    assert code(saved(np.zeros((3, 70_000), "f2"))) == "shape"
    assert code(saved(np.zeros((3, 4), "c8"))) == "dtype"
    assert code(saved(np.zeros((3, 4), "i8"))) == "dtype"
    assert code(saved(np.zeros((3, 4), [("a", "f4")]))) == "dtype"
    assert code(b"PK\x03\x04 an npz") == "npy"
    assert code(good[:40]) == "npy"
    assert code(good.replace(b"(3, 4)", b"(9, 9)")) == "npy"
    assert code(good.replace(b"(3, 4)", b"(-3,4)")) in {"npy", "shape"}
    assert code(good.replace(b"'shape'", b"__import")) == "npy"
    assert code(good, ImportOptions(extractor="own.model")) == "usage"
    assert code(good, ImportOptions(table=table)) == "usage"
    assert code(good, ImportOptions(extractor="../x", table=table)) == "usage"
    assert code(good, ImportOptions(extractor="own.model", table=table, metric="cos")) == "usage"
    named = ImportOptions(extractor="own.model", table=table, id_column="nothing")
    assert code(good, named) == "unknown-name"
    asserted = ImportOptions(extractor="own.model", table=table, normalised="l2")
    assert code(saved(2 * unit(3, 4)), asserted) == "not-normalised"
    infinite = unit(3, 4, "float64")
    infinite[1, 1] = 1e300
    assert code(saved(infinite), options) == "not-finite"


def test_a_pickled_array_is_not_opened(library: LibraryStore, tmp_path: Path) -> None:
    """An array of objects whose pickle would write a file."""
    canary = tmp_path / "canary"
    path = tmp_path / "v.npy"
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 4), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    payload = b"cpathlib\nPath\n(S'" + str(canary).encode() + b"'\ntR."
    magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    path.write_bytes(magic + header + payload)
    table = write_ids(tmp_path / "ids.csv", ["a", "b", "c"])
    options = ImportOptions(extractor="own.model", table=table)
    with pytest.raises(PackageError, match="Python objects"):
        open_features(str(path), options)
    path.write_bytes(payload)
    assert refused(library, str(path), options) == "npy"
    assert not canary.exists()


# imgs.ai


LINES = [
    ["https://museum.example/a.jpg", "https://museum.example/a", "Rembrandt", "1642"],
    ["folder/b.png", "", "Hals"],
    ["https://museum.example/c.jpg?size=1"],
    ["d, with a comma.jpg", "https://museum.example/d", "Zürn"],
]


def write_model(folder: Path, valid: list[int] | None = None, **arrays: Any) -> Path:
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "embeddings.hdf5", "w") as file:
        for name, rows in arrays.items():
            file.create_dataset(name, data=rows, compression="lzf")
        if valid is not None:
            file.create_dataset("valid_idxs", data=np.array(valid))
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(LINES)
    return folder


def test_a_model_of_imgs_ai(library: LibraryStore, tmp_path: Path) -> None:
    vectors = RNG.normal(size=(4, 12)).astype("f4")
    vectors[2] = 0  # could not be fetched
    folder = write_model(tmp_path / "m", [3, 0, 1], vgg19=vectors, clip_vit=unit(4, 8))
    (folder / "vgg19_reducer.dill").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    options = ImportOptions(extractor="vgg19_fc2.imgsai")
    report = taken(library, f"{folder}#vgg19", options)
    own = library.get_collection("own")
    assert (report.items, report.vectors, report.failed) == (4, 3, 1)
    view = own.space("vgg19_fc2.imgsai").snapshot()
    for row in (0, 1, 3):
        assert view.vectors_of(LINES[row][0])[0].tolist() == vectors[row].tolist()
    assert len(view.rows_of(LINES[2][0])) == 0
    assert [failure.subject for failure in own.failures()] == [LINES[2][0]]
    first = own.get_record(LINES[0][0]).record
    assert (first.image_url, first.page_url) == (LINES[0][0], LINES[0][1])
    assert first.raw["column_3"] == "Rembrandt" and first.raw["column_4"] == "1642"
    assert own.get_record(LINES[1][0]).record.image_path == LINES[1][0]
    card = own.space("vgg19_fc2.imgsai").card_json
    assert card["metrics"][0] == "manhattan"
    assert card["projection"]["kind"] == "unknown: pickled reducer not opened"
    assert any("vgg19_reducer.dill was not opened" in note for note in report.notes)


def test_a_model_whose_rows_were_packed(library: LibraryStore, tmp_path: Path) -> None:
    vectors = unit(2, 5)
    folder = write_model(tmp_path / "m", [3, 1], clip_vit=vectors)
    taken(library, str(folder / "embeddings.hdf5"))
    view = library.get_collection("own").space(OPTIONS.extractor).snapshot()
    assert view.vectors_of(LINES[3][0])[0].tolist() == vectors[0].tolist()
    assert view.vectors_of(LINES[1][0])[0].tolist() == vectors[1].tolist()


def test_metadata_in_hdf5_and_metrics_in_the_configuration(
    library: LibraryStore, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "m", clip_vit=unit(4, 8))
    (folder / "metadata.csv").unlink()
    with h5py.File(folder / "metadata.hdf5", "w") as file:
        lines = [json.dumps(line) for line in LINES]
        file.create_dataset("metadata", data=lines, dtype=h5py.string_dtype(), compression="lzf")
    (folder / "config.json").write_text(
        json.dumps({"emb_types": {"clip_vit": {"dims": 8, "metrics": ["euclidean"]}}})
    )
    taken(library, str(folder))
    own = library.get_collection("own")
    assert own.get_record(LINES[3][0]).record.raw["column_3"] == "Zürn"
    assert own.space(OPTIONS.extractor).card_json["metrics"][0] == "euclidean"


def test_models_that_do_not_fit(library: LibraryStore, tmp_path: Path) -> None:
    folder = tmp_path / "m"

    def code(valid: list[int] | None = None, address: str = "", **arrays: Any) -> str:
        write_model(folder, valid, **arrays)
        return refused(library, address or str(folder))

    assert code(clip_vit=unit(3, 8)) == "count"
    assert code([0, 1], clip_vit=unit(3, 8)) == "count"
    assert code([0, 9], clip_vit=unit(4, 8)) == "valid_idxs"
    assert code([0, 0], clip_vit=unit(4, 8)) == "valid_idxs"
    assert code([-1, 0], clip_vit=unit(4, 8)) == "valid_idxs"
    assert code(clip_vit=unit(4, 8), vgg19=unit(4, 8)) == "usage"
    assert code(clip_vit=unit(4, 8), address=f"{folder}#vgg19") == "usage"
    assert code(clip_vit=np.zeros((4, 8), "i8")) == "dtype"
    assert code(clip_vit=np.full((4, 8), np.inf, "f4")) == "not-finite"
    assert code() == "usage"
    write_model(folder, clip_vit=unit(4, 8))
    (folder / "metadata.csv").write_text('a.jpg\n"b.jpg\nc.jpg\nd.jpg\n')
    assert refused(library, str(folder)) == "metadata"
    (folder / "metadata.csv").write_bytes(b"a.jpg\n\xff.jpg\nc.jpg\nd.jpg\n")
    assert refused(library, str(folder)) == "metadata"
    (folder / "metadata.csv").write_text("a.jpg\na.jpg\nc.jpg\nd.jpg\n")
    assert refused(library, str(folder)) == "duplicate-id"
    (folder / "metadata.csv").write_text("a.jpg\n,x\nc.jpg\nd.jpg\n")
    assert refused(library, str(folder)) == "metadata"
    (folder / "metadata.csv").unlink()
    assert refused(library, str(folder)) == "missing-part"


def hostile(tmp_path: Path, name: str) -> Path:
    """Write a model whose HDF5 is hostile in one way."""
    folder = write_model(tmp_path / "m", clip_vit=unit(4, 8))
    other = tmp_path / "other.hdf5"
    with h5py.File(other, "w") as file:
        file["secret"] = unit(4, 8)
    path = folder / "embeddings.hdf5"
    if name == "hdf5":
        path.write_bytes(b"no hdf5 at all")
        return folder
    if name == "hdf5-cut":
        path.write_bytes(path.read_bytes()[:1500])
        return folder
    path.unlink()
    with h5py.File(path, "w") as file:
        if name == "hdf5-external-link":
            file["clip_vit"] = h5py.ExternalLink(str(other), "secret")
        elif name == "hdf5-soft-link":
            file["clip_vit"] = h5py.SoftLink("/elsewhere")
        elif name == "hdf5-virtual":
            layout = h5py.VirtualLayout((4, 8), "f4")
            layout[:] = h5py.VirtualSource(str(other), "secret", shape=(4, 8))
            file.create_virtual_dataset("clip_vit", layout)
        elif name == "hdf5-external-data":
            file.create_dataset(
                "clip_vit", (4, 8), "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
            )
        elif name == "hdf5-group":
            file.create_group("clip_vit")["rows"] = unit(4, 8)
        elif name == "hdf5-dtype":
            kind = h5py.vlen_dtype(np.dtype("f4"))
            file.create_dataset("clip_vit", (4,), kind)[0] = [1, 2]
        elif name == "hdf5-size":
            file.create_dataset("clip_vit", (1 << 32, 4096), "f4", chunks=(64, 4096))
        elif name == "hdf5-shape":
            file.create_dataset("clip_vit", data=np.zeros((2, 2, 2), "f4"))
        elif name == "hdf5-names":
            for number in range(101):
                file.create_dataset(f"{number}", data=np.zeros((1, 1), "f4"))
        elif name == "hdf5-filter":
            made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            made.set_chunk((4, 8))
            made.set_filter(305, h5py.h5z.FLAG_OPTIONAL, ())  # a plug-in that is not there
            space = h5py.h5s.create_simple((4, 8))
            h5py.h5d.create(file.id, b"clip_vit", h5py.h5t.IEEE_F32LE, space, made)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "hdf5",
        "hdf5-cut",
        "hdf5-external-link",
        "hdf5-soft-link",
        "hdf5-virtual",
        "hdf5-external-data",
        "hdf5-group",
        "hdf5-dtype",
        "hdf5-size",
        "hdf5-shape",
        "hdf5-names",
        "hdf5-filter",
    ],
)
def test_hostile_hdf5_is_refused(library: LibraryStore, tmp_path: Path, name: str) -> None:
    folder = hostile(tmp_path, name)
    assert refused(library, str(folder)) == name.replace("hdf5-cut", "hdf5")


def test_damaged_numbers_end_the_import_and_nothing_else(
    library: LibraryStore, tmp_path: Path
) -> None:
    """Flip bytes all over the file: it is refused, or every vector that was read is whole."""
    folder = write_model(tmp_path / "m", clip_vit=unit(4, 200))
    path = folder / "embeddings.hdf5"
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    n_refused = 0
    for _ in range(6):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 40):
            content[place] ^= 0xFF
        path.write_bytes(content)
        try:
            with open_features(str(folder), OPTIONS) as features:
                rows = [batch.vectors for batch in features.batches()]
                assert sum(map(len, rows)) == 4
        except BilderatlasError:
            n_refused += 1
    assert n_refused >= 3


HOSTILE_MODULE = """
from pathlib import Path
Path({path!r}).write_text("")
raise SystemExit(1)
"""


def test_modules_in_the_folder_of_a_model_are_not_run(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user stands in a stranger's folder, where modules lie named as those of the reader."""
    folder, trace = write_model(tmp_path / "m", clip_vit=unit(4, 8)), tmp_path / "was-here"
    for name in ("h5py", "numpy", "bilderatlas", "json"):
        (folder / f"{name}.py").write_text(HOSTILE_MODULE.format(path=str(trace)))
    monkeypatch.chdir(folder)
    assert taken(library, ".").vectors == 4
    assert not trace.exists()


def test_the_reader_is_locked_up_before_it_imports_a_library(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, trace = write_model(tmp_path / "m", clip_vit=unit(4, 8)), tmp_path / "was-here"
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "h5py.py").write_text(HOSTILE_MODULE.format(path=str(trace)))
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    assert refused(library, str(folder)) == "hdf5-damaged"
    assert not trace.exists()


def test_without_h5py_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / "m", clip_vit=unit(4, 8))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="bilderatlas\\[hdf5\\]"):
        open_features(str(folder), OPTIONS)


def test_an_address_that_nobody_knows(tmp_path: Path) -> None:
    for address in (str(tmp_path), "nothing.npy", "\0", "a" * 5000, ""):
        with pytest.raises(UsageError):
            open_features(address, OPTIONS)
