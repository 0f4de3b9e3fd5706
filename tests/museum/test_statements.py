from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.museum import plan_work
from bilderatlas.museum.colour_words import SHARES, colours_of, name_of
from bilderatlas.museum.lexicon import LANGUAGES, LEXICON
from bilderatlas.museum.palette import Swatch
from bilderatlas.museum.prompts import KINDS, LEAST_RELEVANT, choose_negatives, choose_prompts
from bilderatlas.museum.statements import (
    ATOMS,
    IMPLIED,
    Statement,
    atoms_of,
    centuries,
    matrix_of,
    truth_of_statements,
)
from bilderatlas.museum.wording import bare, names_of, word

BLUE = Swatch("#203060", (30.0, 5.0, -30.0), 0.3)
PALE = Swatch("#e8e0d0", (89.0, 1.0, 8.0), 0.7)


@pytest.fixture(scope="module")
def works():
    return [plan_work(7, index) for index in range(600)]


@pytest.fixture(scope="module")
def atoms(works):
    return matrix_of(atoms_of(work, (BLUE, PALE)) for work in works)


def test_a_work_is_what_its_plan_says() -> None:
    work = plan_work(7, 0)  # a Dutch grisaille of 1655-1656: cows, a church and trees
    true = atoms_of(work, (BLUE, PALE))
    assert {"genre:landscape", "thing:cows", "thing:church", "thing:trees"} <= true
    assert {"form:grisaille", "type:painting", "school:Dutch", "style:Baroque"} <= true
    assert {"century:17", "colour:blue", "colour:white"} <= true
    assert not {"thing:ship", "genre:seascape", "century:18", "colour:red"} & true


def test_whoever_shows_trees_shows_a_tree() -> None:
    true = atoms_of(plan_work(7, 0), ())
    assert "thing:tree" in true
    assert {word for more in IMPLIED.values() for word in more} | set(IMPLIED) <= set(LEXICON)


def test_a_date_around_1700_touches_two_centuries() -> None:
    assert centuries(1695, 1705) == (17, 18)
    assert centuries(1700, 1700) == (17,)
    assert centuries(1701, 1701) == (18,)


@pytest.mark.parametrize(
    ("lab", "name"),
    [
        ((8.0, 0.0, 0.0), "black"),
        ((95.0, 0.0, 3.0), "white"),
        ((50.0, 0.0, 2.0), "grey"),
        ((40.0, 55.0, 35.0), "red"),
        ((80.0, 0.0, 70.0), "yellow"),
        ((50.0, -40.0, 20.0), "green"),
        ((30.0, 5.0, -40.0), "blue"),
        ((35.0, 15.0, 25.0), "brown"),
        ((75.0, 20.0, 15.0), None),  # rose
        ((80.0, 5.0, 20.0), None),  # beige
    ],
)
def test_colours_have_the_names_that_people_give_them(lab, name) -> None:
    assert name_of(lab) == name


def test_a_colour_counts_from_its_share_on() -> None:
    lab = (30.0, 5.0, -40.0)
    enough = SHARES["blue"]
    assert colours_of([Swatch("", lab, enough)]) == {"blue"}
    assert colours_of([Swatch("", lab, enough / 2), Swatch("", lab, enough / 2)]) == {"blue"}
    assert colours_of([Swatch("", lab, enough - 0.01)]) == frozenset()


def test_a_statement_is_true_when_all_of_it_is() -> None:
    works = matrix_of([{"thing:turban", "genre:portrait"}, {"thing:turban"}, set()])
    statements = [
        Statement(atoms=("thing:turban",)),
        Statement("genre:portrait", ("thing:turban",)),
        Statement("genre:portrait", ("thing:ship",)),
    ]
    expected = [[True, True, False], [True, False, False], [False, False, False]]
    assert truth_of_statements(statements, works).tolist() == expected


def test_every_atom_has_a_name_in_every_language() -> None:
    for atom in ATOMS:
        for language in LANGUAGES:
            assert atom.startswith("century:") or all(names_of(atom, language)), (atom, language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "a man with a turban and a beard, oil painting, 17th century"),
        ("de", "ein Mann mit einem Turban und einem Bart, Ölgemälde, 17. Jahrhundert"),
        ("fr", "un homme avec un turban et une barbe, peinture à l'huile, XVIIe siècle"),
        ("nl", "een man met een tulband en een baard, olieverfschilderij, 17de eeuw"),
    ],
)
def test_statements_are_said_plainly(language, said) -> None:
    atoms = ("thing:turban", "thing:beard", "form:oil", "century:17")
    assert word(Statement("thing:man", atoms), language) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "a still life in red"),
        ("de", "ein Stillleben in Rot"),
        ("fr", "une nature morte en rouge"),
        ("nl", "een stilleven in rood"),
    ],
)
def test_colours_are_said_of_things(language, said) -> None:
    assert word(Statement("genre:still life", ("colour:red",)), language) == said


def test_a_statement_is_said_in_many_ways_and_always_in_words() -> None:
    rng = np.random.default_rng(1)
    statement = Statement("thing:ship", ("colour:blue", "form:etching", "century:19"))
    for language in LANGUAGES:
        said = {word(statement, language, rng) for _ in range(200)}
        assert len(said) > 50
        assert all(text.strip() == text and "{" not in text and "  " not in text for text in said)


def test_articles_are_left_out() -> None:
    assert bare("the sun", "en") == "sun"
    assert bare("de la dentelle", "fr") == "dentelle"
    assert bare("Apfel", "de") == "Apfel"


def test_prompts_are_chosen_from_the_truth(works, atoms) -> None:
    prompts = choose_prompts(works, atoms)
    assert {prompt.kind for prompt in prompts} == set(KINDS)
    assert all(
        sum(p.kind == kind for p in prompts) == 12 for kind in KINDS if kind != "colour with motif"
    )
    assert len({prompt.statement for prompt in prompts}) == len(prompts)
    counts = truth_of_statements([prompt.statement for prompt in prompts], atoms).sum(axis=1)
    assert counts.min() >= LEAST_RELEVANT and counts.max() <= len(works) / 2
    assert prompts == choose_prompts(works, atoms)


def test_counter_words_have_something_to_move_and_something_to_leave(works, atoms) -> None:
    cases = choose_negatives(works, atoms, n_cases=40, k=10)
    assert len(set(map(str, cases))) == len(cases) > 20
    wants = truth_of_statements([case.wanted for case in cases], atoms)
    shows = truth_of_statements([case.unwanted for case in cases], atoms)
    assert (wants & shows).sum(axis=1).min() >= LEAST_RELEVANT
    assert (wants & ~shows).sum(axis=1).min() >= 20
