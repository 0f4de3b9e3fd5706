"""Schools: where and when, with which colours and by which hand.

Each school has its own light, ground, palette, manner of the brush and techniques, so that it can
be told by eye. No school copies a person's manner, and every maker's name is a workshop's.
"""

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


FLESH = "e8bf9a dfae86 eccab0 d29c74"
HAIR = "2a1a10 4a2e18 6e4a24 a07a40 1c1612 8a8078"

DUTCH = School(
    name="Dutch",
    years=(1610, 1690),
    style="Baroque",
    place="Northern Netherlands",
    makers=("Dutch workshop, hand A", "Dutch workshop, hand B", "Haarlem atelier (synthetic)"),
    forms={"oil": 0.62, "etching": 0.16, "wash": 0.12, "chalk": 0.05, "grisaille": 0.05},
    genres={
        "portrait": 0.28,
        "still life": 0.24,
        "landscape": 0.22,
        "seascape": 0.16,
        "history": 0.05,
        "genre scene": 0.08,
    },
    palette={
        "ground": colours("6a4a2c 5c4630"),
        "backdrop": colours("2e241a 3a2c1c 2a2620 40321f"),
        "sky": colours("8ea4b4 9fb0b8 7c97ae"),
        "horizon": colours("e4d6b4 dcd0b8 e8d2a0"),
        "cloud": colours("d8d2c4 e6dcc8"),
        "earth": colours("7a5c34 6c5230 8a6c3e"),
        "foliage": colours("3e4422 4c4a24 36401f 5a5026"),
        "distance": colours("7e8e90 8c9894"),
        "water": colours("5e6e70 6a7470"),
        "stone": colours("8a7c66 9c8c74"),
        "brick": colours("84482c 743c28"),
        "roof": colours("7c3e26 5a4a3c"),
        "cloth": colours("1c1a1a 241e1c 3a2018 28303a"),
        "bright": colours("b0502c d8a23c e8dcc4 2e4e6e"),
        "linen": colours("f0e8d8 ece2cc"),
        "table": colours("5a3c22 4c4a34 6a2e20"),
        "metal": colours("a08a5a 8c8c8c b0926a"),
        "flower": colours("d8462e e8dcd0 e6a638 c8607c 7a8cc0 f0c8b0"),
        "fruit": colours("d8902c a83a24 c8b048 6a7c30 5a2a34 e0b868"),
        "flesh": colours(FLESH),
        "hair": colours(HAIR),
    },
    manner=Manner(0.03, 0.62, 0.45, 0.035, 0.35, 0.45, 0.45, 0.4, 0.25),
)

VENETIAN = School(
    name="Venetian",
    years=(1505, 1590),
    style="Renaissance",
    place="Venice",
    makers=(
        "Venetian workshop, hand A",
        "Venetian workshop, hand B",
        "Master of the Lagoon (synthetic)",
    ),
    forms={"oil": 0.76, "chalk": 0.18, "wash": 0.06},
    genres={
        "portrait": 0.3,
        "history": 0.38,
        "landscape": 0.16,
        "still life": 0.09,
        "genre scene": 0.07,
    },
    palette={
        "ground": colours("7c3c24 8a4a2a"),
        "backdrop": colours("4a2a1c 3c3a2a 5a2c20 2c3434"),
        "sky": colours("3f6a9c 4a78a4 5a7ca0"),
        "horizon": colours("f0c080 eab070 f4d49c"),
        "cloud": colours("f0d8b8 e8c4a0"),
        "earth": colours("84602e 7a5a34 906c3c"),
        "foliage": colours("4a4c1e 5a4e20 3c4822"),
        "distance": colours("5878a0 6a8aa8"),
        "water": colours("3c6c84 4c7c8c"),
        "stone": colours("b89c78 a88c6c"),
        "brick": colours("a86040 b4704c"),
        "roof": colours("a4502c 8c4428"),
        "cloth": colours("8c1c1c a42820 1c3a7c 2c5c3c 7a3a5c"),
        "bright": colours("d8a030 c83c28 2850a0 e8c878"),
        "linen": colours("f4e4c8 ecd8b4"),
        "table": colours("7a2a20 5a3a20 2c4a34"),
        "metal": colours("d0a040 b89050"),
        "flower": colours("d84030 f0d0a0 e8a840 d07080"),
        "fruit": colours("e09030 b84028 d0b850 7a8438 6c2c40"),
        "flesh": colours("ecc090 e4b080 f0cca4"),
        "hair": colours("5a2c14 8c5420 b07830 2c1a10"),
    },
    manner=Manner(0.036, 0.52, 0.4, 0.05, 0.75, 0.2, 0.5, 0.3, 0.3),
    lit=(1.16, 1.04, 0.86),
    shadow=(0.36, 0.23, 0.17),
    shadow_colour=(0.16, 0.07, 0.04),
    dress="early",
)

