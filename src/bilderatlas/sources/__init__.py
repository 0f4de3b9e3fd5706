"""Sources: where records and pictures come from."""

from bilderatlas.sources.base import SOURCES, Source, SourceKind, open_source

__all__ = ["SOURCES", "Source", "SourceKind", "open_source"]
