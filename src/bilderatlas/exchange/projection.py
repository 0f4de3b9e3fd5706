"""A projection that comes with features: proved before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bilderatlas.errors import PackageError, StoreError
from bilderatlas.exchange.format import Sha256, Word
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.reduced import MARK, Projection, reduced_id
from bilderatlas.store.projections import projection_file

MAX_PROJECTION_BYTES = 1 << 30

_Length = Annotated[int, Field(ge=1, le=1 << 24)]


class ProjectionFacts(BaseModel):
    """What a card says of a projection that further pictures are to go through."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    kind: Literal["pca"]
    base: Word
    base_dim: _Length
    dim: _Length
    whitened: bool
    sha256: Sha256
    fitted_on: str
    n_rows: int
    explained_variance: float = Field(ge=0, le=1.001)


def check_projection(card: Card, content: bytes | None, *, needs_file: bool = True) -> None:
    """Prove that a card and the file of its projection can be used together.

    Vectors that went through a projection elsewhere, of which nobody promises a file, are left
    alone, unless their name says that further pictures can be projected.

    Args:
        card: Of the space.
        content: The file; None where none came.
        needs_file: Whether a reduced space without its file is refused.

    Raises:
        PackageError: `projection`, saying what is missing or does not fit.
    """
    is_named = MARK in card.model_id
    names_file = projection_file({"projection": card.projection}) is not None
    if not is_named and not names_file and content is None:
        return
    facts = _facts_of(card)
    if content is not None:
        _check_file(card, facts, content)
    elif needs_file or names_file:
        raise _refusal(card, "the file of its projection is missing. Get the features again")


def _facts_of(card: Card) -> ProjectionFacts:
    if card.projection is None:
        raise _refusal(card, "its card says nothing of a projection, and its name speaks of one")
    try:
        facts = ProjectionFacts.model_validate(card.projection)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _refusal(card, f"its projection's {place}: {first['msg']}") from error
    if facts.dim != card.dim:
        raise _refusal(card, f"its projection gives {facts.dim} numbers, the card says {card.dim}")
    if MARK in facts.base:
        raise _refusal(card, f"its projection starts from a reduced space, '{facts.base}'")
    expected = reduced_id(facts.base, facts.dim, whiten=facts.whitened)
    if MARK in card.model_id and card.model_id != expected:
        raise _refusal(card, f"by its projection the space is '{expected}'")
    return facts


def _check_file(card: Card, facts: ProjectionFacts, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != facts.sha256:
        raise _refusal(card, "the file of its projection has another sha256 than the card says")
    try:
        projection = Projection.from_bytes(content)
    except StoreError as error:
        raise _refusal(card, str(error).removesuffix(".")) from error
    found = (1 + len(projection.components), len(projection.mean))
    expected = (1 + facts.dim, facts.base_dim)
    if found != expected:
        raise _refusal(
            card, f"the file of its projection has shape {found}, the card asks for {expected}"
        )


def _refusal(card: Card, why: str) -> PackageError:
    return PackageError("projection", f"Cannot use the space '{card.model_id[:150]}': {why}.")


def without_file(projection: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the facts of a projection whose file stayed where it is."""
    if projection is None:
        return None
    return {name: value for name, value in projection.items() if name != "file"}
