"""From a source to a searchable collection: plan, fetch, decode, extract, commit."""

from bilderatlas.indexing.local import index_source
from bilderatlas.indexing.report import IndexOptions, IndexReport, PlanSummary, Progress

__all__ = ["IndexOptions", "IndexReport", "PlanSummary", "Progress", "index_source"]
