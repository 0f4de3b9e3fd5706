"""The label of a work as a record: what a museum's catalogue would say about it."""

from __future__ import annotations

from typing import Any

from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.plan import INSTITUTION, RIGHTS, Work
from bilderatlas.museum.truth import captions_of, link_of
from bilderatlas.records import Record


def tags_of(work: Work) -> tuple[str, ...]:
    """Return keywords: what is shown, and the technique."""
    noun = work.plan.noun.removeprefix("old ")
    return tuple(dict.fromkeys([noun, *work.plan.shown, work.form]))


def record_of(work: Work) -> Record:
    """Return the record of a work; `raw` holds what a record has no field for."""
    dated = work.date_display != "n.d."
    school = work.in_school
    captions = captions_of(work)
    return Record(
        image_id=work.image_id,
        title=work.title,
        creators=(work.creator,),
        date_display=work.date_display,
        year_begin=work.year_begin if dated else None,
        year_end=work.year_end if dated else None,
        place=school.place,
        school=work.school,
        style=school.style,
        genre=work.genre,
        object_type=FORMS[work.form].object_type,
        medium=work.medium,
        dimensions=work.dimensions,
        description=captions["en"][2],
        institution=INSTITUTION,
        accession=f"SM.{work.seed}.{work.index}",
        credit="Painted by Bilderatlas",
        rights=RIGHTS,
        iconclass=work.plan.iconclass,
        tags=tags_of(work),
        raw=_raw(work, captions),
    )


def _raw(work: Work, captions: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    link = link_of(work)
    raw: dict[str, Any] = {
        "motif": work.motif,
        "form": work.form,
        "caption_de": captions["de"][0],
        "caption_fr": captions["fr"][0],
        "caption_nl": captions["nl"][0],
    }
    if link is not None:
        raw["link_kind"] = link.kind
        raw["link_to"] = link.model_id
    return raw
