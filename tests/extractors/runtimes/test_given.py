"""Files that the user gives: tried before they are taken, refused without a trace."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.errors import NotFoundError, UnavailableError, WeightsError
from bilderatlas.extractors.canaries import canary_texts
from bilderatlas.extractors.runtimes import RuntimeOptions, convert_pickle, given
from bilderatlas.extractors.runtimes import fetch as fetching
from bilderatlas.extractors.runtimes.given import take_given
from bilderatlas.extractors.runtimes.likeness import cosines_of
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime, quantised
from bilderatlas.extractors.runtimes.record import ExportFacts, FileFacts
from bilderatlas.extractors.runtimes.replaced import remove_quantised
from bilderatlas.extractors.runtimes.verify import verify
from bilderatlas.extractors.runtimes.weights import sha256_of
from bilderatlas.extractors.siglip import Siglip2
from tests.extractors.runtimes.tiny import SIDE, TinyExtractor, mean_colours, modules, save_weights
from tests.extractors.vocabularies import save_sentence_pieces

torch = pytest.importorskip("torch")


@pytest.fixture
def tiny(tmp_path: Path) -> TinyExtractor:
    return TinyExtractor(tmp_path / "models" / "tiny")


def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)


def state_of(folder: Path) -> dict[str, bytes]:
    if not folder.exists():
        return {}
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def onnx_file(path: Path, module: Any, example: Any, free: bool = True) -> Path:
    shapes = ({0: torch.export.Dim.DYNAMIC},) if free else None
    torch.onnx.export(
        module.eval(), (example,), str(path), dynamo=True, external_data=False,
        dynamic_shapes=shapes, verbose=False,
    )  # fmt: skip
    return path


def test_safetensors(tiny: TinyExtractor, tmp_path: Path) -> None:
    file = save_weights(tmp_path / "mine.safetensors")
    (facts,) = take_given(tiny, file)
    assert isinstance(facts, FileFacts)
    assert (facts.name, facts.origin, facts.source) == (
        "weights.safetensors",
        "given",
        "mine.safetensors",
    )
    assert tiny.card.weights_sha256 == sha256_of(file)
    np.testing.assert_allclose(
        tiny.embed_images([picture()])[0], mean_colours(picture()), atol=1e-6
    )


def test_a_pytorch_file(tiny: TinyExtractor, tmp_path: Path) -> None:
    state = {f"module.{name}": one for name, one in modules().state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "mine.pt")
    (facts,) = take_given(tiny, tmp_path / "mine.pt")
    assert isinstance(facts, FileFacts) and facts.made_from is not None
    assert facts.made_from["sha256"] == sha256_of(tmp_path / "mine.pt")
    np.testing.assert_allclose(
        tiny.embed_images([picture()])[0], mean_colours(picture()), atol=1e-6
    )


class Hostile:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_pickle_runs_nothing(tiny: TinyExtractor, tmp_path: Path, legacy: bool) -> None:
    sign = tmp_path / "it-ran"
    bad = {"state_dict": modules().state_dict(), "extra": Hostile(str(sign))}
    torch.save(bad, tmp_path / "bad.pth", _use_new_zipfile_serialization=not legacy)
    before = state_of(tiny.folder)
    with pytest.raises(WeightsError, match="Cannot convert"):
        take_given(tiny, tmp_path / "bad.pth")
    assert not sign.exists()
    assert state_of(tiny.folder) == before


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": 1}, {}, "text", b"\x80\x04K", b"PK\x03\x04broken"], ids=repr
)
def test_a_pickle_of_anything_else(
    tmp_path: Path, content: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the child would answer, asked without starting one."""
    file = tmp_path / "x.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    assert convert_pickle.main([str(file), str(tmp_path / "out.safetensors")]) == 1
    assert json.loads(capsys.readouterr().out)["error"]
    assert not (tmp_path / "out.safetensors").exists()


