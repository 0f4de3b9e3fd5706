"""`onnx:FILE`: models that anyone brings, tried before anything of them is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.api.extractors import export
from bilderatlas.errors import BilderatlasError, UnknownNameError, UsageError, WeightsError
from bilderatlas.extractors.brought import bring_model, brought_ids, find_brought
from bilderatlas.extractors.brought_card import parse_card
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions

onnx = pytest.importorskip("onnx", reason="the tests build their own ONNX files")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SIDE = 8
CARD: dict[str, Any] = {
    "model_id": "mean_colour.test",
    "judges_by": "the mean colour",
    "sees": "Two pictures are alike when their mean colours are.",
    "dim": 3,
    "metrics": ["euclidean", "angular"],
    "side_px": 64,
    "preprocessing": [
        {"step": "resize", "mode": "squash", "size_px": SIDE, "filter": "bilinear"},
        {"step": "scale", "divide_by": 255},
    ],
    "licence": "MIT",
}


def save(
    path: Path,
    nodes: list[Any],
    constants: dict[str, np.ndarray] | None = None,
    *,
    shape: tuple[Any, ...] = ("n", 3, SIDE, SIDE),
    kind: int = TensorProto.FLOAT,
    inputs: tuple[str, ...] = ("pixels",),
) -> None:
    """Write a network of `nodes` from its inputs to a tensor called `out`."""
    graph = helper.make_graph(
        nodes,
        "made for a test",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)


def mean(after: str = "out", before: str = "pixels") -> list[Any]:
    """Return the nodes of a mean over the picture: `(n, 3, h, w)` to `(n, 3)`."""
    pooled = helper.make_node("GlobalAveragePool", [before], ["pooled"])
    return [pooled, helper.make_node("Flatten", ["pooled"], [after])]


def write(folder: Path, card: dict[str, Any] | None = None, **options: Any) -> Path:
    """Write the model that gives the mean colour, and its card; return the model's path."""
    folder.mkdir(exist_ok=True)
    save(
        folder / "model.onnx",
        options.pop("nodes", mean()),
        options.pop("constants", None),
        **options,
    )
    (folder / "model.card.json").write_text(json.dumps(card or CARD), "utf-8")
    return folder / "model.onnx"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BILDERATLAS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def kept(models: Path) -> list[str]:
    return sorted(str(path.relative_to(models)) for path in models.rglob("*"))


