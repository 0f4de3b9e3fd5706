"""The kind of job that tests what a criterion notices; the page of an extractor submits it."""

from __future__ import annotations

from typing import Any

from bilderatlas.api.invariance import KIND, MAX_WORKS, TestOptions, run_test
from bilderatlas.api.pictures import Pictures
from bilderatlas.jobs import JOB_KINDS, JobContext, JobKind


class InvarianceJob(JobKind):
    """`params`: `collection`, `model_id`, and optionally `n_works` and `seed`."""

    name = KIND

    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        """Test from the beginning, which takes a minute or two; stopped, it keeps nothing."""
        options = TestOptions(
            n_works=int(params.get("n_works", MAX_WORKS)),
            seed=int(params.get("seed", 0)),
            on_progress=lambda done, total: context.report(done, total, ""),
            should_stop=context.stop.is_set,
        )
        collection = context.store.get_collection(params["collection"])
        pictures = Pictures(context.store)
        try:
            measured = run_test(collection, pictures, params["model_id"], options)
        finally:
            pictures.close()
        return measured.to_json() if measured is not None else {}


JOB_KINDS.register(InvarianceJob.name, InvarianceJob())
