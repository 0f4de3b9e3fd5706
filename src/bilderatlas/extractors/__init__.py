"""Extractors turn pictures (some also texts) into embeddings; one file a family."""

from bilderatlas.extractors.base import (
    EXTRACTORS,
    Card,
    Extractor,
    ImageRows,
    Readiness,
    default_extractors,
)

__all__ = ["EXTRACTORS", "Card", "Extractor", "ImageRows", "Readiness", "default_extractors"]