def test_a_brought_model_does_what_it_did_where_it_was(tmp_path: Path, models: Path) -> None:
    path = write(tmp_path / "mine")
    extractor = get_extractor(f"onnx:{path}", may_bring=True)
    for file in (tmp_path / "mine").iterdir():
        file.unlink()  # later searches do without the original
    for found in (extractor, find_brought("mean_colour.test"), get_extractor("mean_colour.test")):
        assert found is not None
        pixels = np.full((20, 30, 3), (255, 51, 0), np.uint8)
        assert np.allclose(
            found.embed_images([pixels, pixels // 51]), [[1, 0.2, 0], [5 / 255, 1 / 255, 0]]
        )
        assert found.readiness().state == "ready"
        assert found.card.dim == 3 and found.card.dtype == "f32"
        assert found.card.weights_sha256 == found.card.weights[0]["sha256"]
        assert found.card.weights[0]["origin"] == "given"
        assert not found.card.embeds_text and not found.is_default_for("folder")
        assert str(tmp_path) not in json.dumps(found.card.to_json())
    assert brought_ids() == ["mean_colour.test"]


def test_it_is_l2_normalised_where_the_card_says_so(tmp_path: Path, models: Path) -> None:
    bring = bring_model(write(tmp_path / "mine", CARD | {"normalised": "l2", "dtype": "f16"}))
    (rows,) = bring.extract_batch([np.full((9, 9, 3), (0, 150, 200), np.uint8)])
    assert np.allclose(rows.vectors, [[0, 0.6, 0.8]], atol=1e-6)


def test_a_model_for_one_picture_at_a_time_runs_too(tmp_path: Path, models: Path) -> None:
    path = write(tmp_path / "mine", shape=(1, 3, SIDE, SIDE))
    extractor = bring_model(path)
    pictures = [np.full((9, 9, 3), level, np.uint8) for level in (0, 51, 255)]
    assert np.allclose(extractor.embed_images(pictures)[:, 0], [0, 0.2, 1])
    assert extractor.configured(RuntimeOptions(n_threads=1)).batch_size == 1


def test_other_devices_are_refused_in_a_sentence(tmp_path: Path, models: Path) -> None:
    extractor = bring_model(write(tmp_path / "mine"))
    ready = extractor.configured(RuntimeOptions(device="cuda", precision="bf16")).readiness()
    assert ready.state != "ready" and "ONNX Runtime on the CPU" in ready.sentence


CONSTANT = {"k": np.array([[1, 2, 3]], np.float32)}
REFUSED_MODELS: dict[str, tuple[str, str, Callable[[Path], Path]]] = {
    "wrong dim": (
        "output-shape",
        r"shape \(1, 3\).*says dim 4",
        lambda folder: write(folder, CARD | {"dim": 4}),
    ),
    "another input shape": (
        "input-shape",
        r"takes \[n, 3, 16, 16\].*makes \[n, 3, 8, 8\]",
        lambda folder: write(folder, shape=("n", 3, 16, 16)),
    ),
    "channels last": (
        "input-shape",
        r"takes \[n, 8, 8, 3\]",
        lambda folder: write(folder, shape=("n", 8, 8, 3)),
    ),
    "three axes": (
        "input-shape",
        "expected|makes",
        lambda folder: write(folder, shape=("n", 3, 8)),
    ),
    "a batch of four": (
        "input-shape",
        r"takes \[4, 3, 8, 8\]",
        lambda folder: write(folder, shape=(4, 3, SIDE, SIDE)),
    ),
    "whole numbers": (
        "input-dtype",
        r"takes tensor\(uint8\)",
        lambda folder: write(
            folder,
            kind=TensorProto.UINT8,
            nodes=[
                helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
                *mean(before="numbers"),
            ],
        ),
    ),
    "two inputs": (
        "input-shape",
        "has 2 inputs",
        lambda folder: write(
            folder,
            inputs=("pixels", "more"),
            nodes=[helper.make_node("Add", ["pixels", "more"], ["both"]), *mean(before="both")],
        ),
    ),
    "not a number": (
        "not-finite",
        "NaN or infinity for 8 of 8",
        lambda folder: write(
            folder,
            nodes=[*mean("m"), helper.make_node("Add", ["m", "k"], ["out"])],
            constants={"k": np.array([[0, np.nan, 0]], np.float32)},
        ),
    ),
    "infinite on some": (
        "not-finite",
        "NaN or infinity for [1-8] of 8",
        lambda folder: write(
            folder,
            nodes=[
                *mean("m"),
                helper.make_node("Sub", ["m", "k"], ["below"]),
                helper.make_node("Log", ["below"], ["out"]),
            ],
            constants={"k": np.full((1, 3), 0.45, np.float32)},
        ),
    ),
    "always the same": (
        "constant",
        "every canary the same",
        lambda folder: write(
            folder,
            nodes=[
                *mean("m"),
                helper.make_node("Sub", ["m", "m"], ["nothing"]),
                helper.make_node("Add", ["nothing", "k"], ["out"]),
            ],
            constants=CONSTANT,
        ),
    ),
    "a whole map": (
        "output-shape",
        r"shape \(1, 3, 8, 8\)",
        lambda folder: write(folder, nodes=[helper.make_node("Relu", ["pixels"], ["out"])]),
    ),
    "the batch decides": (
        "batch",
        "in a batch",
        lambda folder: write(
            folder,
            nodes=[
                *mean("m"),
                helper.make_node("ReduceMean", ["m"], ["middle"], axes=[0]),
                helper.make_node("Mul", ["middle", "k"], ["weighted"]),
                helper.make_node("Sub", ["m", "weighted"], ["out"]),
            ],
            constants={"k": np.array([[0.3, 0.7, 0.5]], np.float32)},
        ),
    ),
    "too large for f16": (
        "overflow",
        "dtype f32",
        lambda folder: write(
            folder,
            CARD | {"dtype": "f16"},
            nodes=[*mean("m"), helper.make_node("Mul", ["m", "k"], ["out"])],
            constants={"k": np.full((1, 3), 1e6, np.float32)},
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED_MODELS)
def test_a_model_that_does_not_do_what_it_says_is_refused(
    name: str, tmp_path: Path, models: Path
) -> None:
    code, message, make = REFUSED_MODELS[name]
    with pytest.raises(WeightsError, match=message) as caught:
        bring_model(make(tmp_path / "mine"))
    assert caught.value.reason_code == code
    assert "Nothing of it was kept" in str(caught.value)
    assert kept(models) == []


def test_no_onnx_file_is_refused(tmp_path: Path, models: Path) -> None:
    path = write(tmp_path / "mine")
    path.write_bytes(b"PK\x03\x04 no network")
    with pytest.raises(WeightsError, match="ONNX"):
        bring_model(path)
    whole = write(tmp_path / "mine").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="ONNX"):
        bring_model(path)
    path.unlink()
    with pytest.raises(UsageError, match="no such file"):
        bring_model(path)
    assert kept(models) == []


REFUSED_CARDS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"meaning": 42}, "'meaning': there is no such field"),
    "no dim": ({"dim": None}, "'dim'"),
    "dim is a text": ({"dim": "3"}, "expected a whole number"),
    "dim is true": ({"dim": True}, "expected a whole number"),
    "dim is nothing": ({"dim": 0}, "from 1 to"),
    "id without a dot": ({"model_id": "mean_colour"}, "one dot"),
    "id that leaves the folder": ({"model_id": "../../x.y"}, "one dot"),
    "id with a tilde": ({"model_id": "mean.x~int8"}, "one dot"),
    "no metric": ({"metrics": []}, "'metrics'"),
    "unknown metric": ({"metrics": ["cosine"]}, "angular"),
    "a metric twice": ({"metrics": ["dot", "dot"]}, "twice"),
    "unknown step": ({"preprocessing": [{"step": "sharpen"}]}, "no step 'sharpen'"),
    "unknown filter": (
        {"preprocessing": [{"step": "resize", "mode": "squash", "size_px": 8, "filter": "best"}]},
        "filter 'best'",
    ),
    "a step that is no object": ({"preprocessing": ["resize"]}, "no object"),
    "another normalisation": ({"normalised": "max"}, "'l2' or 'none'"),
    "another dtype": ({"dtype": "u8"}, "'f16' or 'f32'"),
    "languages as a text": ({"languages": "en"}, "expected a list"),
    "no words": ({"sees": "  "}, "empty"),
    "a text tower elsewhere": (
        {"text": {"file": "../t.onnx", "tokenizer": "t.json", "context_length": 8}},
        "beside it",
    ),
    "a text tower without a tokenizer": (
        {"text": {"file": "t.onnx", "context_length": 8}},
        "'text.tokenizer': it is missing",
    ),
    "a template without a place": (
        {"text": {"file": "t", "tokenizer": "t", "context_length": 8, "template": "a picture"}},
        "'text.template'",
    ),
}


