"""Engines turn a query vector and the stored rows into scores; one file an engine."""

from bilderatlas.store.engines.base import ENGINES, Engine, RowSource, select_top

__all__ = ["ENGINES", "Engine", "RowSource", "select_top"]
