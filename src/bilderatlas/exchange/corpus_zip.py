"""A corpus as a zip: pictures with captions where rights allow, and what was left out, and why.

    pictures/0001-rijks-SK-C-5.webp   thumbnails of the works that may be handed on
    captions.txt                      their captions, in order
    works.csv                         all works, with their notes and what their records say
    left-out.csv                      the works without a picture in here, each with the reason
    citation.txt, citation.bib        where this comes from

It is written as it is read: one picture is in memory at a time, whatever the corpus. The same
corpus gives the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bilderatlas.exchange.citation import Citation
from bilderatlas.exchange.corpus import CorpusWork, csv_line, iter_csv
from bilderatlas.exchange.rights import may_share
from bilderatlas.words import said

LEFT_OUT_COLUMNS = ("number", "collection", "image_id", "label", "rights", "reason")
MAX_STEM_CHARS = 60
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: no clock in the bytes


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A work whose picture is not handed on, and why."""

    work: CorpusWork
    reason: str


def iter_zip(
    works: Sequence[CorpusWork],
    picture_of: Callable[[CorpusWork], bytes | None],
    citation: Citation,
) -> Iterator[bytes]:
    """Yield the bytes of the zip.

    Args:
        works: The corpus, in order.
        picture_of: Returns the WebP thumbnail of a work; None where there is none.
        citation: Of the search or the panel that it comes from.
    """
    pipe = _Pipe()
    captions: list[str] = []
    left_out: list[LeftOut] = []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for work in works:
            reason = why_not_shared(work.record.rights, work.gone)
            picture = None if reason else picture_of(work)
            if picture is None:
                reason = reason or said("There is no picture of it here.")
                left_out.append(LeftOut(work, reason))
                continue
            name = picture_name(work)
            archive.writestr(_entry(name), picture)
            captions.append(_captioned(name, work))
            yield from pipe.drained()
        for name, text in _texts(works, captions, left_out, citation):
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), text.encode("utf-8", "replace"))
            yield from pipe.drained()
    yield from pipe.drained()


def why_not_shared(rights: str | None, gone: str = "") -> str:
    """Return why a work's picture is not handed on; empty where it may be.

    The rule is that of `rights.may_share`; a work that is `gone` has no picture to hand on.
    """
    right = may_share(rights)
    return gone or ("" if right.allowed else right.reason)


def picture_name(work: CorpusWork) -> str:
    """Return the file name of a picture: its number, then as much of its name as every disk takes.

    >>> from bilderatlas.records import Record
    >>> picture_name(CorpusWork(7, "maps", "../old maps/Köln.tif", Record("x")))
    'pictures/0007-maps-old-maps-Koln.webp'
    """
    plain = unicodedata.normalize("NFKD", f"{work.collection}-{work.image_id}")
    stem = re.sub(r"\.[A-Za-z]{3,4}$", "", plain.encode("ascii", "ignore").decode())
    safe = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:MAX_STEM_CHARS].strip("-")
    return f"pictures/{work.number:04d}{f'-{safe}' if safe else ''}.webp"


def _captioned(name: str, work: CorpusWork) -> str:
    lines = [name.partition("/")[2], work.caption]
    if work.region:
        lines.append(f"Detail meant: {work.region} (x, y, width, height as shares)")
    if work.note:
        lines.append(f"Note: {work.note}")
    lines += work.right.conditions
    return "\n".join(lines)


def _texts(
    works: Sequence[CorpusWork],
    captions: Iterable[str],
    left_out: Iterable[LeftOut],
    citation: Citation,
) -> Iterator[tuple[str, str]]:
    yield "captions.txt", "\n\n".join([*captions, ""])
    yield "works.csv", "".join(iter_csv(works))
    rows = (
        (
            one.work.number,
            one.work.collection,
            one.work.image_id,
            one.work.label or one.work.record.label,
            one.work.record.rights,
            one.reason,
        )
        for one in left_out
    )
    yield "left-out.csv", "".join(map(csv_line, [LEFT_OUT_COLUMNS, *rows]))
    yield "citation.txt", f"{citation.text}\n"
    yield "citation.bib", f"{citation.bibtex}\n"


def _entry(name: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = compression
    info.external_attr = 0o644 << 16
    return info


class _Pipe:
    """A file that is only written; what was written is taken out again as it comes."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._waiting.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def drained(self) -> Iterator[bytes]:
        taken, self._waiting = self._waiting, []
        yield from taken
