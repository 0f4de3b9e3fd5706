"""Examine `museum_clip.synthetic` on 2,000 works of a museum that it never saw.

Mean AP over 60 prompts in four languages (12 each of motif, genre, colour with motif, style and
century; chosen by a rule from the ground truth, see `bilderatlas.museum.prompts`), 100 searches
with a counter-word, run by the product's own search, and the time from a prompt to its vector.

    python benchmarks/museum_clip.py --cache FOLDER --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.museum_clip import MuseumClip
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.images.decoder import Decoder
from bilderatlas.learning.examine import Examination
from bilderatlas.learning.painted import PaintedSet, paint_set
from bilderatlas.learning.publish import TrainedHere
from bilderatlas.museum import paint_work
from bilderatlas.museum.labels import record_of
from bilderatlas.museum.prompts import choose_negatives
from bilderatlas.museum.statements import truth_of_statements
from bilderatlas.museum.wording import word
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

K = 30
N_CASES = 100
RULES = {"difference": 0.5, "contrast": 0.5, "projection": 0.5}


def main() -> None:
    """Run all of it and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="keeps the painted works from run to run")
    parser.add_argument("--model", type=Path, help="a folder that `train contrastive` wrote")
    parser.add_argument("--works", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON (there is no other form)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        painted = paint_set(options.cache or Path(scratch), options.seed, options.works)
        extractor = TrainedHere(options.model) if options.model else MuseumClip()
        extractor = extractor.configured(RuntimeOptions(n_threads=1))
        print(json.dumps(examined(extractor, painted, options.seed), indent=2))


def examined(extractor: MuseumClip, painted: PaintedSet, seed: int) -> dict[str, Any]:
    """Return all figures."""
    embeddings = extractor.embed_images(list(painted.pictures))
    exam = Examination.of(painted.works, painted.palettes)
    means = exam.means(extractor.embed_texts, embeddings)
    return {
        "weights_sha256": extractor.card.weights_sha256,
        "works": len(painted.works),
        "seed": seed,
        "prompts": len(exam.prompts),
        "mean_ap": {language: rounded(values) for language, values in means.items()},
        "counter_words": counter_words(extractor, exam, embeddings),
        "prompt_ms": prompt_ms(extractor, exam),
        "small_to_original_cosine": agreement(extractor, embeddings, seed),
        "each_prompt": exam.table(extractor.embed_texts, embeddings),
    }


def rounded(values: dict[str, float]) -> dict[str, float]:
    """Return figures as they are printed."""
    return {name: round(value, 4) for name, value in values.items()}


def counter_words(
    extractor: MuseumClip, exam: Examination, embeddings: Embeddings
) -> dict[str, Any]:
    """Return in how many of 100 cases no hit among the first 30 shows the unwanted thing.

    Only cases count in which a hit shows it without the counter-word: else nothing is moved.
    """
    cases = choose_negatives(exam.works, exam.atoms, 2 * N_CASES, K)
    place = {work.image_id: row for row, work in enumerate(exam.works)}
    with tempfile.TemporaryDirectory() as folder:
        collection = stored(Path(folder), extractor, exam, embeddings)

        def hits(rule: str, *texts: tuple[str, int]) -> list[int]:
            parts = tuple(Part(PartKind.TEXT, text, sign) for text, sign in texts)
            query = Query(parts, extractor.card.model_id, rule=rule, k=K, exact=True)
            found = search(collection, query, lambda part: extractor.embed_texts([part.value]))
            return [place[hit.image_id] for hit in found]

        plain = [hits("difference", (word(case.wanted, "en"), 1)) for case in cases]
        truth = truth_of_statements([case.unwanted for case in cases], exam.atoms)
        showing = [i for i, rows in enumerate(plain) if truth[i, rows].any()][:N_CASES]
        cases, before = [cases[i] for i in showing], [plain[i] for i in showing]
        shows = truth[showing]
        wants = truth_of_statements([case.wanted for case in cases], exam.atoms)
        answers: dict[str, list[list[int]]] = {rule: [] for rule in RULES}
        for case in cases:
            wanted, unwanted = word(case.wanted, "en"), word(case.unwanted, "en")
            for rule, found in answers.items():
                found.append(hits(rule, (wanted, 1), (unwanted, -1)))
    return {
        "cases": len(cases),
        "works_shown_before": sum(int(shows[i, rows].sum()) for i, rows in enumerate(before)),
        **{
            rule: {
                "moved_out": sum(not shows[i, rows].any() for i, rows in enumerate(found)),
                "works_still_shown": sum(int(shows[i, rows].sum()) for i, rows in enumerate(found)),
                "still_as_wanted": round(
                    float(np.mean([wants[i, rows].mean() for i, rows in enumerate(found)])), 4
                ),
            }
            for rule, found in answers.items()
        },
    }


def stored(
    folder: Path, extractor: MuseumClip, exam: Examination, embeddings: Embeddings
) -> CollectionStore:
    """Return a collection that holds the works' records and embeddings, but no picture."""
    library = LibraryStore.create(folder / "library")
    collection = library.create_collection("works", source_kind="museum", source_address="museum")
    card = extractor.card
    images = [
        NewImage(record_of(work), content_sha256=f"{row:064x}", size_wh=work.size_wh)
        for row, work in enumerate(exam.works)
    ]
    rows = [
        (work.image_id, ImageRows(vector[None]))
        for work, vector in zip(exam.works, embeddings, strict=True)
    ]
    with collection.writer() as writer:
        writer.ensure_space(card)
        writer.commit_batch(images, {card.model_id: rows})
    return collection


def prompt_ms(extractor: MuseumClip, exam: Examination) -> dict[str, float]:
    """Return the milliseconds from one prompt to its vector, on one thread."""
    texts = [word(prompt.statement, "en") for prompt in exam.prompts]
    extractor.embed_texts(texts[:1])
    taken = []
    for text in texts * 5:
        started = time.perf_counter()
        extractor.embed_texts([text])
        taken.append((time.perf_counter() - started) * 1000)
    return {
        "p50": round(float(np.median(taken)), 2),
        "p95": round(float(np.percentile(taken, 95)), 2),
    }


def agreement(extractor: MuseumClip, embeddings: Embeddings, seed: int, n: int = 24) -> float:
    """Return the smallest cosine between works as trained on and as indexed from their JPEG."""
    side_px = extractor.card.side_px
    with Decoder(n_children=1) as decoder:
        pictures = [
            decoder.decode(paint_work(seed, index), side_px=side_px).pixels for index in range(n)
        ]
    indexed = extractor.embed_images(pictures)
    return round(float((indexed * embeddings[:n]).sum(axis=1).min()), 4)


if __name__ == "__main__":
    sys.exit(main())
