"""Motifs by genre: what is planned and how its scene is laid."""

from __future__ import annotations

from bilderatlas.museum.motifs import (
    abstract,
    genre_scene,
    history,
    landscape,
    portrait,
    seascape,
    still_life,
)
from bilderatlas.museum.motifs.base import Motif, Plan

MOTIFS: dict[str, Motif] = {
    motif.name: motif
    for motifs in (
        portrait.MOTIFS,
        still_life.MOTIFS,
        landscape.MOTIFS,
        seascape.MOTIFS,
        history.MOTIFS,
        genre_scene.MOTIFS,
        abstract.MOTIFS,
    )
    for motif in motifs
}

__all__ = ["MOTIFS", "Motif", "Plan"]
