"""The rule `svm`: a classifier is fitted to the examples on the spot, as Replica did.

With counter-examples a support vector machine draws the border between the two sides; without them
a one-class machine draws one around the examples (Schölkopf et al., *Estimating the support of a
high-dimensional distribution*, 2001). Works score by the side of the border on which they lie, and
how far from it. Kernel and widths are those of Replica (Seguin, 2018).

On unit vectors the Gaussian kernel is a function of the cosine, `exp(-γ |x - y|²) =
exp(-2 γ (1 - cos))`: so any engine that scores cosines scores this rule, too.
"""

from __future__ import annotations

import numpy as np

from bilderatlas.arrays import Metric, Scores, unit_rows
from bilderatlas.search.combine import RULES, Examples, Floats, Rule, Scorer

GAMMA_ALONE = 1.0  # of the border around the examples
GAMMA_AGAINST = 2.0  # of the border between them and the counter-examples

_NU = 0.5  # the share of the examples that may lie outside the border around them
_TOLERANCE = 1e-6  # so fine that the order of the parts changes nothing


def _svm(positives: Examples, negatives: Examples, metric: Metric, lambda_: float) -> Scorer:
    if len(positives) + len(negatives) == 1 or not len(positives):
        # A border around one place ranks as that place does; none is drawn around what is unwanted.
        return RULES.get("ranking").builder(positives, negatives, metric, lambda_)
    vectors = np.concatenate([positives.vectors, negatives.vectors])
    signs = np.repeat([1.0, -1.0], [len(positives), len(negatives)])
    weights = np.concatenate([positives.shares, negatives.shares])
    order = np.lexsort((weights, signs, *vectors.T))
    gamma = GAMMA_AGAINST if len(negatives) else GAMMA_ALONE
    vectors = vectors[order]
    factors, intercept = _fit(unit_rows(vectors), signs[order], weights[order], gamma)

    def decide(cosines: Scores) -> Scores:
        kernel = np.exp(-2 * gamma * (1 - cosines.astype(np.float64)))
        return np.asarray(factors @ kernel + intercept, np.float32)

    return Scorer(metric, vectors, positives.vectors, decide)


def _fit(vectors: Scores, signs: Floats, weights: Floats, gamma: float) -> tuple[Floats, float]:
    """Return the factor of each vector `(m,)` in the decision function, and what is added."""
    from sklearn.svm import SVC, OneClassSVM  # takes half a second, which others need not wait for

    options = {"kernel": "rbf", "gamma": gamma, "tol": _TOLERANCE}
    against = bool((signs < 0).any())
    machine = SVC(**options) if against else OneClassSVM(nu=_NU, **options)
    machine.fit(vectors.astype(np.float64), signs, sample_weight=weights / weights.mean())
    factors = np.zeros(len(vectors))
    factors[machine.support_] = machine.dual_coef_[0]
    return factors, float(machine.intercept_[0])


RULES.register(
    "svm",
    Rule(
        "svm",
        "A border learned from the examples",
        "Works on the inner side of a border that is drawn on the spot around the examples, "
        "against the counter-examples if there are any.",
        (Metric.ANGULAR,),
        (),
        _svm,
    ),
)