SPANISH = School(
    name="Spanish",
    years=(1605, 1680),
    style="Tenebrism",
    place="Seville",
    makers=(
        "Sevillian workshop, hand A",
        "Sevillian workshop, hand B",
        "Spanish workshop (synthetic)",
    ),
    forms={"oil": 0.86, "chalk": 0.08, "grisaille": 0.06},
    genres={"portrait": 0.34, "still life": 0.32, "history": 0.28, "genre scene": 0.06},
    palette={
        "ground": colours("2a1a10"),
        "backdrop": colours("120e0b 1a130d 0f0d0c"),
        "sky": colours("2c3038 3a3a3c"),
        "horizon": colours("8a7050 7c6a58"),
        "cloud": colours("6c6458 7c7060"),
        "earth": colours("4c3820 5a4224"),
        "foliage": colours("2c2c18 383418"),
        "distance": colours("4a4c50 54504c"),
        "water": colours("2c3438"),
        "stone": colours("7c6c54 8c7a60"),
        "brick": colours("6c4028"),
        "roof": colours("5a3820"),
        "cloth": colours("141212 1c1410 5c4228 7c2018 e0d4bc"),
        "bright": colours("c48a34 a83020 ece0c8"),
        "linen": colours("f6eedc f0e4cc"),
        "table": colours("4a3018 3c2814"),
        "metal": colours("a87838 8c8478"),
        "flower": colours("f0e4d8 c83828 e0a8a0"),
        "fruit": colours("e0a028 d0c050 a84028 7c8830 c88848"),
        "flesh": colours("e4b88c d8a474 c89468"),
        "hair": colours("16100c 241812 3c2818 7c746c"),
    },
    manner=Manner(0.034, 0.6, 0.5, 0.035, 0.5, 0.35, 0.4, 0.55, 0.2),
    lit=(1.24, 1.12, 0.94),
    shadow=(0.09, 0.065, 0.05),
    shadow_colour=(0.02, 0.015, 0.01),
    light_height=0.75,
)

FLEMISH = School(
    name="Early Netherlandish",
    years=(1430, 1510),
    style="Late Gothic",
    place="Bruges",
    makers=(
        "Bruges workshop, hand A",
        "Bruges workshop, hand B",
        "Master of the Red Sleeves (synthetic)",
    ),
    forms={"oil": 0.9, "grisaille": 0.1},
    genres={"portrait": 0.42, "history": 0.5, "landscape": 0.08},
    palette={
        "ground": colours("d8ccb0"),
        "backdrop": colours("18221c 1c1c20 24402e 5a2420"),
        "sky": colours("5a90c8 6aa0d0"),
        "horizon": colours("e8eef0 f0ece0"),
        "cloud": colours("f4f4f0"),
        "earth": colours("8c8044 7c8440 a08c54"),
        "foliage": colours("2c5a28 3c6430 24502c"),
        "distance": colours("6a98b8 84acc0"),
        "water": colours("5c8ca8 74a0b4"),
        "stone": colours("b4a890 a89c8c"),
        "brick": colours("a8583c 98503c"),
        "roof": colours("3c5878 a04c34"),
        "cloth": colours("b01c1c 8c1818 14307c 1c5c38 2a2420"),
        "bright": colours("d8281c 1c48a4 e0b040 2c7c4c"),
        "linen": colours("f8f4ec f4f0e4"),
        "table": colours("7c5c38 2c5038"),
        "metal": colours("d8b050 c0c0c0"),
        "flower": colours("f0f0f0 d83030 3c50b0 e8c840"),
        "fruit": colours("e0a030 c03020 88a040"),
        "flesh": colours("f0cdb0 ecc4a4 f4d8c0"),
        "hair": colours("5c3818 a87838 8c5c28 3a2414"),
    },
    manner=Manner(0.02, 0.9, 0.12, 0.02, 0.0, 0.55, 0.25, 0.15, 0.1),
    lit=(1.06, 1.03, 0.98),
    shadow=(0.36, 0.3, 0.3),
    shadow_colour=(0.12, 0.1, 0.1),
    dress="early",
)