def test_weights_that_do_not_fit_leave_everything_as_it_was(
    tiny: TinyExtractor, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    take_given(tiny, save_weights(tmp_path / "good.safetensors"))
    before = state_of(tiny.folder)
    state = {name: one.clone() for name, one in modules().state_dict().items()}
    state["image.conv.weight"] = torch.zeros(3, 1, 8, 8)
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsError, match=r"image\.conv\.weight"):
        take_given(tiny, tmp_path / "bad.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "good.safetensors").read_bytes()[:-100])
    with pytest.raises(WeightsError, match="header promises"):
        take_given(tiny, cut)
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(WeightsError, match="something else"):
        take_given(tiny, tmp_path / "text.txt")
    with pytest.raises(NotFoundError):
        take_given(tiny, tmp_path / "none.onnx")
    assert state_of(tiny.folder) == before


def test_a_network_of_another_shape_is_refused(
    tiny: TinyExtractor, exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported, tiny.folder)
    before = state_of(tiny.folder)
    other = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 32, 32), torch.nn.Flatten())
    larger = onnx_file(tmp_path / "larger.onnx", other, torch.zeros(2, 3, 128, 128))
    with pytest.raises(WeightsError, match=r"reads \(any, 3, 128, 128\), expected \(any, 3, 64"):
        take_given(tiny, larger)
    single = onnx_file(
        tmp_path / "single.onnx", modules()["image"], torch.zeros(1, 3, 64, 64), free=False
    )
    with pytest.raises(WeightsError, match=r"reads \(1, 3, 64, 64\), expected \(any, 3"):
        take_given(tiny, single)
    coarse = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 32, 32), torch.nn.Flatten())
    small = onnx_file(tmp_path / "small.onnx", coarse, torch.zeros(2, 3, 64, 64))
    with pytest.raises(WeightsError, match=r"gives \(any, 12\), expected \(any, 48\)"):
        take_given(tiny, small)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((exported / "image.onnx").read_bytes()[:2000])
    with pytest.raises(WeightsError):
        take_given(tiny, broken)
    assert state_of(tiny.folder) == before


def test_networks_are_carried_to_a_machine_without_the_laboratory(
    tiny: TinyExtractor, exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    carried = tmp_path / "stick"
    carried.mkdir()
    for name in ("image.onnx", "text.onnx"):
        shutil.copy(exported / name, carried)
    from bilderatlas.extractors import neural

    for module in (neural, given, fetching):
        monkeypatch.setattr(module, "has_torch", lambda: False)
    facts = take_given(tiny, carried)
    assert all(isinstance(one, ExportFacts) for one in facts)
    assert tiny.readiness().state == "ready" and tiny.possible_runtimes() == ["onnxruntime"]
    assert tiny.card.weights_sha256 == sha256_of(exported / "weights.safetensors")
    np.testing.assert_allclose(
        tiny.embed_images([picture()])[0], mean_colours(picture()), atol=1e-6
    )
    assert fetching.fetch(tiny).fetched == []  # its weights could not be used here
    assert "bilderatlas[lab]" in (
        tiny.configured(RuntimeOptions(precision="bf16")).readiness().sentence
    )
    report = verify(tiny)
    assert report.ok and [one.other for one in report.spaces] == ["recorded", "recorded"]


def test_a_network_that_gives_other_embeddings_is_refused(
    tiny: TinyExtractor, exported: Path, tmp_path: Path
) -> None:
    import onnx

    model = onnx.load(exported / "image.onnx")
    (weights,) = (one for one in model.graph.initializer if len(one.dims) == 4)
    values = onnx.numpy_helper.to_array(weights).copy()
    values[0] *= -1
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, tmp_path / "image.onnx")
    with pytest.raises(WeightsError, match="another space") as caught:
        take_given(tiny, tmp_path / "image.onnx")
    assert caught.value.reason_code == "not-the-same-space"
    assert state_of(tiny.folder) == {}