@pytest.mark.parametrize("name", REFUSED_CARDS)
def test_a_card_that_cannot_be_used_is_refused(name: str, tmp_path: Path, models: Path) -> None:
    changes, message = REFUSED_CARDS[name]
    with pytest.raises(UsageError, match=message):
        bring_model(write(tmp_path / "mine", CARD | changes))
    assert kept(models) == []


@pytest.mark.parametrize("field", CARD)
def test_every_required_field_is_asked_for(field: str) -> None:
    with pytest.raises(UsageError, match=f"'{field}': it is missing"):
        parse_card({key: value for key, value in CARD.items() if key != field}, "a card")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_card_that_is_no_card_is_refused(content: bytes, tmp_path: Path, models: Path) -> None:
    path = write(tmp_path / "mine")
    path.with_suffix(".card.json").write_bytes(content)
    with pytest.raises(UsageError, match="card"):
        bring_model(path)
    path.with_suffix(".card.json").unlink()
    with pytest.raises(UsageError, match="needs a card beside it"):
        bring_model(path)


def test_a_name_is_given_once(tmp_path: Path, models: Path) -> None:
    with pytest.raises(UsageError, match="built in"):
        bring_model(write(tmp_path / "mine", CARD | {"model_id": "raw_32.pixels"}))
    assert kept(models) == []
    bring_model(write(tmp_path / "mine"))
    before = {name: (models / name).read_bytes() for name in kept(models) if "/" in name}
    brighter = [*mean("m"), helper.make_node("Add", ["m", "m"], ["out"])]
    for path in (
        write(tmp_path / "other weights", nodes=brighter),
        write(tmp_path / "other picture", CARD | {"preprocessing": CARD["preprocessing"][:1]}),
        write(tmp_path / "other length", CARD | {"normalised": "l2"}),
    ):
        with pytest.raises(UsageError, match="already, with other weights or another preparation"):
            bring_model(path)
    assert before == {name: (models / name).read_bytes() for name in kept(models) if "/" in name}


def test_the_words_of_a_card_may_be_mended(tmp_path: Path, models: Path) -> None:
    first = get_extractor(f"onnx:{write(tmp_path / 'mine')}", may_bring=True)
    said = "Two pictures are alike when they are equally bright and coloured."
    second = get_extractor(
        f"onnx:{write(tmp_path / 'mine', CARD | {'sees': said})}", may_bring=True
    )
    assert first.card.sees != second.card.sees == get_extractor("mean_colour.test").card.sees
    assert first.card.weights_sha256 == second.card.weights_sha256