SIENESE = School(
    name="Sienese",
    years=(1300, 1400),
    style="Gothic",
    place="Siena",
    makers=("Sienese workshop, hand A", "Master of the Gold Ground (synthetic)"),
    forms={"tempera": 1.0},
    genres={"history": 1.0},
    palette={
        "ground": colours("a84830"),
        "backdrop": colours("d4a83c c89c34"),
        "sky": colours("d4a83c"),
        "horizon": colours("dcb44c"),
        "cloud": colours("e8c870"),
        "earth": colours("a88c5c 8c8450 b09468"),
        "foliage": colours("3c5030 4c5c38"),
        "distance": colours("c0a070"),
        "water": colours("5c7880"),
        "stone": colours("d0b8a0 c8a898"),
        "brick": colours("c08068"),
        "roof": colours("a84c3c"),
        "cloth": colours("1c2c64 b83428 d87c64 4c6c54 8c4c68"),
        "bright": colours("d84030 e8a890 2c4480 e8dcc0"),
        "linen": colours("f0e8d8"),
        "table": colours("a86c4c"),
        "metal": colours("d8b048"),
        "flower": colours("f0e8e0 d84838"),
        "fruit": colours("d09038"),
        "flesh": colours("dcc094 d4b484 e0c8a0"),
        "hair": colours("6c4820 8c6428 54402c"),
    },
    manner=Manner(0.018, 0.88, 0.1, 0.02, 0.0, 0.7, 0.2, 0.1, 0.1),
    lit=(1.1, 1.05, 0.94),
    shadow=(0.4, 0.36, 0.26),
    shadow_colour=(0.2, 0.14, 0.06),
    dress="early",
)

GERMAN = School(
    name="German",
    years=(1490, 1560),
    style="Renaissance",
    place="Nuremberg",
    makers=(
        "Nuremberg workshop, hand A",
        "Nuremberg workshop, hand B",
        "Upper Rhine workshop (synthetic)",
    ),
    forms={"engraving": 0.42, "woodcut": 0.32, "oil": 0.2, "chalk": 0.06},
    genres={"portrait": 0.3, "history": 0.46, "landscape": 0.18, "still life": 0.06},
    palette={
        **FLEMISH.palette,
        "backdrop": colours("3c6c54 2c5c6c 1c1c1c 4c8468"),
        "sky": colours("6c9cb8 84aab8"),
        "horizon": colours("ece4c0 f0d8a8"),
        "cloth": colours("141414 7c1414 a06c1c 3c4c24 5c1c2c"),
        "foliage": colours("344820 2c3c1c 4c5424"),
        "flesh": colours("e8c09c e0b490 ecccb0"),
        "hair": colours("6c3c18 a06424 c08c40 2c1c10"),
    },
    manner=Manner(0.022, 0.84, 0.15, 0.03, 0.0, 0.5, 0.35, 0.2, 0.15),
    lit=(1.08, 1.04, 0.95),
    shadow=(0.3, 0.26, 0.24),
    dress="early",
)

