"""Word pieces: a small vocabulary taken from the words that the museum uses.

No chance is in it, not even between equally frequent pieces: the same texts give the same bytes.
(The trainers of the tokenizers library break ties by the order of a hash table.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = "[PAD]", "[UNK]"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789àâäáçèéêëíîïñóôöœùúûüßæøå"
_WORDS_SHARE = 0.9
_LONGEST_PIECE = 5


def write_tokenizer(texts: Iterable[str], vocabulary: int, path: Path) -> int:
    """Write a tokenizer of at most `vocabulary` pieces for `texts`, and return how many it has.

    Every letter is a piece, then come the most frequent words, then the most frequent parts of
    all words. A text is cut into the longest pieces from its start. Case is ignored and accents
    are kept: `Früchte` is not `Fruchte`.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece({UNKNOWN: 0}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    counts = _word_counts(tokenizer, texts)
    pieces = choose_pieces(counts, vocabulary)
    tokenizer.model = models.WordPiece(
        {piece: place for place, piece in enumerate(pieces)}, unk_token=UNKNOWN
    )
    path.write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    return len(pieces)


def choose_pieces(counts: Counter[str], vocabulary: int) -> list[str]:
    """Return the pieces, padding first: pieces inside a word begin with `##`."""
    letters = sorted({*LETTERS, *(letter for word in counts for letter in word)})
    chosen = dict.fromkeys([PADDING, UNKNOWN, *letters, *(f"##{letter}" for letter in letters)])
    n_words = round(_WORDS_SHARE * (vocabulary - len(chosen)))
    usual = sorted(counts, key=lambda word: (-counts[word], word))
    chosen |= dict.fromkeys(usual[:n_words])
    parts: Counter[str] = Counter()
    for word, count in counts.items():
        for length in range(2, _LONGEST_PIECE + 1):
            parts[word[:length]] += count * length
            for start in range(1, len(word) - length + 1):
                parts[f"##{word[start : start + length]}"] += count * length
    chosen |= dict.fromkeys(sorted(parts, key=lambda part: (-parts[part], part)))
    return list(chosen)[:vocabulary]


def _word_counts(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text)
        counts.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    return counts
