"""Feature packages: export, import, validate, verify, and say why two are not one space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bilderatlas.api.library import Library
from bilderatlas.api.pictures import Pictures
from bilderatlas.arrays import Pixels
from bilderatlas.errors import BilderatlasError, NotFoundError, UsageError
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.diff import DiffReport, diff
from bilderatlas.exchange.export import ExportReport, export_space
from bilderatlas.exchange.format import Creator, Origin
from bilderatlas.exchange.projection import check_projection
from bilderatlas.exchange.read import PackageFeatures
from bilderatlas.exchange.sampling import PictureFolder
from bilderatlas.exchange.source import refuse_other_extractor
from bilderatlas.exchange.take_in import ImportReport, import_features
from bilderatlas.exchange.validate import Fault, validate
from bilderatlas.exchange.verify import SAMPLE, VerifyReport, verify
from bilderatlas.exchange.verify import Pictures as SampledPictures
from bilderatlas.exchange.write import Identity
from bilderatlas.extractors.base import Extractor
from bilderatlas.extractors.reduced import Projection, ReducedExtractor
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.indexing.spaces import extractor_of
from bilderatlas.store.schema import images

__all__ = [
    "Fault",
    "ImportOptions",
    "Publication",
    "check_address",
    "diff_packages",
    "export_features",
    "take_in_features",
    "validate_package",
    "verify_package",
]


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publisher says about a package; all of it may be left out.

    Attributes:
        title: What a reader calls it; else the title of the collection.
        creator: Who made the vectors.
        orcid: Their ORCID.
        licence: SPDX identifier for the vectors.
        citation: How to cite them.
        derived_from: DOI or URL of what the pictures come from.
    """

    title: str = ""
    creator: str = ""
    orcid: str = ""
    licence: str = ""
    citation: str = ""
    derived_from: tuple[str, ...] = ()