FRENCH = School(
    name="French",
    years=(1866, 1905),
    style="Impressionism",
    place="Paris",
    makers=(
        "French workshop, hand A",
        "French workshop, hand B",
        "Seine Valley studio (synthetic)",
    ),
    forms={"oil": 0.82, "pastel": 0.12, "etching": 0.06},
    genres={
        "landscape": 0.42,
        "seascape": 0.17,
        "still life": 0.15,
        "portrait": 0.18,
        "genre scene": 0.08,
    },
    palette={
        "ground": colours("e0d4c0 d0ccc4"),
        "backdrop": colours("7c94a8 8c8474 a4a878 6c7c98"),
        "sky": colours("8cb8e0 a0c4e4 98b0dc"),
        "horizon": colours("f8e4c8 f4dcd4 e8e8f0"),
        "cloud": colours("fcf4e8 f8e8ec"),
        "earth": colours("c0a468 b89a70 a8a860 c8b080"),
        "foliage": colours("5c8c3c 78a044 4c7c4c 94a848"),
        "distance": colours("94a8d0 a8b4d4"),
        "water": colours("6c9cc4 7cb0c4 6890b8"),
        "stone": colours("d8ccc0 ccc4c8"),
        "brick": colours("c87858 b86c5c"),
        "roof": colours("b4583c 7078a0"),
        "cloth": colours("3c4878 5c5c84 e4dce0 7890b8 2c2c44"),
        "bright": colours("e85c3c f0b83c 3c6cc0 e890a8"),
        "linen": colours("fcf8f4 ecf0f8"),
        "table": colours("b8a8a0 8c9cb4 d8d4dc"),
        "metal": colours("b8b4b0 c8a868"),
        "flower": colours("f06c4c f8d0d8 f0c03c c890d0 7088d8 fcf4ec"),
        "fruit": colours("f09838 e0503c e8d050 90b048 a8586c"),
        "flesh": colours("f0c8a8 ecbca0 f4d4bc"),
        "hair": colours("5c3c2c 8c6038 c09850 3c3038"),
    },
    manner=Manner(0.032, 0.1, 1.0, 0.11, 0.45, 0.0, 0.0, 0.0, 0.45),
    lit=(1.12, 1.07, 0.98),
    shadow=(0.5, 0.5, 0.64),
    shadow_colour=(0.24, 0.25, 0.42),
    light_height=0.8,
    dress="modern",
)

BRITISH = School(
    name="British",
    years=(1775, 1845),
    style="Romanticism",
    place="London",
    makers=("British workshop, hand A", "London watercolour room (synthetic)"),
    forms={"watercolour": 0.46, "oil": 0.44, "etching": 0.1},
    genres={"landscape": 0.44, "seascape": 0.32, "portrait": 0.24},
    palette={
        **DUTCH.palette,
        "ground": colours("c8ac80 b89868"),
        "backdrop": colours("5c4a34 4a4438 6c5a44"),
        "sky": colours("7c9cc4 90a8c0 6c88b0"),
        "horizon": colours("f8dca0 f4c888 f8e8c8"),
        "cloud": colours("f0e4d4 e4d4c8"),
        "earth": colours("a08450 8c7c44 b09458"),
        "foliage": colours("5c6430 6c6c34 4c5c34"),
        "distance": colours("8c9cb8 a4a8b8"),
        "water": colours("6c90a0 84a0a8"),
        "cloth": colours("a02820 2c3448 e8e0d0 3c3028 6c8098"),
        "flesh": colours("f4d0b4 f0c4a8"),
        "hair": colours("5c4028 8c6c48 c8c0b4 3c2818"),
    },
    manner=Manner(0.042, 0.34, 0.7, 0.06, 0.45, 0.25, 0.25, 0.2, 0.5),
    lit=(1.16, 1.07, 0.9),
    shadow=(0.36, 0.31, 0.3),
    shadow_colour=(0.14, 0.11, 0.1),
    dress="modern",
)

