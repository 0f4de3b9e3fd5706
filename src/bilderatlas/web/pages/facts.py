"""The facts of an extractor as a reader looks them up: words and values, from its card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilderatlas.extractors.base import rows_are
from bilderatlas.web.rendering import counted, sentence, thousands

LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
}
_MANY_LANGUAGES = 8
_WEIGHT_WORDS = {
    "name": "File",
    "source": "From",
    "revision": "Revision",
    "sha256": "SHA-256",
    "origin": "Checksum",
}
_ORIGINS = {
    "pinned": "pinned in the code",
    "recorded": "recorded at the first fetch",
    "given": "of the file that was given",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """A card, as stored or as registered; cards of older versions lack some of its fields."""

    card: Mapping[str, Any]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The facts that there are, with the words for them."""
        card = self.card
        pairs = [
            ("Extractor", f"{card['model_id']}, version {card['version']}"),
            ("One work is", self._extent),
            ("Compared by", f"{sentence(card['metrics'])} distance"),
            ("Finds by words", self._words),
            ("Pictures arrive at", f"{card['side_px']} px, long side"),
            ("Read from", card.get("tap", "")),
            ("Pooled by", card.get("pooling", "")),
            ("Learned from", card.get("training_data", "")),
            ("Knows only", card.get("knows_only", "")),
            ("Reduced by", spelled(card.get("projection") or {})),
            ("Licence", card.get("licence", "")),
            ("Published in", card.get("paper", "")),
        ]
        return [(word, text) for word, text in pairs if text]

    @property
    def weights(self) -> list[list[tuple[str, str]]]:
        """The facts of each file of weights; one without details where only a hash is known."""
        files: Sequence[Mapping[str, Any]] = self.card.get("weights") or ()
        if not files and self.card.get("weights_sha256"):
            files = [{"sha256": self.card["weights_sha256"]}]
        return [
            [_weight_fact(key, value) for key, value in file.items() if value not in ("", None)]
            for file in files
        ]

    @property
    def steps(self) -> list[str]:
        """Its preprocessing, one line a step."""
        return [_step(step) for step in self.card.get("preprocessing", ())]

    @property
    def _extent(self) -> str:
        dim = thousands(self.card["dim"])
        kinds = {
            "detail": f"many vectors of {dim} numbers, one for each detail",
            "figure": f"a vector of {dim} numbers for each figure; none where there is none",
        }
        return kinds.get(rows_are(self.card), f"one vector of {dim} numbers")

    @property
    def _words(self) -> str:
        if not self.card.get("embeds_text"):
            return "no, pictures only"
        languages = self.card.get("languages") or ()
        if len(languages) > _MANY_LANGUAGES:
            return f"yes, in {counted(len(languages), 'language')}"
        named = sentence(LANGUAGES.get(code, code) for code in languages)
        return f"yes, in {named}" if named else "yes"


def _weight_fact(key: str, value: Any) -> tuple[str, str]:
    if key == "origin":
        value = _ORIGINS.get(value, value)
    return _WEIGHT_WORDS.get(key, key), spelled(value)


def spelled(value: Any) -> str:
    """Write a value of a card for a reader."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {spelled(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(spelled(one) for one in value)
    return "" if value is None else str(value)


def _step(step: Mapping[str, Any]) -> str:
    numbers = ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in step.items()
        if name not in {"step", "name", "op"}
    )
    name = str(step.get("step") or step.get("name") or step.get("op") or "")
    return f"{name}: {numbers}" if name and numbers else name or numbers
