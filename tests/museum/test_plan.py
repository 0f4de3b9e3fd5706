"""The plan of a work: pure, varied, believable, and readable in four languages."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.museum.captions import captions, century, phrase, title_of
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.lexicon import FORM_WORDS, LANGUAGES, LEXICON, SCHOOL_WORDS
from bilderatlas.museum.motifs import MOTIFS
from bilderatlas.museum.plan import is_variant, plan_work
from bilderatlas.museum.schools import SCHOOL_SHARES, SCHOOLS
from bilderatlas.museum.truth import captions_of

WORKS = [plan_work(7, index) for index in range(1200)]

# A notation: digit, digit, letters, digits, and bracketed names or keys in between.
NOTATION = re.compile(r"^[0-9]([0-9]([A-Z]{1,2}([0-9]+|\([A-Z ]+\))*)?)?$")


def test_a_plan_is_a_pure_function_of_seed_and_index() -> None:
    assert [plan_work(7, index) for index in (999, 3, 512)] == [WORKS[i] for i in (999, 3, 512)]
    assert plan_work(8, 3) != plan_work(7, 3)


def test_ids_are_stable_strings() -> None:
    assert WORKS[123].image_id == "m7-000123"
    assert len({work.image_id for work in WORKS}) == len(WORKS)


def test_every_genre_form_and_school_is_hung() -> None:
    assert {work.school for work in WORKS} == {school.name for school in SCHOOLS}
    assert {work.form for work in WORKS} == set(FORMS)
    genres = Counter(work.genre for work in WORKS)
    assert set(genres) == {motif.genre for motif in MOTIFS.values()}
    assert min(genres.values()) >= 0.02 * len(WORKS)
    assert max(genres.values()) <= 0.45 * len(WORKS)


def test_there_are_some_forty_motifs_and_all_are_painted() -> None:
    assert len(MOTIFS) >= 40
    assert len({work.motif for work in WORKS}) >= 0.9 * len(MOTIFS)


def test_school_shares_are_those_planned() -> None:
    counts = Counter(work.school for work in WORKS if work.relation is None)
    originals = sum(counts.values())
    for school, share in zip(SCHOOLS, SCHOOL_SHARES, strict=True):
        assert counts[school.name] / originals == pytest.approx(share, abs=0.05)


def test_about_one_work_in_seven_is_a_variant_of_an_earlier_original() -> None:
    variants = [work for work in WORKS if work.relation is not None]
    assert 0.11 <= len(variants) / len(WORKS) <= 0.2
    for work in variants:
        assert work.relation is not None
        model = WORKS[work.relation.model_index]
        assert model.index < work.index
        assert model.relation is None
        assert not is_variant(7, model.index)
        assert (work.motif, work.plan) == (model.motif, model.plan)
    kinds = {work.relation.kind for work in variants if work.relation}
    assert kinds == {"print after", "detail", "recolouring", "workshop repetition", "study"}


def test_years_fit_school_and_date() -> None:
    for work in WORKS:
        first, last = work.in_school.years
        assert work.year_begin <= work.year_end
        assert first - 60 <= work.year_begin
        assert work.year_end <= last + 60


def test_dates_are_written_in_mixed_styles() -> None:
    written = Counter(
        re.sub(r"\d+", "9", work.date_display).replace("early", "late").replace("mid-", "late ")
        for work in WORKS
    )
    assert {"9", "c. 9", "9–9", "9s", "n.d."} <= set(written)
    assert any("century" in style for style in written)


def test_every_notation_has_iconclass_syntax() -> None:
    for work in WORKS:
        assert work.plan.iconclass
        for notation in work.plan.iconclass:
            assert NOTATION.match(notation), notation


def test_captions_in_four_languages_name_motif_and_things() -> None:
    for work in WORKS[:400]:
        lines = captions_of(work)
        assert tuple(lines) == LANGUAGES
        for language in LANGUAGES:
            full = lines[language][0].lower()
            assert str(getattr(LEXICON[work.plan.noun], language)).lower() in full
            for label in work.plan.shown:
                words = LEXICON[label]
                word = words.de_dative if language == "de" else str(getattr(words, language))
                assert word.lower() in full
            assert len(set(lines[language])) == len(lines[language])


def test_german_takes_the_dative_after_mit() -> None:
    assert phrase("old man", ("turban", "beard"), "de") == (
        "ein alter Mann mit einem Turban und einem Bart"
    )
    assert phrase("woman", (), "fr") == "une femme"
    assert phrase("man", ("hat", "collar", "book"), "nl") == (
        "een man met een brede hoed, een kanten kraag en een boek"
    )


@pytest.mark.parametrize(
    ("year", "language", "expected"),
    [
        (1601, "en", "17th century"),
        (1600, "en", "16th century"),
        (2001, "en", "21st century"),
        (1101, "en", "12th century"),
        (1650, "de", "17. Jahrhundert"),
        (1650, "fr", "XVIIe siècle"),
        (1750, "nl", "18de eeuw"),
        (1950, "nl", "20ste eeuw"),
    ],
)
def test_centuries_are_said_as_each_language_does(year: int, language: str, expected: str) -> None:
    assert century(year, language) == expected


def test_full_captions_say_technique_school_and_century() -> None:
    lines = captions("man", ("turban",), "etching", "Dutch", 1650)
    assert lines["en"][2] == "A man with a turban, etching, Dutch school, 17th century"
    assert lines["fr"][2] == "Un homme avec un turban, eau-forte, école hollandaise, XVIIe siècle"


def test_titles_read_as_in_a_catalogue() -> None:
    assert title_of("old man", ("turban",), "portrait") == "Portrait of an Old Man with a Turban"
    assert title_of("river landscape", ("mill",), "landscape") == "River Landscape with a Windmill"
    assert title_of("abstract", ("grid",), "abstract") == "Composition with a Black Grid"


def test_lexicon_knows_every_form_and_school() -> None:
    assert set(FORM_WORDS) == set(FORMS)
    assert set(SCHOOL_WORDS) == {school.name for school in SCHOOLS}


def test_makers_are_workshops_and_no_persons() -> None:
    generic = ("workshop", "hand", "atelier", "Master of the", "studio", "room")
    for school in SCHOOLS:
        assert all(any(word in maker for word in generic) for maker in school.makers)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 999_999))
def test_any_work_of_any_museum_has_a_plan(seed: int, index: int) -> None:
    work = plan_work(seed, index)
    assert work.title and work.creator and work.dimensions
    assert 300 <= max(work.size_wh) <= 900