def test_a_network_of_other_weights_is_refused_beside_these(
    tiny: TinyExtractor, exported: Path, tmp_path: Path
) -> None:
    take_given(tiny, save_weights(tmp_path / "others.safetensors", scale=2.0))
    with pytest.raises(WeightsError, match="exported from weights"):
        take_given(tiny, exported / "image.onnx")


def test_other_weights_let_go_of_what_was_exported(
    tiny: TinyExtractor, exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported, tiny.folder)
    first = tiny.embed_images([picture()])
    assert tiny.runtime().name == "onnxruntime"
    take_given(tiny, save_weights(tmp_path / "others.safetensors", scale=2.0))
    assert sorted(state_of(tiny.folder)) == ["record.json", "weights.safetensors"]
    assert tiny.runtime().name == "torch"
    np.testing.assert_allclose(tiny.embed_images([picture()]), 2 * first, rtol=1e-5)


def test_a_network_without_a_note(tiny: TinyExtractor, exported: Path, tmp_path: Path) -> None:
    plain = onnx_file(tmp_path / "plain.onnx", modules()["image"], torch.zeros(2, 3, 64, 64))
    (facts,) = take_given(tiny, plain)  # alone it is what it is
    assert isinstance(facts, FileFacts) and (facts.role, facts.origin) == ("onnx", "given")
    assert tiny.card.weights_sha256 == sha256_of(plain)
    assert tiny.readiness().state == "to fetch"  # the network for texts is missing
    beside = tiny.at(tmp_path / "beside")
    take_given(beside, exported / "weights.safetensors")
    (proven,) = take_given(beside, plain)  # beside weights it is proven to be theirs
    assert isinstance(proven, ExportFacts)
    assert proven.weights_sha256 == sha256_of(exported / "weights.safetensors")


def test_no_proof_without_the_laboratory(
    tiny: TinyExtractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_given(tiny, save_weights(tmp_path / "mine.safetensors"))
    plain = onnx_file(tmp_path / "plain.onnx", modules()["image"], torch.zeros(2, 3, 64, 64))
    monkeypatch.setattr(given, "has_torch", lambda: False)
    before = state_of(tiny.folder)
    with pytest.raises(UnavailableError, match="same space"):
        take_given(tiny, plain)
    assert state_of(tiny.folder) == before


def test_a_tokenizer_where_none_is_read(tiny: TinyExtractor, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps({"model": {"type": "BPE"}}))
    with pytest.raises(WeightsError, match="reads none"):
        take_given(tiny, file)


def test_int8_is_made_once_and_leaves_with_its_network(tmp_path: Path) -> None:
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 32), torch.nn.GELU(), torch.nn.Linear(32, 4)
    )
    path = onnx_file(tmp_path / "image.onnx", network, torch.zeros(2, 3, 8, 8))
    batch = np.random.default_rng(3).normal(size=(5, 3, 8, 8)).astype(np.float32)
    exact = OnnxRuntime({"image": path}).run("image", batch)
    rounded = OnnxRuntime({"image": path}, RuntimeOptions(precision="int8")).run("image", batch)
    assert not np.array_equal(exact, rounded)
    assert 0.9 < min(cosines_of(exact, rounded)) < 0.9999999
    (derived,) = tmp_path.glob("image.int8-*.onnx")
    assert quantised(path) == derived
    remove_quantised(tmp_path)
    assert not derived.exists() and path.exists()


def test_int8_is_a_space_of_its_own(tiny: TinyExtractor, exported: Path) -> None:
    shutil.copytree(exported, tiny.folder)
    rounded = tiny.configured(RuntimeOptions(precision="int8"))
    assert rounded.card.model_id == "tiny_grid.test~int8"
    assert rounded.possible_runtimes() == ["onnxruntime"]
    with pytest.raises(UnavailableError, match="made of convolutions"):
        rounded.embed_images([picture()])
    assert sorted(state_of(tiny.folder)) == sorted(state_of(exported))