def test_damage_after_bringing_is_noticed_and_mended(tmp_path: Path, models: Path) -> None:
    bring_model(write(tmp_path / "mine"))
    path = models / "mean_colour.test" / "image.onnx"
    grey = [np.full((9, 9, 3), 51, np.uint8)]

    def flip() -> None:
        content = bytearray(path.read_bytes())
        content[-5] ^= 4
        path.write_bytes(content)

    for damage, message in ((flip, "sha256"), (path.unlink, "no longer in")):
        damage()
        found = find_brought("mean_colour.test")
        assert found is not None
        with pytest.raises(BilderatlasError, match=rf"{message}.*Bring"):
            found.embed_images(grey)
        again = bring_model(tmp_path / "mine" / "model.onnx")
        assert np.allclose(again.embed_images(grey), 0.2)


def test_what_was_brought_is_not_exported_again(tmp_path: Path, models: Path) -> None:
    extractor = get_extractor(f"onnx:{write(tmp_path / 'mine')}", may_bring=True)
    with pytest.raises(UsageError, match="is an ONNX model already"):
        export(extractor.card.model_id)


def test_only_a_user_of_this_machine_brings_files(tmp_path: Path, models: Path) -> None:
    """Not the `by=` of an address on the web, nor the name of a model in a foreign package."""
    path = write(tmp_path / "mine")
    for name in (f"onnx:{path}", f"onnx:{tmp_path / 'nothing'}"):
        with pytest.raises(UnknownNameError, match="no extractor called"):
            get_extractor(name)
    assert kept(models) == []


def test_an_unknown_name_lists_what_was_brought(tmp_path: Path, models: Path) -> None:
    bring_model(write(tmp_path / "mine"))
    with pytest.raises(UnknownNameError, match=r"mean_colour\.test"):
        get_extractor("mean_color.test")


# A text side ---------------------------------------------------------------------------------

WORDS = ["[PAD]", "[UNK]", "red", "green", "blue"]
TEXT = {"file": "words.onnx", "tokenizer": "words.json", "context_length": 3, "pad_id": 0}


def write_tower(folder: Path, n: int | str) -> None:
    table = np.zeros((len(WORDS), 3), np.float32)
    table[1], table[2:] = 0.1, 3 * np.eye(3)
    save(
        folder / "words.onnx",
        [
            helper.make_node("Gather", ["table", "tokens"], ["each"]),
            helper.make_node("ReduceMean", ["each"], ["out"], axes=[1], keepdims=0),
        ],
        {"table": table},
        shape=(n, 3),
        kind=TensorProto.INT64,
        inputs=("tokens",),
    )


def write_with_text(folder: Path, **changes: Any) -> Path:
    """Write a model whose words are colours: a text is the mean of its three tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    path = write(folder, CARD | {"text": TEXT | changes, "languages": ["en"]})
    write_tower(folder, "n")
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "words.json"))
    return path


def test_words_are_embedded_into_the_same_space(tmp_path: Path, models: Path) -> None:
    extractor = bring_model(write_with_text(tmp_path / "mine", template="a {}"))
    assert extractor.card.embeds_text and extractor.card.languages == ("en",)
    found = extractor.embed_texts(["red", "blue blue", "green green blue", "", "{0.x}"])
    assert np.allclose(found[0], [3.1 / 3, 0.1 / 3, 0.1 / 3])  # "a", "red", filled up
    assert np.allclose(found[1], [0.1 / 3, 0.1 / 3, 6.1 / 3])
    assert np.allclose(found[2], [0.1 / 3, 6.1 / 3, 0.1 / 3])  # cut after three tokens
    assert np.allclose(found[3], 0.1 / 3)
    facts = extractor.card.text_tower
    assert facts is not None and facts["context_length"] == 3 and len(facts["sha256"]) == 64
    for file in (tmp_path / "mine").iterdir():
        file.unlink()
    again = get_extractor("mean_colour.test")
    assert np.array_equal(again.embed_texts(["red"]), found[:1])


def test_towers_that_take_one_input_at_a_time(tmp_path: Path, models: Path) -> None:
    path = write_with_text(tmp_path / "mine")
    save(path, mean(), shape=(1, 3, SIDE, SIDE))
    with pytest.raises(WeightsError, match="one input at a time"):
        bring_model(path)
    write_tower(tmp_path / "mine", 1)
    found = bring_model(path).embed_texts(["red", "green green", "blue"])
    assert np.allclose(found, [[1, 0, 0], [0, 2, 0], [0, 0, 1]])


def test_a_missing_tokenizer_or_tower_is_named(tmp_path: Path, models: Path) -> None:
    path = write_with_text(tmp_path / "mine")
    (tmp_path / "mine" / "words.json").write_text("{}", "utf-8")
    with pytest.raises(WeightsError, match="tokenizer"):
        bring_model(path)
    (tmp_path / "mine" / "words.json").unlink()
    with pytest.raises(UsageError, match=r"names 'words\.json'"):
        bring_model(path)
    assert kept(models) == []
