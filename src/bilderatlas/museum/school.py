"""What a school is: its light, ground, palette, manner of the brush and techniques."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bilderatlas.museum.relief import Light
from bilderatlas.museum.scene import Colour


def colours(text: str) -> tuple[Colour, ...]:
    """Return the colours of hexadecimal names, parted by blanks: `"a03020 e0c080"`."""
    return tuple(
        (int(name[0:2], 16) / 255, int(name[2:4], 16) / 255, int(name[4:6], 16) / 255)
        for name in text.split()
    )


@dataclass(frozen=True, slots=True)
class Manner:
    """How a school lays paint.

    Attributes:
        broad: Width of the broadest strokes as a share of the short side.
        finish: How much of the scene shows through unbroken, 0 sketchy to 1 enamel-smooth.
        impasto: Strength of the paint's relief.
        jitter: How far stroke colours stray.
        weave: Strength of the canvas; 0 is panel.
        cracks: Strength of the craquelure.
        varnish: Yellowing, 0 to 1.
        vignette: Darkening of the corners.
        flow: How much strokes follow a wandering wind instead of forms.
    """

    broad: float = 0.035
    finish: float = 0.5
    impasto: float = 0.5
    jitter: float = 0.05
    weave: float = 0.4
    cracks: float = 0.3
    varnish: float = 0.35
    vignette: float = 0.3
    flow: float = 0.3


@dataclass(frozen=True, slots=True)
class School:
    """One school in its century.

    Attributes:
        name: Name in the school field: `Dutch`.
        years: First and last year.
        style: Style as catalogues say it.
        place: Where.
        makers: Workshop names, clearly generic.
        forms: Form → share.
        genres: Genre → share.
        palette: Role → colours.
        manner: The hand.
        lit: Tint of light.
        shadow: Tint and depth of shadow.
        shadow_colour: Colour of cast shadows.
        light_height: How high the light stands.
        dress: Period of dress: `early`, `baroque`, `modern`, `japanese`.
    """

    name: str
    years: tuple[int, int]
    style: str
    place: str
    makers: tuple[str, ...]
    forms: dict[str, float]
    genres: dict[str, float]
    palette: dict[str, tuple[Colour, ...]]
    manner: Manner = field(default_factory=Manner)
    lit: Colour = (1.12, 1.06, 0.94)
    shadow: Colour = (0.26, 0.2, 0.18)
    shadow_colour: Colour = (0.06, 0.04, 0.03)
    light_height: float = 0.6
    dress: str = "baroque"

    def pick(self, rng: np.random.Generator, role: str) -> Colour:
        """Return one of the palette's colours for `role`, slightly varied."""
        choices = self.palette[role]
        base = np.asarray(choices[int(rng.integers(len(choices)))])
        r, g, b = np.clip(base * rng.uniform(0.92, 1.08) + rng.normal(0, 0.012, 3), 0, 1)
        return float(r), float(g), float(b)

    def make_light(self, rng: np.random.Generator) -> Light:
        """Return the light of one picture: mostly from the left, as painters have it."""
        side = -1.0 if rng.random() < 0.8 else 1.0
        return Light.from_side(
            side * rng.uniform(0.55, 0.8),
            self.light_height,
            rng.uniform(0.5, 0.65),
            lit=self.lit,
            shadow=self.shadow,
            shadow_colour=self.shadow_colour,
        )
