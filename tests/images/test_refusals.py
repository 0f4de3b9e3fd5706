"""Every reason has a sentence, and every reason is documented."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from bilderatlas.errors import ImageError
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.refusals import SENTENCES, refusal
from bilderatlas.images.sniff import sniff_format
from tests.images.pictures import FORMATS, encoded, odd_but_valid, quarters, textured

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "images.md"


def test_the_page_documents_every_code_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(SENTENCES)


@pytest.mark.parametrize("code", SENTENCES)
def test_sentences_are_sentences(code: str) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[code]) if name}
    facts: dict[str, object] = {name: "an SVG drawing" if name == "what" else 7 for name in names}
    error = refusal(code, **facts)
    assert error.reason_code == code
    assert str(error)[0].isupper()
    assert str(error).endswith(".")
    assert "{" not in str(error)


@pytest.mark.parametrize("format_", FORMATS)
def test_formats_are_known_by_content(format_: str) -> None:
    assert sniff_format(encoded(quarters(), format_)) == format_


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><body>Not found</body></html>", "a web page"),
        (b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        (b"<!DOCTYPE html><body><svg></svg>", "a web page"),
        (b"%PDF-1.7", "a PDF document"),
        (b"id;title\n1;x\n", "a text"),
        (b"\xef\xbb\xbf<svg >", "an SVG drawing"),
        (b"\x00\x00\x00 ftypavif", "an AVIF picture"),
    ],
)
def test_the_sentence_says_what_the_file_is_instead(content: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        sniff_format(content)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
@pytest.mark.parametrize("name", ["seed", "progressive.jpg", "cmyk.jpg", "tiff_lzw.tif"])
def test_cut_files_are_refused_and_not_shown_half_grey(
    decoder: Decoder, name: str, share: float
) -> None:
    for format_ in FORMATS if name == "seed" else ("",):
        sound = encoded(textured(3), format_) if format_ else odd_but_valid()[name]
        with pytest.raises(ImageError) as caught:
            decoder.decode(sound[: int(len(sound) * share)], side_px=64)
        assert caught.value.reason_code == "truncated", format_


def test_a_png_filled_up_with_zeros_is_refused(decoder: Decoder) -> None:
    sound = odd_but_valid()["sixteen.png"]
    half = len(sound) // 2
    with pytest.raises(ImageError) as caught:
        decoder.decode(sound[:half] + bytes(len(sound) - half), side_px=64)
    assert caught.value.reason_code == "damaged"