JAPANESE = School(
    name="Japanese",
    years=(1790, 1870),
    style="Ukiyo-e",
    place="Edo",
    makers=("Edo print workshop, block A", "Edo print workshop, block B"),
    forms={"colour woodcut": 1.0},
    genres={"landscape": 0.5, "seascape": 0.25, "portrait": 0.25},
    palette={
        "ground": colours("ece0c4"),
        "backdrop": colours("d8ccb0 b8b4a8 d0a890 98a8a8"),
        "sky": colours("2c5484 3c6490 e8c8a0"),
        "horizon": colours("ece0c4 f0d8b8"),
        "cloud": colours("f0e8d4"),
        "earth": colours("a8b080 c8b080 8c9c70"),
        "foliage": colours("4c7058 3c5c4c 6c8458"),
        "distance": colours("7c98a8 98acb0"),
        "water": colours("2c5c8c 4c7ca0 88a8b0"),
        "stone": colours("a8a498 909088"),
        "brick": colours("b86c4c"),
        "roof": colours("6c6c64 8c7454"),
        "cloth": colours("2c3c5c b04838 587858 8c7ca0 d8a048"),
        "bright": colours("c84830 e8c060 f0e8d8 3c5c84"),
        "linen": colours("f0e8d4"),
        "table": colours("8c6c48"),
        "metal": colours("8c8468"),
        "flower": colours("e8a0a8 f0e8e0 c84838"),
        "fruit": colours("d89038"),
        "flesh": colours("f0dcc0 ecd4b4"),
        "hair": colours("1c1c1c 24201c"),
    },
    manner=Manner(0.03, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    lit=(1.05, 1.04, 1.0),
    shadow=(0.72, 0.72, 0.74),
    shadow_colour=(0.3, 0.34, 0.4),
    dress="japanese",
)

EXPRESSIONIST = School(
    name="Expressionist",
    years=(1905, 1928),
    style="Expressionism",
    place="Dresden",
    makers=("Dresden studio, hand A", "Dresden studio, hand B (synthetic)"),
    forms={"oil": 0.6, "woodcut": 0.4},
    genres={"portrait": 0.38, "landscape": 0.34, "still life": 0.16, "seascape": 0.12},
    palette={
        "ground": colours("c87c3c 5c3c6c"),
        "backdrop": colours("e0b020 2c7c6c c84c2c 3c4c9c 7c3c84"),
        "sky": colours("2c5cb0 e89830 4c9ca0 7c54a8"),
        "horizon": colours("f8d040 f09878 f0e070"),
        "cloud": colours("f8e8b0 f0a0a0"),
        "earth": colours("d86c2c e0b83c b84864"),
        "foliage": colours("1c7c44 3ca050 147060"),
        "distance": colours("4c3c9c 2c6cb8 8c4ca0"),
        "water": colours("1c5cac 1c8c9c"),
        "stone": colours("e0a890 b088c0"),
        "brick": colours("d84030"),
        "roof": colours("c82c24 2c4484"),
        "cloth": colours("c8201c 1c4c9c 147848 e8b81c 2c1c3c"),
        "bright": colours("f04820 f8c818 1c68c8 18a068"),
        "linen": colours("f8f0d8"),
        "table": colours("2c6c9c d86838 8c3c7c"),
        "metal": colours("d8a838"),
        "flower": colours("f03020 f8d020 f080a0 fcf8f0 5c3cb0"),
        "fruit": colours("f08c18 e83820 f0d828 58a830"),
        "flesh": colours("f0b878 e8a070 f0c890"),
        "hair": colours("1c1420 5c2414 c87820 2c2c54"),
    },
    manner=Manner(0.06, 0.12, 1.0, 0.08, 0.5, 0.0, 0.0, 0.0, 0.5),
    lit=(1.14, 1.08, 0.9),
    shadow=(0.42, 0.36, 0.55),
    shadow_colour=(0.14, 0.1, 0.3),
    dress="modern",
)

CONSTRUCTIVIST = School(
    name="Constructivist",
    years=(1913, 1938),
    style="Abstraction",
    place="Utrecht and Vitebsk",
    makers=("Constructivist studio, hand A", "Constructivist studio, hand B (synthetic)"),
    forms={"oil": 0.8, "woodcut": 0.08, "screenprint": 0.12},
    genres={"abstract": 1.0},
    palette={
        "ground": colours("ece6d8 e8e0d0 f0ece4 1c1c1c"),
        "bright": colours("c8241c 1c3c8c e8b820 181818 2c6c4c d86828 8c98a0"),
        "quiet": colours("d8d0c0 b8b4ac 8c8478 5c5854"),
    },
    manner=Manner(0.05, 0.82, 0.25, 0.02, 0.5, 0.12, 0.12, 0.05, 0.0),
    dress="modern",
)

SCHOOLS: tuple[School, ...] = (
    DUTCH,
    VENETIAN,
    SPANISH,
    FLEMISH,
    SIENESE,
    GERMAN,
    FRENCH,
    BRITISH,
    JAPANESE,
    EXPRESSIONIST,
    CONSTRUCTIVIST,
)
SCHOOL_SHARES: tuple[float, ...] = (0.2, 0.12, 0.09, 0.07, 0.04, 0.1, 0.13, 0.08, 0.06, 0.06, 0.05)
