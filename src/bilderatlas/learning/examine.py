"""Examines a model of words on museum works that it never saw: does it find what is asked for?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings
from bilderatlas.evaluation.metrics import average_precision
from bilderatlas.museum.lexicon import LANGUAGES
from bilderatlas.museum.palette import Swatch
from bilderatlas.museum.plan import Work
from bilderatlas.museum.prompts import KINDS, Prompt, choose_prompts
from bilderatlas.museum.statements import atoms_of, matrix_of, truth_of_statements
from bilderatlas.museum.wording import word

EmbedTexts = Callable[[list[str]], Embeddings]


@dataclass(frozen=True, slots=True)
class Examination:
    """Works with all that is true of them.

    Attributes:
        works: In order.
        atoms: `(n, len(ATOMS))`.
        prompts: What is asked.
    """

    works: tuple[Work, ...]
    atoms: npt.NDArray[np.float32]
    prompts: tuple[Prompt, ...]

    @classmethod
    def of(
        cls, works: Sequence[Work], palettes: Sequence[Sequence[Swatch]], per_kind: int = 12
    ) -> Examination:
        """Choose `per_kind` prompts of each kind for these works."""
        atoms = matrix_of(map(atoms_of, works, palettes))
        return cls(tuple(works), atoms, tuple(choose_prompts(works, atoms, per_kind)))

    def precisions(
        self, embed_texts: EmbedTexts, embeddings: Embeddings, language: str
    ) -> npt.NDArray[np.float64]:
        """Return the AP of each prompt in a language, over the works' `embeddings` `(n, d)`."""
        statements = [prompt.statement for prompt in self.prompts]
        said = embed_texts([word(statement, language) for statement in statements])
        truth = truth_of_statements(statements, self.atoms)
        scores = said @ embeddings.T
        return np.array([average_precision(*pair) for pair in zip(scores, truth, strict=True)])

    def means(self, embed_texts: EmbedTexts, embeddings: Embeddings) -> dict[str, dict[str, float]]:
        """Return the mean AP of each language, in all and by kind."""
        kinds = np.array([prompt.kind for prompt in self.prompts])
        found = {}
        for language in LANGUAGES:
            each = self.precisions(embed_texts, embeddings, language)
            by_kind = {kind: float(each[kinds == kind].mean()) for kind in KINDS if kind in kinds}
            found[language] = {"mean": float(each.mean()), **by_kind}
        return found

    def table(self, embed_texts: EmbedTexts, embeddings: Embeddings) -> list[dict[str, Any]]:
        """Return each prompt with its English words, its number of relevant works and its APs."""
        counts = truth_of_statements([p.statement for p in self.prompts], self.atoms).sum(axis=1)
        columns = {
            language: self.precisions(embed_texts, embeddings, language) for language in LANGUAGES
        }
        return [
            {
                "kind": prompt.kind,
                "prompt": word(prompt.statement, "en"),
                "relevant": int(counts[place]),
                **{
                    f"AP {language}": round(float(aps[place]), 4)
                    for language, aps in columns.items()
                },
            }
            for place, prompt in enumerate(self.prompts)
        ]
