"""The facts of an extractor as a reader looks them up: words and values, from its card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilderatlas.extractors.base import rows_are
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined, language_name, ngettext, thousands
from bilderatlas.words import mark

_MANY_LANGUAGES = 8
_WEIGHT_WORDS = {
    "name": mark("File"),
    "source": mark("From"),
    "revision": mark("Revision"),
    "sha256": mark("SHA-256"),
    "origin": mark("Checksum"),
}
_ORIGINS = {
    "pinned": mark("pinned in the code"),
    "recorded": mark("recorded at the first fetch"),
    "given": mark("of the file that was given"),
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
            (_("Extractor"), _("%(name)s, version %(version)s", **_named(card))),
            (_("One work is"), self._extent),
            (_("Compared by"), _("%(metrics)s distance", metrics=joined(card["metrics"]))),
            (_("Finds by words"), self._words),
            (_("Pictures arrive at"), _("%(n)s px, long side", n=card["side_px"])),
            (_("Read from"), card.get("tap", "")),
            (_("Pooled by"), card.get("pooling", "")),
            (_("Learned from"), card.get("training_data", "")),
            (_("Knows only"), _(card.get("knows_only", ""))),
            (_("Reduced by"), spelled(card.get("projection") or {})),
            (_("Licence"), card.get("licence", "")),
            (_("Published in"), card.get("paper", "")),
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
        kind = rows_are(self.card)
        if kind == "detail":
            return _("many vectors of %(n)s numbers, one for each detail", n=dim)
        if kind == "figure":
            return _("a vector of %(n)s numbers for each figure; none where there is none", n=dim)
        return _("one vector of %(n)s numbers", n=dim)

    @property
    def _words(self) -> str:
        if not self.card.get("embeds_text"):
            return _("no, pictures only")
        languages = self.card.get("languages") or ()
        if len(languages) > _MANY_LANGUAGES:
            n = len(languages)
            return ngettext("yes, in %(num)s language", "yes, in %(num)s languages", n)
        named = joined(map(language_name, languages))
        return _("yes, in %(languages)s", languages=named) if named else _("yes")


def _weight_fact(key: str, value: Any) -> tuple[str, str]:
    if key == "origin":
        value = _(_ORIGINS.get(value, value))
    return _(_WEIGHT_WORDS.get(key, key)), spelled(value)


def _named(card: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": card["model_id"], "version": card["version"]}


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
