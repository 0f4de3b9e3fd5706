"""A manifest and what it is made of: the card of an extractor, its id, its JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bilderatlas.arrays import Metric
from bilderatlas.errors import PackageError
from bilderatlas.exchange.canonical import sha256_of
from bilderatlas.exchange.format import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST_NAME,
    Manifest,
    Model,
    Preprocessing,
    Vectors,
    WeightsFacts,
)
from bilderatlas.extractors.base import Card

MAX_MANIFEST_BYTES = 256 << 20
_WEIGHTS_FACTS = frozenset(WeightsFacts.model_fields) - {"more"}


def model_of(card: Card) -> Model:
    """Return what a package says about the extractor of `card`."""
    weights = tuple(
        WeightsFacts(
            **({"name": "weights"} | {k: v for k, v in file.items() if k in _WEIGHTS_FACTS}),
            more={k: v for k, v in file.items() if k not in _WEIGHTS_FACTS},
        )
        for file in card.weights
    )
    return Model(
        name=card.model_id,
        version=card.version,
        judges_by=card.judges_by,
        sees=card.sees,
        weights_sha256=card.weights_sha256,
        weights=weights,
        licence=card.licence,
        paper=card.paper,
        training_data=card.training_data,
        knows_only=card.knows_only,
        tap=card.tap,
        pooling=card.pooling,
        projection=card.projection,
        embeds_text=card.embeds_text,
        text_tower=card.text_tower,
        languages=card.languages,
    )


def preprocessing_of(card: Card) -> Preprocessing:
    """Return the preprocessing of `card`, with the hash that names it."""
    steps = json.loads(json.dumps(card.preprocessing))
    return Preprocessing(side_px=card.side_px, steps=tuple(steps), sha256=sha256_of(steps))


def vectors_of(card: Card, *, count: int, geometry: bool) -> Vectors:
    """Return what a package says about the vectors of `card`."""
    return Vectors.model_validate(
        {
            "dim": card.dim,
            "dtype": card.dtype,
            "normalised": card.normalised,
            "metrics": tuple(str(metric) for metric in card.metrics),
            "count": count,
            "many_rows": card.many_rows,
            "rows_are": card.rows_are,
            "geometry": geometry,
        }
    )


def card_of(manifest: Manifest) -> Card:
    """Return the card that a space made of the package has."""
    model, vectors = manifest.model, manifest.vectors
    return Card(
        model_id=model.name,
        judges_by=model.judges_by or model.name,
        sees=model.sees or f"What '{model.name}' makes alike.",
        dim=vectors.dim,
        dtype=vectors.dtype,
        metrics=tuple(Metric(name) for name in vectors.metrics),
        side_px=manifest.preprocessing.side_px,
        preprocessing=manifest.preprocessing.steps,
        version=model.version,
        weights_sha256=model.weights_sha256,
        licence=model.licence,
        paper=model.paper,
        embeds_text=model.embeds_text,
        many_rows=vectors.many_rows,
        rows_are=vectors.rows_are,
        normalised=vectors.normalised,
        tap=model.tap,
        pooling=model.pooling,
        training_data=model.training_data,
        languages=model.languages,
        text_tower=model.text_tower,
        projection=model.projection,
        weights=tuple(_weights_json(file) for file in model.weights),
        knows_only=model.knows_only,
    )


def _weights_json(file: WeightsFacts) -> dict[str, Any]:
    given = file.model_dump(mode="json", exclude={"more"}, exclude_unset=True)
    return given | file.more


@cache
def _cards() -> TypeAdapter[Card]:
    return TypeAdapter(Card)


def checked_card(values: Mapping[str, Any]) -> Card:
    """Build a card from the JSON of a stranger: nothing is converted, what is missing is missing.

    Raises:
        ValueError: when a fact is none, is not of its very type, or out of its range.
    """
    card = _cards().validate_json(json.dumps(values), strict=True)
    model_of(card)
    preprocessing_of(card)
    vectors_of(card, count=0, geometry=False)
    return card


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as it stands in `features.json`."""
    return manifest.model_dump(mode="json")


def id_of(values: dict[str, Any]) -> str:
    """Return the id of a manifest given as JSON: a hash of everything else in it."""
    return sha256_of({name: value for name, value in values.items() if name != "id"})


def read_manifest_json(folder: Path) -> dict[str, Any]:
    """Read `features.json` as plain JSON, its format and version proved, nothing else.

    Raises:
        PackageError: when there is none, or it is of another format or a newer version.
    """
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise PackageError("manifest", f"Cannot read '{path}': it is larger than 256 MiB.")
        values = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise PackageError(
            "no-manifest",
            f"Cannot read the package '{folder}': there is no {MANIFEST_NAME} in it. Name the "
            "folder that `bilderatlas features export` wrote.",
        ) from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise PackageError(
            "manifest", f"Cannot read '{path}': it is no JSON ({error}). Get the package again."
        ) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise PackageError(
            "not-a-package",
            f"Cannot read '{path}': its format is {found!r}, expected '{FORMAT}'. The folder of a "
            "library's own space is no package: write one with `bilderatlas features export`.",
        )
    version = values.get("format_version")
    if version != FORMAT_VERSION:
        is_newer = isinstance(version, int) and version > FORMAT_VERSION
        raise PackageError(
            "newer-version" if is_newer else "manifest",
            f"Cannot read '{path}': its format_version is {version!r}, this program reads "
            f"{FORMAT_VERSION}. {'Update Bilderatlas.' if is_newer else 'Get it again.'}",
        )
    return values


def parse_manifest(values: dict[str, Any], where: str) -> Manifest:
    """Read a manifest and prove its schema, its id and the hash of its preprocessing.

    Raises:
        PackageError: naming the first field that is wrong.
    """
    try:
        manifest = Manifest.model_validate(values)
        is_own = id_of(values) == manifest.id
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise PackageError(
            "schema",
            f"Cannot use '{where}': in {MANIFEST_NAME}, {place}: {first['msg']} "
            f"({error.error_count()} faults in all). See the JSON Schema in the documentation.",
        ) from error
    except ValueError as error:
        raise PackageError("schema", f"Cannot use '{where}': {error}.") from error
    if not is_own:
        raise PackageError(
            "changed-manifest",
            f"Cannot use '{where}': {MANIFEST_NAME} was changed after it was written, its content "
            "no longer has the hash that its id states. Get the package again.",
        )
    if sha256_of(values["preprocessing"]["steps"]) != manifest.preprocessing.sha256:
        raise PackageError(
            "preprocessing-hash",
            f"Cannot use '{where}': preprocessing.sha256 is not the hash of preprocessing.steps. "
            "Ask the publisher which of the two holds.",
        )
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read and prove `features.json`.

    Raises:
        PackageError: naming what is wrong.
    """
    return parse_manifest(read_manifest_json(folder), str(folder))
