"""The kind of job that indexes a source; the browser and the demo submit it."""

from __future__ import annotations

from typing import Any

from bilderatlas.indexing.local import index_source
from bilderatlas.indexing.report import IndexOptions, Progress
from bilderatlas.jobs import JOB_KINDS, JobContext, JobKind
from bilderatlas.sources import open_source
from bilderatlas.sources.base import SourceOptions

MAX_FAILURES = 1000  # that a job's result lists; the collection keeps them all


class IndexJob(JobKind):
    """`params`: `address`, `collection`, and optionally `extractors`, `source_options`,
    `retry_failed`, `retry_ids`, `keep_first`, `device`, `precision`."""

    name = "index"

    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        """Index until done or stopped; after a kill the same call goes on where it was."""

        def tell(progress: Progress) -> None:
            context.report(progress.done, progress.total, progress.message)

        options = IndexOptions(
            extractors=tuple(params.get("extractors", ())),
            retry_failed=bool(params.get("retry_failed", False)),
            retry_ids=frozenset(map(str, params.get("retry_ids", ()))),
            keep_first=bool(params.get("keep_first", False)),
            device=str(params.get("device", "cpu")),
            precision=str(params.get("precision", "fp32")),
            on_progress=tell,
            should_stop=context.stop.is_set,
        )
        source_options = SourceOptions.from_json(params.get("source_options", {}))
        source = open_source(params["address"], source_options)
        try:
            report = index_source(
                context.store, source, params["collection"], options, source_options
            )
        finally:
            source.close()
        n_failures = len(report.failures)
        del report.failures[MAX_FAILURES:]
        return report.to_json() | {"n_failures": n_failures}


JOB_KINDS.register(IndexJob.name, IndexJob())