def export_features(
    library: Library,
    collection: str,
    model_id: str,
    destination: Path,
    publication: Publication | None = None,
    *,
    replace: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """Write one space of a collection as the package `destination`; empty `model_id`: its first.

    Raises:
        UnknownNameError: for a collection or space that there is not.
        ConflictError: when something is at `destination` and `replace` was not asked for.
        DiskFullError: nothing is left at the destination.
    """
    store = library[collection].store
    model_id = model_id or next(iter(store.model_ids()), "")
    if not model_id:
        raise NotFoundError(
            f"Cannot export '{collection}': nothing in it is indexed yet. Run `bilderatlas index`."
        )
    told = publication or Publication()
    extractor, why_none = _extractor_of_space(library, collection, model_id)
    return export_space(
        store,
        model_id,
        destination,
        _identity(told, f"{store.title}, {model_id}"),
        extractor=extractor,
        why_no_extractor=why_none,
        replace=replace,
        on_progress=on_progress,
    )


def _identity(told: Publication, title: str) -> Identity:
    creator = None
    if told.orcid and not told.creator:
        raise UsageError(
            f"Cannot say whose ORCID '{told.orcid}' is: no creator is named. Add --creator NAME."
        )
    if told.creator:
        try:
            creator = Creator(name=told.creator, orcid=told.orcid or None)
        except ValueError as error:
            raise UsageError(
                f"Cannot use the ORCID '{told.orcid}': expected 0000-0002-1825-0097."
            ) from error
    origins = tuple(Origin(title="", address=address, version="") for address in told.derived_from)
    return Identity(told.title or title, creator, told.licence, told.citation, origins)


def _extractor_of_space(
    library: Library, collection: str, model_id: str
) -> tuple[Extractor | None, str]:
    """Return the extractor that made a space, or why it cannot stand for it here."""
    store = library[collection].store
    try:
        extractor = extractor_of(store, model_id)
        refuse_other_extractor(store.space(model_id).card_json, extractor, collection)
    except BilderatlasError as error:
        return None, str(error)
    return extractor, ""


def check_address(address: str, options: ImportOptions | None = None) -> None:
    """Make sure that features lie at `address`, before anything is made for them.

    Raises:
        UsageError: no format that we know lies there, or something must be said about it.
        PackageError: the features cannot be used.
    """
    open_features(address, options).close()


def take_in_features(
    library: Library,
    address: str,
    collection: str,
    *,
    options: ImportOptions | None = None,
    merge: bool = False,
    title: str = "",
    on_progress: Callable[[int, int | None], None] | None = None,
) -> ImportReport:
    """Import the features at `address` as a collection, or with `merge` into one that is there.

    Raises:
        UsageError: no format that we know lies there, or something must be said about it; or a
            `title` for a collection that is there and keeps its own.
        PackageError: the features cannot be used; nothing was changed.
        ConflictError: the name is taken, or somebody else is writing.
        SpaceMismatchError: the collection has another space of that name.
    """
    if merge and title:
        raise UsageError(
            f"Cannot title '{collection}' while adding to it: it keeps its own title. Leave out "
            "--title, or --merge."
        )
    with open_features(address, options) as features:
        return import_features(
            library.store,
            features,
            collection,
            merge=merge,
            title=title,
            on_progress=on_progress,
        )


def validate_package(path: Path) -> list[Fault]:
    """Return everything that is wrong with the package at `path`; nothing if it is sound."""
    return validate(_folder_of(path))


def diff_packages(first: Path, second: Path) -> DiffReport:
    """Say why two packages are not the same space, or how their vectors differ.

    Raises:
        PackageError: when one of them cannot be read.
    """
    return diff(_folder_of(first), _folder_of(second))


def verify_package(
    path: Path,
    *,
    library: Library | None = None,
    pictures: str = "",
    n_sample: int = SAMPLE,
    extractor: str = "",
) -> VerifyReport:
    """Extract the canaries, and a sample of the package's pictures, again, and compare.

    Args:
        path: The package.
        library: Where `pictures` is a collection, and where decoding children live.
        pictures: A folder of pictures, or the name of a collection.
        n_sample: Pictures to extract again; 0: canaries only.
        extractor: To use instead of the one that the package names.

    Raises:
        PackageError: when the manifest cannot be read.
        NotFoundError: when `pictures` is neither a folder nor a collection.
    """
    folder = _folder_of(path)
    found, why_none = _extractor_for(folder, extractor)
    sampled = None
    if library is not None and pictures and n_sample:
        sampled = _pictures_from(library, pictures)
    return verify(folder, found, why_no_extractor=why_none, pictures=sampled, n_sample=n_sample)


def _extractor_for(folder: Path, named: str) -> tuple[Extractor | None, str]:
    """Return what can do a package's work again, or why nothing here can."""
    try:
        features = PackageFeatures(folder)
        if named or features.projection is None:
            return get_extractor(named or features.card.model_id), ""
        check_projection(features.card, features.projection)
        facts = dict(features.card.projection or {})
        base = get_extractor(str(facts.get("base")))
        return ReducedExtractor(base, Projection.from_bytes(features.projection), facts), ""
    except BilderatlasError as error:
        return None, f"Nothing could be extracted here. {error}"


def _pictures_from(library: Library, named: str) -> SampledPictures:
    if named in library:
        return _pictures_of_collection(library, named)
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise NotFoundError(
            f"Cannot take pictures from '{named}': there is no such collection and no such folder."
        )
    hashed = PictureFolder(folder)
    return SampledPictures(frozenset(hashed.known()), hashed.read, _decoding(library.pictures))


def _pictures_of_collection(library: Library, name: str) -> SampledPictures:
    store = library[name].store
    chosen = select(images.c.content_sha256, images.c.image_id).where(
        images.c.collection_id == store.id, images.c.content_sha256.is_not(None)
    )
    with store.reading() as connection:
        ids: dict[str, str] = {row[0]: row[1] for row in connection.execute(chosen)}

    def read(sha256: str) -> bytes | None:
        try:
            return library.pictures.original(store, ids[sha256])
        except (BilderatlasError, KeyError):
            return None

    return SampledPictures(frozenset(ids), read, _decoding(library.pictures))


def _decoding(pictures: Pictures) -> Callable[[bytes, int], Pixels]:
    return lambda data, side_px: pictures.decode(data, side_px=side_px).pixels


def _folder_of(path: Path) -> Path:
    path = path.expanduser()
    return path.parent if path.name == "features.json" else path
