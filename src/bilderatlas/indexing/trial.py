"""Pictures of a source to try a precision on before the run: a spread sample, decoded."""

from __future__ import annotations

from itertools import islice

from bilderatlas.arrays import Pixels
from bilderatlas.images.decoder import DecodedImage, Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.records import Record
from bilderatlas.sources import Source

TRIAL_PICTURES = 64
AMONG_RECORDS = 2048


def sample_pictures(
    source: Source, side_px: int, limits: DecodeLimits, n_pictures: int = TRIAL_PICTURES
) -> list[Pixels]:
    """Return up to `n_pictures` pictures, evenly spread among the first records of `source`.

    Pictures that cannot be read are passed over: the run itself will tell of them.
    """
    records = [
        record
        for record in islice(source.iter_records(), AMONG_RECORDS)
        if isinstance(record, Record)
    ]
    chosen = records[:: max(1, len(records) // n_pictures)][:n_pictures]
    with Decoder(limits) as decoder:
        return [
            found.pixels
            for _, found in decoder.iter_decoded(
                source.iter_images(chosen), side_px=side_px, subject=lambda record: record.image_id
            )
            if isinstance(found, DecodedImage)
        ]
