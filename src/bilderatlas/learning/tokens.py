"""Word pieces: a small vocabulary learned from the words that the museum uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PADDING, UNKNOWN = "[PAD]", "[UNK]"
PADDING_ID = 0


def train_tokenizer(texts: Iterable[str], vocabulary: int, path: Path) -> int:
    """Learn at most `vocabulary` word pieces from `texts`, write them to `path`, return how many.

    Case is ignored and accents are kept: `Früchte` is not `Fruchte`.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=[PADDING, UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(sorted(texts), trainer)
    path.write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    return tokenizer.get_vocab_size()