class PinnedTiny(TinyExtractor):
    """The same, but the program names the bytes: those of weights that nobody here has."""

    files = (replace(TinyExtractor.files[0], sha256="12" * 32),)


def pinned_to(file: Path, folder: Path) -> TinyExtractor:
    files = (replace(TinyExtractor.files[0], sha256=sha256_of(file)),)
    made: type[TinyExtractor] = type("PinnedToThis", (TinyExtractor,), {"files": files})
    return made(folder)


def test_what_lies_under_the_name_of_pinned_bytes_is_refused(tmp_path: Path) -> None:
    pinned = PinnedTiny(tmp_path / "tiny")
    file = save_weights(pinned.folder / "weights.safetensors")
    before = state_of(pinned.folder)
    for use in (
        lambda: pinned.embed_images([picture()]),
        pinned.model_files.settled,
        lambda: fetching.fetch(pinned),
        lambda: verify(pinned),
    ):
        with pytest.raises(WeightsError, match="expected 1212") as caught:
            use()
        assert sha256_of(file) in str(caught.value) and "--weights FILE" in str(caught.value)
    assert pinned.readiness().state == "to fetch" and "1212" in pinned.readiness().sentence
    assert pinned.card.weights_sha256 is None
    assert state_of(pinned.folder) == before


def test_pinned_bytes_may_be_put_here_by_hand(tmp_path: Path) -> None:
    file = save_weights(tmp_path / "tiny" / "weights.safetensors")
    pinned = pinned_to(file, tmp_path / "tiny")
    (facts,) = pinned.model_files.settled().files.values()
    assert facts.origin == "pinned" and pinned.readiness().state == "ready"


def test_a_variant_of_pinned_weights_is_taken_and_told(tmp_path: Path) -> None:
    pinned = PinnedTiny(tmp_path / "tiny")
    (facts,) = take_given(pinned, save_weights(tmp_path / "mine.safetensors"))
    assert isinstance(facts, FileFacts) and facts.origin == "given"
    told = pinned.model_files.departure_of(facts)
    assert told == f"not the bytes that the program expects (sha256 {'12' * 32})"
    assert pinned.readiness().state == "ready"
    exact = pinned_to(tmp_path / "mine.safetensors", tmp_path / "exact")
    (same,) = take_given(exact, tmp_path / "mine.safetensors")
    assert isinstance(same, FileFacts) and same.origin == "pinned"
    assert exact.model_files.departure_of(same) == ""


def test_of_the_conversion_of_a_pinned_pickle_nothing_can_be_told(tmp_path: Path) -> None:
    wanted = replace(TinyExtractor.files[0], role="pickle", name="t.pth", sha256_prefix="dcbb9e9d")
    made: type[TinyExtractor] = type("Pickled", (TinyExtractor,), {"files": (wanted,)})
    pickled = made(tmp_path / "tiny")
    (facts,) = take_given(pickled, save_weights(tmp_path / "mine.safetensors"))
    assert isinstance(facts, FileFacts)
    assert "(sha256 dcbb9e9d…) cannot be told" in pickled.model_files.departure_of(facts)
    torch.save(modules().state_dict(), tmp_path / "other.pth")
    (facts,) = take_given(pickled, tmp_path / "other.pth")
    assert isinstance(facts, FileFacts)
    assert pickled.model_files.departure_of(facts).startswith("not the bytes that")


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_broken_weights_are_refused(tiny: TinyExtractor, tmp_path: Path, value: float) -> None:
    from safetensors.torch import save_file

    take_given(tiny, save_weights(tmp_path / "good.safetensors"))
    before = state_of(tiny.folder)
    state = {name: one.clone() for name, one in modules().state_dict().items()}
    state["image.conv.weight"].fill_(value)
    save_file(state, tmp_path / "broken.safetensors")
    with pytest.raises(WeightsError, match="on the canaries its image network gives"):
        take_given(tiny, tmp_path / "broken.safetensors")
    assert state_of(tiny.folder) == before
    by_hand = tiny.at(tmp_path / "by hand")
    by_hand.folder.mkdir()
    shutil.copy(tmp_path / "broken.safetensors", by_hand.folder / "weights.safetensors")
    report = verify(by_hand)
    assert not report.ok and "the weights are broken" in report.spaces[0].problem
    assert "image" not in by_hand.model_files.record.canaries


