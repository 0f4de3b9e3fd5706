"""`bilderatlas features reduce`: fewer numbers for a space, by principal components."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.api.reduce import reduce as reduce_space
from bilderatlas.cli.options import CollectionOption, JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, shown_progress


def reduce(
    collection: CollectionOption,
    extractor: Annotated[
        str, typer.Option("--extractor", metavar="ID", help="The space to reduce.")
    ],
    dim: Annotated[int, typer.Option("--dim", min=1, help="Numbers to keep of each row.")] = 512,
    whiten: Annotated[
        bool, typer.Option("--whiten", help="Give every number the same weight (variance 1).")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit anew, even where a projection was kept.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reduce a space by principal components, fitted on the collection's own rows.

    Makes a further space ID~pcaN beside it, which searches, uploads and later indexing use like any
    other. No picture is read. Run again, it completes what is missing.
    """
    with open_library(library) as opened, shown_progress(collection) as on_progress:
        report = reduce_space(
            opened,
            collection,
            extractor,
            dim,
            whiten=whiten,
            refit=refit,
            on_progress=on_progress,
        )
    if as_json:
        print_json(report.to_json())
        return
    fitted = "fitted on" if report.fitted else "kept, fitted on"
    typer.echo(
        f"{report.model_id}: {report.n_projected} works projected; the projection was {fitted} "
        f"{report.n_fitted_on} works and keeps {100 * report.explained_variance:.1f} % of their "
        f"differences ({report.seconds:.1f} s)"
    )
