"""`bilderatlas features`: packages of vectors that others can verify and reuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bilderatlas.api import Library, create
from bilderatlas.api import features as api
from bilderatlas.api import open as open_library
from bilderatlas.cli.options import CollectionOption, JsonOption, LibraryOption
from bilderatlas.cli.output import (
    MAX_FAILURES_SHOWN,
    print_json,
    print_table,
    say,
    shown_cell,
    shown_progress,
)
from bilderatlas.exchange.diff import DiffReport
from bilderatlas.exchange.take_in import ImportReport
from bilderatlas.exchange.verify import SAMPLE, VerifyReport
from bilderatlas.indexing import Progress
from bilderatlas.settings import LIBRARY_FILE, find_library

app = typer.Typer(
    help="Publish embeddings, take in those of others, and prove what they are.",
    no_args_is_help=True,
)
PackageArgument = Annotated[Path, typer.Argument(metavar="PACKAGE", help="Folder of the package.")]


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    with shown_progress(what) as tell:
        yield lambda done, total: tell(Progress(done, total or done, 0, ""))


@app.command("export")
def export(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE", help="Folder to write; must not be there yet.")
    ],
    collection: CollectionOption,
    extractor: Annotated[
        str,
        typer.Option("--extractor", metavar="ID", help="Space to export. Default: the first."),
    ] = "",
    title: Annotated[str, typer.Option("--title", help="Title of the package.")] = "",
    creator: Annotated[str, typer.Option("--creator", help="Who made the vectors.")] = "",
    orcid: Annotated[str, typer.Option("--orcid", help="ORCID of the creator.")] = "",
    licence: Annotated[
        str, typer.Option("--licence", help="SPDX identifier for the vectors: CC0-1.0.")
    ] = "",
    citation: Annotated[str, typer.Option("--citation", help="How to cite the package.")] = "",
    derived_from: Annotated[
        list[str] | None,
        typer.Option("--derived-from", metavar="URL", help="DOI or URL of the pictures' source."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a package that is there.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one space of a collection as a feature package."""
    publication = api.Publication(
        title, creator, orcid, licence, citation, tuple(derived_from or ())
    )
    with open_library(library) as opened, _progress(collection) as tell:
        report = api.export_features(
            opened,
            collection,
            extractor,
            package,
            publication,
            replace=replace,
            on_progress=tell,
        )
    found = report.to_json()
    if as_json:
        print_json(found)
        return
    parts = "part" if found["parts"] == 1 else "parts"
    typer.echo(
        f"{found['path']}: {found['vectors']:,} vectors of {found['items']:,} items under "
        f"'{found['model_id']}', {found['parts']} {parts}, {found['bytes'] / 1e6:,.1f} MB"
    )
    if not found["canary"]:
        say(f"Without a canary. {found['no_canary_because']}")


MergeOption = Annotated[
    bool,
    typer.Option(
        "--merge",
        help="Add the space to the images of a collection that is there, matched by id and sha256.",
    ),
]
MadeByOption = Annotated[
    str,
    typer.Option(
        "--extractor", metavar="ID", help="What made the vectors, where they do not tell."
    ),
]
TableOption = Annotated[
    Path | None,
    typer.Option("--table", metavar="FILE", help="Ids and metadata for a bare array."),
]
IdColumnOption = Annotated[
    str, typer.Option("--id-column", metavar="NAME", help="Column of ids in that table.")
]
NormalisedOption = Annotated[
    str,
    typer.Option(
        "--normalised",
        metavar="l2|none",
        help="Whether vectors have length 1. Default: measured.",
    ),
]
MetricOption = Annotated[
    str, typer.Option("--metric", metavar="M", help="How vectors are meant to be compared.")
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="HOST", help="Host or network that may be asked."),
]
TokenOption = Annotated[
    str,
    typer.Option(
        "--token", envvar="BILDERATLAS_TOKEN", help="Opens a served library that is not public."
    ),
]


