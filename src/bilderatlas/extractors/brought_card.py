"""The card of a brought model: the fields that a stranger may write, read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.arrays import Metric
from bilderatlas.errors import UsageError
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.preprocessing import check_steps

CARD_SUFFIX = ".card.json"
MAX_CARD_BYTES = 1_000_000
MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,50}\.[a-z0-9][a-z0-9_-]{0,50}\Z")
REQUIRED: dict[str, type | tuple[type, ...]] = {
    "model_id": str,
    "judges_by": str,
    "sees": str,
    "dim": int,
    "metrics": list,
    "side_px": int,
    "preprocessing": list,
    "licence": str,
}
OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "normalised": str,
    "dtype": str,
    "version": int,
    "paper": str,
    "tap": str,
    "pooling": str,
    "training_data": str,
    "knows_only": str,
    "languages": list,
    "text": dict,
}
TEXT_REQUIRED: dict[str, type | tuple[type, ...]] = {
    "file": str,
    "tokenizer": str,
    "context_length": int,
}
TEXT_OPTIONAL: dict[str, type | tuple[type, ...]] = {"pad_id": int, "template": str}
WORDS = {
    "normalised": ("l2", "none"),
    "dtype": ("f16", "f32"),
}
NAMES = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class TextTower:
    """The text side of a brought model.

    Attributes:
        file: Name of its ONNX file, beside the card: int64 `(n, context_length)` to `(n, dim)`.
        tokenizer: Name of its `tokenizer.json`, beside the card.
        context_length: Tokens of a text; longer ones are cut, shorter ones filled up.
        pad_id: The token that fills up.
        template: What a text is put into before it is tokenised; `{}` stands for it.
    """

    file: str
    tokenizer: str
    context_length: int
    pad_id: int = 0
    template: str = "{}"


@dataclass(frozen=True, slots=True)
class BroughtCard:
    """What a card file says: the card without the facts of weights, and the text side."""

    card: Card
    text: TextTower | None
    values: dict[str, Any]


def card_path(model: Path) -> Path:
    """Return where the card of an ONNX file lies: `model.onnx` has `model.card.json`."""
    return model.with_suffix(CARD_SUFFIX)


def read_card(path: Path) -> BroughtCard:
    """Read and check a card file.

    Raises:
        UsageError: naming the field that cannot be used, and what was expected.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise UsageError(f"Cannot read '{path}': it is too large for a card. {_ADVICE}")
        values = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"Cannot bring '{path.name.removesuffix(CARD_SUFFIX)}.onnx': it needs a card beside "
            f"it, '{path}'. {_ADVICE}"
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot read the card '{path}': {error}. {_ADVICE}") from error
    return parse_card(values, str(path))


_ADVICE = "The page 'Bring a model' (docs/reference/bring-a-model.md) lists its fields."


def parse_card(values: Any, where: str) -> BroughtCard:
    """Check what a card file says; `where` names it in messages.

    Raises:
        UsageError: naming the field that cannot be used, and what was expected.
    """
    checked = _checked(values, REQUIRED, OPTIONAL, where, "")
    text = _text_tower(checked.pop("text", None), where)
    for field, words in WORDS.items():
        if checked.get(field, words[0]) not in words:
            raise _refusal(where, field, f"it is '{checked[field]}', expected {_either(words)}")
    if not MODEL_ID.match(checked["model_id"]):
        raise _refusal(
            where,
            "model_id",
            f"it is '{checked['model_id']}', expected an id like 'resnet50.myweights': lower-case "
            "letters, digits, '_' and '-', with one dot between architecture and weights",
        )
    for field, least, most in (("dim", 1, 65_536), ("side_px", 16, 4096), ("version", 1, 10**6)):
        if not least <= checked.get(field, least) <= most:
            raise _refusal(
                where, field, f"it is {checked[field]}, expected a number from {least} to {most}"
            )
    for field in ("judges_by", "sees", "licence"):
        if not checked[field].strip():
            raise _refusal(where, field, "it is empty")
    checked["metrics"] = _metrics(checked["metrics"], where)
    _check_preprocessing(checked["preprocessing"], where)
    checked["preprocessing"] = tuple(checked["preprocessing"])
    checked["languages"] = _texts(checked.get("languages", []), where, "languages")
    checked.setdefault("dtype", "f32")
    card = Card(embeds_text=text is not None, **checked)
    return BroughtCard(card, text, dict(values))


def _checked(
    values: Any,
    required: Mapping[str, type | tuple[type, ...]],
    optional: Mapping[str, type | tuple[type, ...]],
    where: str,
    prefix: str,
) -> dict[str, Any]:
    """Return the fields after making sure that all are known, of their type, and none missing."""
    if not isinstance(values, dict):
        raise UsageError(f"Cannot use the card '{where}': expected a JSON object. {_ADVICE}")
    known = {**required, **optional}
    for field, value in values.items():
        if field not in known:
            raise _refusal(where, prefix + field, "there is no such field")
        is_truth = isinstance(value, bool)  # which Python takes for a whole number
        if is_truth or not isinstance(value, known[field]):
            expected = NAMES[known[field]]  # type: ignore[index]
            raise _refusal(where, prefix + field, f"it is {value!r}, expected {expected}")
    for field in required:
        if field not in values:
            raise _refusal(where, prefix + field, "it is missing")
    return dict(values)


def _text_tower(values: Any, where: str) -> TextTower | None:
    if values is None:
        return None
    text = TextTower(**_checked(values, TEXT_REQUIRED, TEXT_OPTIONAL, where, "text."))
    for field, name in (("text.file", text.file), ("text.tokenizer", text.tokenizer)):
        if not name or Path(name).name != name or "\\" in name:
            raise _refusal(where, field, f"it is '{name}', expected the name of a file beside it")
    if not 2 <= text.context_length <= 4096:
        raise _refusal(
            where,
            "text.context_length",
            f"it is {text.context_length}, expected a number from 2 to 4096",
        )
    if text.pad_id < 0:
        raise _refusal(where, "text.pad_id", f"it is {text.pad_id}, expected 0 or more")
    if text.template.count("{}") != 1:
        raise _refusal(where, "text.template", f"it is '{text.template}', expected one {{}} in it")
    return text


def _metrics(values: list[Any], where: str) -> tuple[Metric, ...]:
    known = [str(metric) for metric in Metric]
    if not values or any(value not in known for value in values):
        raise _refusal(where, "metrics", f"it is {values}, expected some of {', '.join(known)}")
    if len(set(values)) != len(values):
        raise _refusal(where, "metrics", f"it is {values}: a metric stands there twice")
    return tuple(Metric(value) for value in values)


def _check_preprocessing(steps: list[Any], where: str) -> None:
    if not all(isinstance(step, dict) for step in steps):
        raise _refusal(where, "preprocessing", "a step is no object")
    try:
        check_steps(steps)
    except UsageError as error:
        raise _refusal(where, "preprocessing", str(error)) from error


def _texts(values: list[Any], where: str, field: str) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise _refusal(where, field, f"it is {values}, expected a list of texts")
    return tuple(values)


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(f"'{word}'" for word in words)


def _refusal(where: str, field: str, what: str) -> UsageError:
    return UsageError(f"Cannot use the card '{where}', field '{field}': {what}. {_ADVICE}")
