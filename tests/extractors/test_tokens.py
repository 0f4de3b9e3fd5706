"""Tokenizers without torch give what open_clip gives."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.tokens import ClipTokenizer, Siglip2Tokenizer, clean
from bilderatlas.museum.plan import plan_work
from bilderatlas.museum.truth import captions_of
from tests.extractors.vocabularies import save_clip_tokenizer, save_sentence_pieces

ftfy = pytest.importorskip("ftfy")
open_clip_tokenizer = pytest.importorskip("open_clip.tokenizer")

Same = Callable[[str], bool]

ODD = (
    "",
    " \t\r\n ",
    "A man's hat, the men's hats: I've, they'll, we'd, can'T",
    "Vermeer’s “pearl” ‹detail› ﬁne ĳs ŉ Ǆ",
    "ＦＵＬＬ　ｗｉｄｔｈ ﾀｰﾝ ￦￮",
    "a\x00b\x0bc\x1f d\x7f \ufeffe \ufff9 f\u206a",
    "\x1b[36;44mblue\x1b[0m \x1b［0m",
    "\x91quoted\x92 \x80 \x81 \x85",
    "\ud83d\udca9 \udca9\ud83d \ud83d",
    "👩‍🎨🏛️🇳🇱 🖼",
    "P&EACUTE;REZ &eacute; &amp;amp;amp;lt; &#233; &#xE9; &nbsp;x&nbsp &notit; &#1;&#128;",
    "<b>&amp;amp;amp;lt;</b> &EACUTE;",
    "plain &amp;amp;amp;lt;\n<i>marked &amp;amp;amp;lt;\nafter &amp;amp;amp;lt;",
    "e\u0301 e&#769; \u1e9b\u0323 ﷺ",
    "İstanbul ΣΑΣ ſtraße 'ſ 'ﬅ",
    "<start_of_text> a <END_OF_TEXT> b",
    "!!<start_of_text><end_of_text>!!",
    "<|startoftext|> a <|endoftext|>",
    "ͅ iota below",
    "1234½Ⅻ二〇二六",
    "日本の浮世絵 春画 Портрет старика صورة شخصية",
    "_under_score_ ***** ?!?! --- a-b",
    "abc" * 200,
    "a " * 100,
    "! " * 76,
    "? " * 75,
)


@pytest.fixture(scope="module")
def theirs() -> Callable[[list[str]], object]:
    tokenizer: Callable[[list[str]], object] = open_clip_tokenizer.SimpleTokenizer()
    return tokenizer


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> ClipTokenizer:
    path = tmp_path_factory.mktemp("clip") / "tokenizer.json"
    save_clip_tokenizer(path)
    return ClipTokenizer.from_file(path)


@pytest.fixture(scope="module")
def same(ours: ClipTokenizer, theirs: Callable[[list[str]], object]) -> Same:
    def told(text: str) -> bool:
        return np.array_equal(ours([text]), np.asarray(theirs([text])))

    return told


def is_repaired(text: str) -> bool:
    """Tell whether ftfy takes a text for wrongly decoded: the one thing that is left out here."""
    return bool(ftfy.fix_text(text) != ftfy.fix_text(text, fix_encoding=False))


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_give_what_open_clip_gives(same: Same, text: str) -> None:
    assert not is_repaired(text), "not a case of this test"
    assert same(text)


def test_captions_in_four_languages_give_what_open_clip_gives(
    ours: ClipTokenizer, theirs: Callable[[list[str]], object]
) -> None:
    captions = sorted(
        {
            line
            for work in range(150)
            for lines in captions_of(plan_work(5, work)).values()
            for line in lines
        }
    )
    assert len(captions) > 1000
    np.testing.assert_array_equal(ours(captions), np.asarray(theirs(captions)))


known = st.characters(exclude_categories=["Cs", "Cn"])
pieces = st.one_of(
    st.text(known, max_size=12),
    st.text("abcdeéßﬁ’'“” \t\n<>&;#0189_", max_size=12),
    st.sampled_from(["&amp;", "&EACUTE;", "&#x2019;", "<start_of_text>", "\x1b[1m", "'S", "  "]),
    st.text(st.characters(codec="latin-1"), max_size=6),
)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(pieces, max_size=8).map("".join))
@example("ﬅ&#x17f;")
def test_any_text_gives_what_open_clip_gives(same: Same, text: str) -> None:
    assert same(text) or is_repaired(text)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(pieces, max_size=8).map("".join))
def test_any_text_is_cleaned_as_open_clip_cleans_it_but_for_wrong_decoding(text: str) -> None:
    mended = ftfy.fix_text(text, fix_encoding=False)
    assert clean(text) == " ".join(html.unescape(html.unescape(mended)).split())


def test_every_known_character_gives_what_open_clip_gives(
    ours: ClipTokenizer, theirs: Callable[[list[str]], object]
) -> None:
    characters = [chr(code) for code in range(0x110000) if not 0x3400 <= code < 0xF900]
    characters = [one for one in characters if unicodedata.category(one) not in {"Cn", "Co", "Cs"}]
    texts = [f"a{one}b 1{one}'{one}" for one in characters[::5]]
    differing = (np.asarray(theirs(texts)) != ours(texts)).any(axis=1)
    assert not differing.any(), [texts[row] for row in np.flatnonzero(differing)]


def test_wrongly_decoded_text_is_taken_as_it_stands(ours: ClipTokenizer) -> None:
    wrong = "Venède".encode().decode("latin-1")
    assert is_repaired(wrong)
    assert clean(wrong) == wrong
    assert (ours([wrong]) != ours(["Venède"])).any()


def test_long_texts_are_cut_and_still_ended(ours: ClipTokenizer) -> None:
    rows = ours(["a " * 200, "a " * 75, "a " * 76, ""])
    assert rows.shape == (4, 77) and rows.dtype == np.int64
    assert (rows[:3, 76] == 49407).all() and (rows[:, 0] == 49406).all()
    np.testing.assert_array_equal(rows[3, :3], [49406, 49407, 0])
    assert ours([]).shape == (0, 77)


def test_what_is_no_tokenizer_of_clip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("<html>Not found</html>")
    with pytest.raises(WeightsError, match="as a tokenizer"):
        ClipTokenizer.from_file(path)
    save_sentence_pieces(path, ["a portrait", "a landscape"], size=40)
    with pytest.raises(WeightsError, match="startoftext"):
        ClipTokenizer.from_file(path)
    save_clip_tokenizer(path)
    with pytest.raises(WeightsError, match="'<eos>'"):
        Siglip2Tokenizer.from_file(path)


def test_sentence_pieces_are_lowered_ended_and_padded(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    lines = [line for work in range(40) for line in captions_of(plan_work(5, work))["de"]]
    save_sentence_pieces(path, [line.lower() for line in lines], size=300)
    tokenizer = Siglip2Tokenizer.from_file(path)
    rows = tokenizer(["Eine LANDSCHAFT", "  eine\tlandschaft ", "", "ein haus " * 99])
    assert rows.shape == (4, 64) and rows.dtype == np.int64
    np.testing.assert_array_equal(rows[0], rows[1])
    length = int(np.flatnonzero(rows[0] == 1)[0])
    assert 1 <= length < 20 and (rows[0, length + 1 :] == 0).all() and (rows[0, :length] > 3).all()
    np.testing.assert_array_equal(rows[2], [1] + [0] * 63)
    assert rows[3, 63] == 1 and (rows[3, :63] > 3).all()
    assert (tokenizer(["still-life"]) != tokenizer(["stilllife"])).any()