@app.command("import")
def import_(
    address: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="Folder of a package, or another known format."),
    ],
    collection: CollectionOption,
    merge: MergeOption = False,
    title: Annotated[
        str, typer.Option("--title", help="Title of the new collection. Default: the publisher's.")
    ] = "",
    extractor: MadeByOption = "",
    table: TableOption = None,
    id_column: IdColumnOption = "",
    normalised: NormalisedOption = "",
    metric: MetricOption = "",
    allow: AllowOption = None,
    token: TokenOption = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take features in: as a collection of their own, no picture needed, or into one with --merge.

    Everything is proved before anything is written.
    """
    options = api.ImportOptions(
        extractor=extractor,
        table=table,
        id_column=id_column,
        metric=metric,
        normalised=normalised,
        allow=frozenset(allow or ()) | _host_of(address),
        token=token,
    )
    if not (find_library(library) / LIBRARY_FILE).exists():
        api.check_address(address, options)  # what cannot be used makes no library
    with create(library) as opened, _progress(collection) as tell:
        report = api.take_in_features(
            opened,
            address,
            collection,
            options=options,
            merge=merge,
            title=title,
            on_progress=tell,
        )
    if as_json:
        print_json(report.to_json())
    else:
        _print_import(report)


def _host_of(address: str) -> frozenset[str]:
    """Return the host of an address on the web: who types it here may have it asked."""
    if not address.startswith(("http://", "https://")):
        return frozenset()
    from bilderatlas.network.addresses import host_entry  # only who asks the web waits for it

    return frozenset({host_entry(address)})


def _print_import(report: ImportReport) -> None:
    counts = [
        (report.added, "work", "s", " added"),
        (report.matched, "work", "s", " of the collection matched"),
        (report.vectors, "vector", "s", ""),
        (report.failed, "work", "s", " without a vector, by the publisher's word"),
        (report.n_refused, "item", "s", " refused"),
    ]
    told = ", ".join(
        f"{count:,} {noun}{plural if count != 1 else ''}{rest}"
        for count, noun, plural, rest in counts
        if count
    )
    told = told or "nothing to do"
    typer.echo(f"{report.collection} ({report.model_id}): {told} ({report.seconds:.1f} s)")
    for failure in report.refused[:MAX_FAILURES_SHOWN]:
        say(f"  {failure.subject}: {failure.reason}")
    for note in report.notes:
        say(note)


@app.command("validate")
def validate(package: PackageArgument, as_json: JsonOption = False) -> None:
    """Prove a package to the byte: structure, checksums, finite numbers, norms, counts, ids."""
    faults = api.validate_package(package)
    if as_json:
        print_json({"sound": not faults, "faults": [fault.to_json() for fault in faults]})
    elif faults:
        print_table(("fault", "what is wrong"), [(one.code, one.sentence) for one in faults])
    else:
        typer.echo(f"{package} is sound.")
    if faults:
        raise typer.Exit(1)


@app.command("verify")
def verify(
    package: PackageArgument,
    sample: Annotated[
        int, typer.Option("--sample", min=0, max=10_000, help="Pictures to extract again.")
    ] = SAMPLE,
    pictures: Annotated[
        str,
        typer.Option(
            "--pictures",
            metavar="FOLDER|NAME",
            help="Where the pictures are: a folder, or a collection. They are found by sha256.",
        ),
    ] = "",
    extractor: Annotated[
        str,
        typer.Option(
            "--extractor", metavar="ID", help="Use this one instead of what the package names."
        ),
    ] = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do a package's work again on test pictures and a sample, and say what went wrong if it did.

    Exit status 1 when vectors differ, and when nothing could be tried.
    """
    if pictures and sample:
        with _library_for(pictures, library) as opened:
            report = api.verify_package(
                package, library=opened, pictures=pictures, n_sample=sample, extractor=extractor
            )
    else:
        report = api.verify_package(package, extractor=extractor)
    if as_json:
        print_json(report.to_json())
    else:
        _print_verification(report)
    if report.verdict != "same":
        raise typer.Exit(1)


@contextmanager
def _library_for(pictures: str, library: Path | None) -> Iterator[Library]:
    """Open the library; where there is none and a folder was named, an empty one for a while."""
    if (find_library(library) / LIBRARY_FILE).exists() or not Path(pictures).is_dir():
        with open_library(library) as opened:
            yield opened
        return
    with TemporaryDirectory() as folder, create(Path(folder) / "library") as opened:
        yield opened


def _print_verification(report: VerifyReport) -> None:
    words = {
        "same": "the same space: what was extracted again agrees",
        "differs": "not what it says",
        "untried": "not verified: nothing could be extracted again",
    }
    typer.echo(f"{report.model_id}: {words[report.verdict]}")
    for what, found in (("canary pictures", report.canary), ("pictures", report.sample)):
        if found is not None:
            typer.echo(
                f"  {found.n} {what}: cosine {found.min_cosine:.6f} at worst, "
                f"{found.median_cosine:.6f} in the middle (needed {found.threshold}), "
                f"length {found.norm_ratio:.4g} times ours"
            )
    for cause in report.causes:
        typer.echo(f"  {'cause' if cause.certain else 'perhaps'}: {cause.sentence}")
    for fault in report.faults:
        typer.echo(f"  fault: {fault.sentence}")
    for note in report.notes:
        say(note)


@app.command("diff")
def diff(
    first: Annotated[Path, typer.Argument(metavar="PACKAGE", help="One package.")],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="The other package.")],
    as_json: JsonOption = False,
) -> None:
    """Say why two packages are not the same space, or that they are and how vectors differ.

    Exit status 1 when they are not the same space.
    """
    report = api.diff_packages(first, second)
    if as_json:
        print_json(report.to_json())
    else:
        _print_diff(report)
    if not report.same_space:
        raise typer.Exit(1)


def _print_diff(report: DiffReport) -> None:
    typer.echo(report.sentence)
    if report.differences:
        print_table(
            ("field", "first", "second", "meaning"),
            [
                (one.field, _short(one.first), _short(one.second), one.meaning)
                for one in report.differences
            ],
        )
    typer.echo(
        f"{report.n_common:,} pictures in common, {report.n_first:,} only in the first, "
        f"{report.n_second:,} only in the second"
    )
    if report.common is not None:
        typer.echo(
            f"of {report.common.n:,} compared: cosine {report.common.min_cosine:.6f} at worst, "
            f"{report.common.median_cosine:.6f} in the middle"
        )
    if report.kinship is not None:
        typer.echo(f"agreement on which pictures are alike: {report.kinship:.2f} (1: the same)")


def _short(value: object) -> str:
    told = shown_cell(value)
    return told if len(told) <= 60 else f"{told[:57]}…"
