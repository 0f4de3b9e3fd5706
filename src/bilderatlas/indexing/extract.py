"""One decoded batch becomes rows under every chosen card; nothing is embedded twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2

from bilderatlas.arrays import Pixels
from bilderatlas.errors import BilderatlasError, Failure, UnavailableError, WeightsError
from bilderatlas.extractors import Extractor, ImageRows
from bilderatlas.images.decoder import DecodedImage
from bilderatlas.images.scaling import scaled
from bilderatlas.records import Record
from bilderatlas.store.reuse import KnownRows


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record whose picture was read, with the hash of its bytes (None if it was not)."""

    record: Record
    sha256: str | None


Batch = Sequence[tuple[Fetched, DecodedImage | Failure]]


@dataclass(slots=True)
class Extracted:
    """What a batch became, by the places of its pictures.

    Attributes:
        rows: Rows by space, for each picture.
        failures: Pictures that an extractor could not read.
        n_reused: Of the rows' owners: how many were found in the library instead of embedded.
    """

    rows: list[dict[str, ImageRows]]
    failures: dict[int, Failure] = field(default_factory=dict)
    n_reused: int = 0


class BatchExtractor:
    """Gives each picture of a batch to each extractor that needs it, once a content."""

    def __init__(
        self,
        known: KnownRows,
        extractors: Sequence[Extractor],
        threads: ThreadPoolExecutor,
        n_threads: int,
        needs: Callable[[Fetched, Extractor], bool],
    ) -> None:
        """Keep what every batch has in common; `needs` tells which picture lacks which space."""
        self._known = known
        self._extractors = extractors
        self._threads = threads
        self._n_threads = n_threads
        self._needs = needs

    def extract(self, batch: Batch) -> Extracted:
        """Return the rows of a batch; those of the batch before must be committed."""
        extracted = Extracted([{} for _ in batch])
        for extractor in self._extractors:
            model_id = extractor.card.model_id
            places = [
                place
                for place, (fetched, found) in enumerate(batch)
                if isinstance(found, DecodedImage) and self._needs(fetched, extractor)
            ]
            contents = {str(batch[place][0].sha256) for place in places}
            known = self._known.find(extractor.card, contents)
            extracted.n_reused += sum(batch[place][0].sha256 in known for place in places)
            made = self._embed(extractor, batch, places, known)
            for place in places:
                sha256 = str(batch[place][0].sha256)
                one = known.get(sha256) or made[sha256]
                if isinstance(one, Failure):
                    subject = batch[place][0].record.image_id
                    extracted.failures[place] = Failure(subject, one.stage, one.code, one.reason)
                else:
                    extracted.rows[place][model_id] = one
        return extracted

    def _embed(
        self,
        extractor: Extractor,
        batch: Batch,
        places: Sequence[int],
        known: Mapping[str, ImageRows],
    ) -> dict[str, ImageRows | Failure]:
        """Embed one picture of each content that is not known, by content."""
        by_content = {str(batch[place][0].sha256): place for place in places}
        new = [place for sha256, place in by_content.items() if sha256 not in known]
        n_shares = 1 if extractor.threads_itself else min(self._n_threads, len(new))
        shares = [new[start::n_shares] for start in range(n_shares)] if new else []
        made: dict[str, ImageRows | Failure] = {}
        for share, results in zip(
            shares,
            self._threads.map(lambda share: extract_each(extractor, batch, share), shares),
            strict=True,
        ):
            for place, one in zip(share, results, strict=True):
                made[str(batch[place][0].sha256)] = one
        return made


def extract_each(
    extractor: Extractor, batch: Batch, places: Sequence[int]
) -> list[ImageRows | Failure]:
    """Extract a batch; when it fails as a whole, find the pictures that it fails on."""
    images = [
        scaled(found.pixels, extractor.card.side_px)
        for place in places
        if isinstance(found := batch[place][1], DecodedImage)
    ]
    try:
        return list(extractor.extract_batch(images)) if images else []
    except (WeightsError, UnavailableError):
        raise  # it is the model that cannot be used, not a picture
    except (BilderatlasError, ValueError, ArithmeticError, cv2.error):
        return [
            _extract_one(extractor, image, batch[place][0])
            for image, place in zip(images, places, strict=True)
        ]


def _extract_one(extractor: Extractor, image: Pixels, fetched: Fetched) -> ImageRows | Failure:
    try:
        return extractor.extract_batch([image])[0]
    except (WeightsError, UnavailableError):
        raise
    except (BilderatlasError, ValueError, ArithmeticError, cv2.error) as error:
        reason = f"'{extractor.card.model_id}' could not read the picture: {error}"
        return Failure(fetched.record.image_id, "extract", "extract", reason)
