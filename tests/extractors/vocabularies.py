"""Tokenizer files for tests, made from what the laboratory has; none is kept in the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def save_clip_tokenizer(path: Path) -> None:
    """Write what is published as CLIP's `tokenizer.json`, from open_clip's own vocabulary."""
    from open_clip.tokenizer import SimpleTokenizer
    from tokenizers import AddedToken, Tokenizer, models, normalizers

    theirs = SimpleTokenizer()
    vocabulary = dict(theirs.encoder)
    for published, name in (
        ("<|startoftext|>", "<start_of_text>"),
        ("<|endoftext|>", "<end_of_text>"),
    ):
        vocabulary[published] = vocabulary.pop(name)
    model = models.BPE(
        vocab=vocabulary,
        merges=list(theirs.bpe_ranks),
        unk_token="<|endoftext|>",
        end_of_word_suffix="</w>",
    )
    tokenizer = Tokenizer(model)
    # The published file cleans differently; what it says of that must not count.
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.add_special_tokens(
        [AddedToken("<|startoftext|>", normalized=True), AddedToken("<|endoftext|>")]
    )
    tokenizer.enable_truncation(12)
    tokenizer.save(str(path))


def save_sentence_pieces(path: Path, lines: Sequence[str], size: int) -> None:
    """Train a small tokenizer of the kind that SigLIP 2 has, and write it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.save(str(path))
