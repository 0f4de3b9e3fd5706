"""From words to the numbers that a text tower reads: tokenizers that need no torch.

The vocabulary is never part of this project: it comes with the weights, as `tokenizer.json`.
Only the pieces of words are taken from that file; how a text is cleaned, cut, ended and padded is
said here, so that it stays the same whichever library wrote the file.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from html.entities import html5
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bilderatlas.arrays import Ints
from bilderatlas.errors import WeightsError
from bilderatlas.extractors.base import Card

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_FILE = "tokenizer.json"
CLIP_CONTEXT_LENGTH = 77
CLIP_SPELLINGS = (("<|startoftext|>", "<start_of_text>"), ("<|endoftext|>", "<end_of_text>"))
CLIP_WORDS = (
    r"(?i:<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d)"
    r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}\x{345}]+"  # the Greek iota below: open_clip loses it, too
)
SIGLIP2_CONTEXT_LENGTH = 64


class ClipTokenizer:
    """Lower-cased byte-pair encoding, begun and ended by a token of its own, filled up with 0.

    Gives what open_clip's `SimpleTokenizer` gives, with two exceptions. Text that was decoded
    wrongly (`VenÃ¨de` for `Venède`) is repaired there, by the ftfy library, and taken as it
    stands here. And characters that Unicode added after the version that the tokenizers library
    knows are taken for signs, where open_clip may know them for letters or digits.
    """

    def __init__(self, tokenizer: Tokenizer, start_id: int, end_id: int) -> None:
        """Take a tokenizer that cuts cleaned text, and the ids of the two tokens around it."""
        self._tokenizer = tokenizer
        self._special_ids = {"<start_of_text>": start_id, "<end_of_text>": end_id}

    @classmethod
    def from_file(cls, path: Path) -> ClipTokenizer:
        """Read the vocabulary from the `tokenizer.json` that comes with the weights.

        Raises:
            WeightsError: the file is not a tokenizer, or not one of CLIP.
        """
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers

        given = _read(path)
        ids = [_id_of(given, path, *spellings) for spellings in CLIP_SPELLINGS]
        model = given.model
        if not isinstance(model, models.BPE) or model.end_of_word_suffix != "</w>":
            raise WeightsError(
                "misfit",
                f"Cannot read words with '{path.name}': it is a tokenizer of another kind. "
                "Expected byte-pair encoding whose words end in '</w>', as CLIP has it.",
            )
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(CLIP_WORDS), "removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        return cls(tokenizer, *ids)

    def __call__(self, texts: Sequence[str]) -> Ints:
        """Turn `texts` into `(n, 77)` int64; what is too long is cut and still ended."""
        start_id, end_id = self._special_ids.values()
        rows = np.zeros((len(texts), CLIP_CONTEXT_LENGTH), np.int64)
        for row, text in zip(rows, texts, strict=True):
            ids = [start_id, *self._ids_of(clean(text).lower())][: CLIP_CONTEXT_LENGTH - 1]
            row[: len(ids) + 1] = [*ids, end_id]
        return rows

    def _ids_of(self, cleaned: str) -> list[int]:
        """Cut into words, and words into pieces."""
        if not any(name in cleaned for name in self._special_ids):
            return list(self._tokenizer.encode(cleaned, add_special_tokens=False).ids)
        # Somebody typed the name of a special token; open_clip takes it for the token itself.
        ids: list[int] = []
        for word, _ in self._tokenizer.pre_tokenizer.pre_tokenize_str(cleaned):
            known = self._special_ids.get(word)
            pieces = self._tokenizer.model.tokenize(word) if known is None else ()
            ids += [known] if known is not None else [piece.id for piece in pieces]
        return ids


class Siglip2Tokenizer:
    """Lower-cased pieces of any script, ended by a token of its own, padded to 64.

    Lower-casing is what the authors trained with and ask for. open_clip also takes away the
    punctuation, which glues `still-life` into one word; that is not done here.
    """

    def __init__(self, tokenizer: Tokenizer, end_id: int, pad_id: int) -> None:
        """Take a tokenizer that cuts lower-cased text, and the ids of the end and of nothing."""
        self._tokenizer = tokenizer
        self._end_id, self._pad_id = end_id, pad_id

    @classmethod
    def from_file(cls, path: Path) -> Siglip2Tokenizer:
        """Read the vocabulary from the `tokenizer.json` that comes with the weights.

        Raises:
            WeightsError: the file is not a tokenizer, or has no `<eos>` or `<pad>`.
        """
        given = _read(path)
        given.no_truncation()
        given.no_padding()
        return cls(given, _id_of(given, path, "<eos>"), _id_of(given, path, "<pad>"))

    def __call__(self, texts: Sequence[str]) -> Ints:
        """Turn `texts` into `(n, 64)` int64; what is too long is cut and still ended."""
        rows = np.full((len(texts), SIGLIP2_CONTEXT_LENGTH), self._pad_id, np.int64)
        for row, text in zip(rows, texts, strict=True):
            encoded = self._tokenizer.encode(clean(text).lower(), add_special_tokens=False)
            ids = encoded.ids[: SIGLIP2_CONTEXT_LENGTH - 1]
            row[: len(ids) + 1] = [*ids, self._end_id]
        return rows


@functools.lru_cache(maxsize=4)
def load_clip_tokenizer(path: Path, modified_ns: int) -> ClipTokenizer:
    """Read a tokenizer once for as long as its file looks the same (150 ms otherwise)."""
    return ClipTokenizer.from_file(path)


@functools.lru_cache(maxsize=4)
def load_siglip2_tokenizer(path: Path, modified_ns: int) -> Siglip2Tokenizer:
    """Read a tokenizer once for as long as its file looks the same."""
    return Siglip2Tokenizer.from_file(path)


def with_tokenizer(card: Card) -> Card:
    """Return `card` with the sha256 of its tokenizer, as far as it is known, on its text side."""
    known = {facts["name"]: facts["sha256"] for facts in card.weights}
    facts = {**(card.text_tower or {}), "tokenizer_sha256": known.get(TOKENIZER_FILE)}
    return replace(card, text_tower=facts)


def _read(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain `Exception` for whatever is wrong
        raise WeightsError(
            "unreadable",
            f"Cannot read '{path.name}' as a tokenizer: {error}. Expected the tokenizer.json "
            "that is published with the weights. Fetch it again.",
        ) from error


def _id_of(tokenizer: Tokenizer, path: Path, *spellings: str) -> int:
    """Return the id of a token that files spell in one of these ways."""
    found = [tokenizer.token_to_id(spelling) for spelling in spellings]
    for token_id in found:
        if token_id is not None:
            return int(token_id)
    raise WeightsError(
        "misfit",
        f"Cannot read words with '{path.name}': it has no token '{spellings[0]}'. Expected the "
        "tokenizer.json that is published with the weights.",
    )


def clean(text: str) -> str:
    """Mend what goes wrong when text is copied, decode HTML entities, join by single spaces.

    Follows what open_clip does before it cuts a text: ftfy's `fix_text`, its repair of wrong
    decoding left out, then `html.unescape` twice.

    >>> clean("  Vermeer’s “pearl” &amp;eacute;toile ")
    'Vermeer\\'s "pearl" étoile'
    """
    entities_too = True
    mended = []
    for line in text.split("\n"):
        entities_too = entities_too and "<" not in line  # from here on it may be real markup
        mended.append(_mended(line, entities_too))
    return " ".join(html.unescape(html.unescape("\n".join(mended))).split())


def _mended(line: str, entities_too: bool) -> str:
    """Apply every repair until none changes anything."""
    while True:
        before = line
        if entities_too:
            line = _ENTITY.sub(_decoded_entity, line)
        line = _PAIR.sub(_joined_pair, line.translate(_letters()))
        line = _TERMINAL_ESCAPE.sub("", _LONE_SURROGATE.sub("\ufffd", line)).translate(_UNWANTED)
        line = unicodedata.normalize("NFC", line)
        if line == before:
            return line


_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,24};")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TERMINAL_ESCAPE = re.compile("\x1b\\[[\\d;]*[a-zA-Z]")
_UNWANTED = str.maketrans(
    "",
    "",
    # Controls that are not white space, obsolete Arabic ones, byte order mark, annotations.
    "".join(map(chr, (*range(9), 0x0B, *range(0x0E, 0x20), 0x7F, *range(0x206A, 0x2070), 0xFEFF)))
    + "\ufff9\ufffa\ufffb\ufffc",
)


def _joined_pair(match: re.Match[str]) -> str:
    """Join two halves of a character that UTF-16 had split."""
    return match.group().encode("utf-16", "surrogatepass").decode("utf-16")


def _decoded_entity(match: re.Match[str]) -> str:
    """Decode an entity that is closed by a semicolon; leave what is none."""
    entity = match.group()
    if not entity.startswith("&#"):
        return _entities().get(entity, entity)
    decoded = html.unescape(entity)
    return entity if ";" in decoded else decoded


@functools.cache
def _entities() -> dict[str, str]:
    """Return HTML's entities, and those that are all in small letters also in capitals."""
    closed = {f"&{name}": sign for name, sign in html5.items() if name.endswith(";")}
    shouted = {
        entity.upper(): sign.upper()
        for entity, sign in closed.items()
        if entity == entity.lower() and html.unescape(entity.upper()) == entity.upper()
    }
    return shouted | closed


@functools.cache
def _letters() -> dict[int, str]:
    """Return what single characters become: ligatures apart, widths and quotation marks plain."""
    table = {0x3000: " "}
    for code in range(0x80, 0xA0):  # control characters that Windows uses for letters
        table[code] = bytes([code]).decode("cp1252", "replace").replace("\ufffd", chr(code))
    for sign in "ĲĳŉǄǅǆǇǈǉǊǋǌǱǲǳﬀﬁﬂﬃﬄﬅﬆ":
        parts = unicodedata.decomposition(sign).split()[1:]
        table[ord(sign)] = "".join(chr(int(part, 16)) for part in parts)
    for code in range(0xFF01, 0xFFF0):  # full and half widths
        table[code] = unicodedata.normalize("NFKC", chr(code))
    table |= dict.fromkeys([0x02BC, *range(0x2018, 0x201C)], "'")
    return table | dict.fromkeys(range(0x201C, 0x2020), '"')