def words_of(path: Path, size: int) -> Path:
    save_sentence_pieces(path, [one.lower() for one in canary_texts()], size)
    return path


def test_a_tokenizer_is_tried_before_it_takes_the_place_of_another(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    good = words_of(tmp_path / "good.json", 300)
    weights, tokenizer = Siglip2.files
    made: type[Siglip2] = type(
        "Reader", (Siglip2,), {"files": (weights, replace(tokenizer, sha256=sha256_of(good)))}
    )
    reader = made(tmp_path / "models" / "siglip")
    (facts,) = take_given(reader, good)
    assert isinstance(facts, FileFacts) and facts.origin == "pinned"
    before = state_of(reader.folder)
    foreign = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    foreign.save(str(tmp_path / "foreign.json"))
    with pytest.raises(WeightsError, match="it has no token '<eos>'"):
        take_given(reader, tmp_path / "foreign.json")
    dull = Tokenizer(models.WordLevel({"<eos>": 0, "<pad>": 1, "[UNK]": 2}, unk_token="[UNK]"))
    dull.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    dull.save(str(tmp_path / "dull.json"))
    with pytest.raises(WeightsError, match="it makes 1 of 8 different texts"):
        take_given(reader, tmp_path / "dull.json")
    assert state_of(reader.folder) == before
    (other,) = take_given(reader, words_of(tmp_path / "other.json", 120))
    assert isinstance(other, FileFacts) and other.origin == "given"
    assert "not the bytes" in reader.model_files.departure_of(other)
    assert reader.card.text_tower is not None
    assert reader.card.text_tower["tokenizer_sha256"] == other.sha256


def test_a_changed_int8_file_is_not_run(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 32))
    path = onnx_file(tmp_path / "image.onnx", network, torch.zeros(2, 3, 8, 8))
    derived = quantised(path)
    content = bytearray(derived.read_bytes())
    content[-40] ^= 0xFF
    derived.write_bytes(content)
    rounded = OnnxRuntime({"image": path}, RuntimeOptions(precision="int8"))
    with pytest.raises(WeightsError, match="changed or damaged since it was made"):
        rounded.session("image")
    derived.unlink()
    assert quantised(path) == derived and sorted(tmp_path.iterdir()) == sorted([path, derived])


def test_the_matrices_behind_convolutions_have_an_int8_form(tmp_path: Path) -> None:
    """VGG is built like this: convolutions, which stay as they are, then matrices."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 16)
    )
    path = onnx_file(tmp_path / "image.onnx", network, torch.zeros(2, 3, 8, 8))
    batch = np.random.default_rng(3).normal(size=(5, 3, 8, 8)).astype(np.float32)
    exact = OnnxRuntime({"image": path}).run("image", batch)
    rounded = OnnxRuntime({"image": path}, RuntimeOptions(precision="int8")).run("image", batch)
    assert 0.9 < min(cosines_of(exact, rounded)) < 0.9999999


def test_a_folder_of_files_as_they_are_published(tiny: TinyExtractor, tmp_path: Path) -> None:
    save_weights(tmp_path / "stick" / "model.safetensors")
    (facts,) = take_given(tiny, tmp_path / "stick")
    assert (facts.name, tiny.readiness().state) == ("weights.safetensors", "ready")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match=r"weights\.safetensors, model\.safetensors"):
        take_given(tiny, tmp_path / "empty")
