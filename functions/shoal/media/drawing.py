"""The simulator's pictures: scenes painted from the words of a prompt and a seed."""

import hashlib
import io
import math
import re
from collections.abc import Callable
from random import Random
from typing import Final

from PIL import Image, ImageColor

from shoal.media.canvas import (
    FISH,
    PALETTES,
    SHARK,
    Canvas,
    Colour,
    Shape,
    bank,
    block,
    clouds,
    curve,
    mix,
    oval,
    pine,
    ribbon,
    ridge,
    rolling_line,
)
from shoal.media.typesetting import line
from shoal.media.words import count

SIDE_PX_MIN: Final = 16
SIDE_PX_MAX: Final = 8192
LABEL: Final = "simulator"
DARK: Final = (8, 9, 12)
WHITE: Final = (255, 255, 255)


def draw(*, prompt: str, seed: int, width_px: int, height_px: int, captioned: bool = True) -> bytes:
    """The PNG of a prompt and a seed, the same bytes every time; ValueError when a side is out of bounds."""
    if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in (width_px, height_px)):
        raise ValueError(f"a side must be {SIDE_PX_MIN} to {SIDE_PX_MAX} px, not {width_px}x{height_px}")
    digest = hashlib.sha256(f"{seed}:{prompt}".encode("utf-8", "surrogatepass")).digest()
    rng, text = Random(int.from_bytes(digest)), prompt.casefold()  # noqa: S311 - art, not secrets
    paint, _, moods = max(SCENES, key=lambda scene: count(scene[1], text))
    asked = [name for name, palette in PALETTES.items() if count(palette.words, text)]
    c = Canvas(width_px, height_px, rng, PALETTES[rng.choice(asked or moods.split())])
    paint(c, text)
    c.finish()
    if captioned:
        caption(c, prompt)
    file = io.BytesIO()
    c.image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def caption(c: Canvas, prompt: str) -> None:
    """Say at the bottom edge what this is, so that nobody takes it for a model's work."""
    size = max(9, round(min(c.w, c.h) * 0.0165))
    margin, label = round(size * 1.3), line(LABEL, size, c.w)
    if label is None or (room := c.w - 3 * margin - label.mask.width) < 0 or c.h < 4 * size:
        return
    c.veil(curve(Image.linear_gradient("L"), 0, 1, 0.5), c.palette.shade, (0, c.h - 4 * size, c.w, c.h))
    top = c.h - margin - label.mask.height - label.top_px
    said = line(prompt[:400], size, room)
    for ink, left in ((said, margin), (label, c.w - margin - label.mask.width)):
        if ink is not None:
            strength = ink.mask.point([level * 185 // 255 for level in range(256)])
            c.image.paste(WHITE, (left, top + ink.top_px), strength)


def land(c: Canvas, text: str) -> None:
    """Mountains, woods or dunes in layers that fade into the distance."""
    rng, p, woods, dunes = c.rng, c.palette, count(WOODS, text) > 0, count(DUNES, text) > 0
    c.sky(c.unit * (0.1 if dunes else 0.05))
    far = mix(p.sky[-2], p.accents[0] if dunes else p.sky[1], 0.35)
    for near in (0.0, 0.25, 0.5, 0.75, 1.0):
        tone, level = mix(far, p.shade, near * (0.75 if dunes else 1)), c.h * (0.52 + 0.38 * near)
        swing = c.unit * (0.05 if woods else 0.07 if dunes else 0.17 - 0.05 * near)
        line = c.ground(rolling_line(rng) if woods or dunes else ridge(rng), level, swing)
        stems = 46 - 38 * near if woods else 34 * (near == 1 and not dunes)
        feet = [rng.choice(line[:-2]) for _ in range(int(stems * max(1, c.w / c.h)))]
        tall = c.unit * (0.13 + 0.34 * near**1.5 if woods else 0.12)
        trees = [pine(rng, x, y + tall * 0.1, tall * rng.uniform(0.6, 1.15)) for x, y in feet]
        c.fill([*trees, line], [tone, mix(tone, p.sky[-1], 0.5 * (1 - near))])
        if near < 1 and not dunes:
            box = 0, int(level - swing * 0.3), c.w, int(level + c.h * 0.16)
            c.veil(curve(bank(rng), 0.05, 0.9, 0.75), mix(p.sky[-1], p.sky[-2], near), box)
    if woods:
        c.sparks(60, c.h * 0.55, c.h * 0.97, c.unit * 0.004, [p.accents[0], p.light])


def swimmer(c: Canvas, outline: Shape, x: float, y: float, long: float, way: int) -> Shape:
    """An outline `long` px long laid around a point and bent; it swims left (`way` 1) or right (-1)."""
    tilt, bend = c.rng.uniform(-0.14, 0.1), c.rng.uniform(-0.02, 0.06)
    bent = [(a - 0.5, b + bend * math.sin(a * 4.2) * a) for a, b in outline]
    return [(x + way * long * (a - b * tilt), y + long * (b + a * tilt)) for a, b in bent]


def sea(c: Canvas, text: str) -> None:
    """Under water: light from above, a school, one large swimmer, weed on the ground."""
    rng, p, u = c.rng, c.palette, c.unit
    c.backdrop([mix(p.sky[4], p.sky[3], 0.6), *p.sky[3::-1]])
    x, way = c.w * rng.uniform(0.25, 0.75), rng.choice((1, -1))
    c.glow(x, -u * 0.12, u * 0.95, p.light, 0.75)
    c.veil(curve(clouds(rng, 2, 5), 0.4, 1, 0.22), p.sky[-2])
    c.rays(x, -u * 0.25, 16, 0.75)
    for depth in range(3):
        shade = mix(p.sky[0], p.shade, 0.2 + depth * 0.3)
        c.fill([c.ground(ridge(rng), c.h * (0.84 + depth * 0.06), u * 0.06)], [shade, p.shade])
    x, y = c.w * rng.uniform(0.2, 0.8), c.h * rng.uniform(0.2, 0.7)
    for colour in (mix(p.sky[2], p.shade, 0.35), mix(p.sky[2], p.shade, 0.6), p.accents[0]):
        spots = [(x + rng.gauss(0, 0.16) * u, y + rng.gauss(0, 0.07) * u) for _ in range(15)]
        c.fill([swimmer(c, FISH, a, b, u * rng.uniform(0.02, 0.042), way) for a, b in spots], [colour], 0.85)
    small = count("fish goldfish clownfish 魚", text) > 0
    big, long, hue = (FISH, 0.3, p.accents[0]) if small else (SHARK, 0.66, p.sky[2])
    x, y, long = c.w * rng.uniform(0.45, 0.55), c.h * rng.uniform(0.42, 0.52), long * min(u, c.w * 1.2)
    c.fill([swimmer(c, big, c.w - x * 0.4, y - u * 0.2, long / 4, -way)], [mix(p.sky[3], p.shade, 0.45)], 0.7)
    c.glow(x, y, long * 0.8, p.accents[1], 0.5, 0.6)
    body = swimmer(c, big, x, y, long, way)
    c.fill([[(a, b - long * 0.006) for a, b in body]], [p.accents[1]], 0.9)
    c.fill([body], [mix(hue, p.shade, 0.75), mix(hue, p.shade, 0.25)])
    for _ in range(34):
        x, tall, sway = (
            c.w * (rng.choice((0, 1)) + rng.gauss(0, 0.1)),
            u * rng.uniform(0.1, 0.42),
            rng.random() * 6,
        )
        spine = [(x + u * 0.003 * t * math.sin(sway + t / 4), c.h * 1.02 - tall * t / 24) for t in range(25)]
        c.fill([ribbon(spine, u * rng.uniform(0.014, 0.03))], [mix(p.sky[1], p.shade, 0.5), p.shade])
    c.sparks(130, 0, c.h * 0.95, u * 0.0042, [p.light, p.accents[0], p.accents[1]])


def space(c: Canvas, _text: str) -> None:
    """A nebula, stars and a planet with its moon."""
    rng, p = c.rng, c.palette
    c.backdrop([p.shade, p.sky[0], mix(p.sky[0], p.sky[1], 0.6), p.shade])
    for colour, opacity in zip((p.sky[2], *p.accents, p.shade), (0.8, 0.5, 0.35, 0.55, 0.85), strict=True):
        c.veil(curve(clouds(rng, 2, 2, 6), 0.45, 1, opacity), colour)
    c.sparks(420, 0, c.h, c.unit * 0.0026, [p.light, WHITE, p.accents[1]])
    x, y, r = c.w * rng.uniform(0.3, 0.7), c.h * rng.uniform(0.36, 0.55), c.unit * rng.uniform(0.17, 0.24)
    planet(c, x, y, r, rng.choice((0, 0.2, 0.3)))
    planet(c, x + r * rng.choice((-1.9, 1.8)), y - r * rng.uniform(0.7, 1.2), r * 0.2, 0)


def planet(c: Canvas, x: float, y: float, r: float, tip: float) -> None:
    """A banded globe; with a ring `tip` times as high as wide unless that is 0."""
    rng, p, lean, colour = c.rng, c.palette, c.rng.uniform(-0.4, 0.4), c.rng.choice(c.palette.accents)

    def ring(start: float) -> None:
        for inner, outer, opacity in ((1.3, 1.55, 0.6), (1.6, 1.95, 0.85), (1.99, 2.1, 0.5)) if tip else ():
            arcs = [oval(0, 0, k * r, k * r * tip, start=start, end=start + 0.5) for k in (inner, outer)]
            half = [(x + a - b * lean, y + a * lean + b) for a, b in arcs[0] + arcs[1][::-1]]
            c.fill([half], [mix(p.light, colour, 0.4)], opacity)

    c.glow(x, y, r * 1.9, colour, 0.45)
    ring(0.5)
    globe, box = oval(x, y, r, r), (int(x - r) - 1, int(y - r) - 1, int(x + r) + 2, int(y + r) + 2)
    c.fill([globe], [mix(colour, p.light, 0.5), colour, mix(colour, p.shade, 0.5)])
    c.veil(curve(clouds(rng, 1, 7), 0.3, 0.9, 0.6), mix(colour, p.shade, 0.55), box, [globe])
    lit_from_above = 0.75, 0, 56, 0, 0.75, 60
    night = Image.radial_gradient("L").transform((256, 256), Image.Transform.AFFINE, lit_from_above)
    c.veil(curve(night, 0.1, 0.75, 0.95), p.shade, box, [globe])
    ring(0)


def city(c: Canvas, text: str) -> None:
    """A skyline over still water."""
    rng, p, u, water = c.rng, c.palette, c.unit, int(c.h * 0.78)
    c.sky(u * 0.06)
    for depth in range(3):
        towers(c, depth, water)
        c.glow(c.w * rng.random(), water, u * 0.6, rng.choice(p.accents), 0.45, 0.5)
    c.mirror(water, 0.35)
    for _ in range(420 if count("rain rainy storm 雨", text) else 0):
        x, y, fall = c.w * rng.uniform(0, 1.1), c.h * rng.uniform(-0.1, 1), u * rng.uniform(0.02, 0.07)
        c.fill([ribbon([(x, y), (x - fall * 0.18, y + fall)], u * 0.003)], [p.light], 0.3)


def towers(c: Canvas, depth: int, foot: float) -> None:
    """One row of lit towers, taller towards the middle; depth 0 is the farthest."""
    rng, p, x, cell = c.rng, c.palette, -c.unit * 0.05, c.unit * (0.0075 + 0.002 * depth)
    houses: list[Shape] = []
    panes: list[list[Shape]] = [[] for _ in p.accents]
    while x < c.w:
        columns, lit = rng.randint(5, 9), rng.uniform(0.15, 0.6)
        wide, swell = (columns + 1) * cell, 0.55 + 0.65 * math.exp(-((x / c.w - 0.5) ** 2) * 11)
        rows = int(c.unit * rng.uniform(0.1, 0.5 - 0.13 * depth) * swell / cell / 1.4) + 2
        roof, spire = foot - rows * cell * 1.4, rng.uniform(-1, 1) * wide
        houses += (
            block(x, roof, wide, foot - roof),
            block(x + wide * 0.2, roof - wide * 0.25, wide * 0.6, wide),
        )
        houses.append([(x + wide * 0.47, roof), (x + wide * 0.5, roof - spire), (x + wide * 0.53, roof)])
        for i in range(columns, rows * columns):
            if rng.random() < lit:
                left, top = x + (i % columns + 0.75) * cell, roof + (i // columns - 0.5) * cell * 1.4
                rng.choice(panes).append(block(left, top, cell * 0.5, cell * 0.7))
        x += wide * rng.uniform(0.9, 1.3)
    tone = mix(p.sky[2], p.shade, (0.35, 0.7, 0.95)[depth])
    c.fill(houses, [mix(tone, p.shade, 0.2), mix(tone, p.sky[-1], 0.25)])
    for some, colour in zip(panes, p.accents, strict=True):
        c.fill(some, [mix(colour, p.light, 0.35)], (0.35, 0.65, 0.9)[depth])


def waves(c: Canvas, _text: str) -> None:
    """Silk in the wind."""
    rng, p = c.rng, c.palette
    c.sky(c.unit * rng.uniform(0.07, 0.13))
    tones = [*p.accents, p.sky[1], p.sky[0], p.shade]
    for i in range(9):
        tone = mix(tones[i * 5 // 9], tones[i * 5 // 9 + 1], i * 5 / 9 % 1)
        low, high = rolling_line(rng), rolling_line(rng)
        level, swing = c.h * (0.38 + 0.07 * i), c.unit * (0.12 - 0.006 * i)
        c.fill([c.ground(low, level, swing)], [mix(tone, p.light, 0.35), mix(tone, p.shade, 0.3)], 0.85)
        between = [[a + (b - a) * k / 13 for a, b in zip(low, high, strict=True)] for k in range(14)]
        lines = [c.ground(heights, level, swing)[:-2] for heights in between]
        strands = [[*line, *((x, y + c.unit * 0.0016) for x, y in line[::-1])] for line in lines]
        c.fill(strands, [p.light, tone, p.light], 0.3, across=True)


def lathe(c: Canvas, x: float, foot: float, tall: float, profile: Shape, tone: Colour) -> None:
    """A turned body lit from the left: its radii and heights (shares of `tall`) from the foot up."""
    right = [(x + radius * tall, foot - height * tall) for radius, height in profile]
    left = [(2 * x - a, b) for a, b in right[::-1]]
    (low, base), (top, rim) = ((a - x, b) for a, b in (right[0], right[-1]))
    bottom, lid = oval(x, base, low, low * 0.2, start=0.5, end=0), oval(x, rim, top, top * 0.2)
    levels = -0.7, -0.25, 0.4, 0, -0.35, -0.65, -0.8, -0.3
    shine = [mix(tone, DARK if level < 0 else WHITE, abs(level)) for level in levels]
    c.fill([[*bottom, *right, *left]], shine, across=True)
    c.fill([lid], [mix(tone, DARK, 0.2), mix(tone, WHITE, 0.25)])


def product(c: Canvas, text: str) -> None:
    """A studio: one lit thing on a round stage."""
    rng, p = c.rng, c.palette
    named = [word for word in re.findall("[a-z]+", text) if word in ImageColor.colormap]
    tone = mix(ImageColor.getrgb(named[0])[:3], (120, 116, 110), 0.5) if named else rng.choice(p.accents)
    wall = mix(rng.choice((tone, p.sky[2], p.sky[1])), DARK, 0.6)
    c.backdrop([mix(wall, DARK, 0.75), mix(wall, DARK, 0.3), wall, mix(wall, DARK, 0.25)])
    x, foot, tall = c.w * 0.5, c.h * 0.76, min(c.h * 0.56, c.w * 0.8)
    c.glow(x, foot - tall * 0.55, tall * 1.25, mix(wall, (255, 240, 220), 0.5), 0.8)
    c.rays(c.w * rng.uniform(0.1, 0.3), -c.h * 0.25, 7, 0.5)
    lathe(c, x, foot + tall * 0.2, tall, [(0.55, 0), (0.55, 0.16)], mix(wall, DARK, 0.15))
    c.glow(x + tall * 0.1, foot + tall * 0.02, tall * 0.5, DARK, 0.9, 0.25)
    for profile, colour in BOTTLE if count("bottle perfume wine", text) else MUG:
        lathe(c, x, foot, tall, profile, colour or tone)


MUG: Final[tuple[tuple[Shape, Colour | None], ...]] = (
    ([(0.2, 0), (0.208, 0.02), (0.25, 0.7)], None),
    ([(0.255, 0.7), (0.257, 0.73)], (170, 172, 176)),
    ([(0.26, 0.73), (0.265, 0.76), (0.26, 0.83), (0.23, 0.86)], (34, 36, 38)),
    ([(0.07, 0.86), (0.06, 0.89)], (54, 56, 58)),
)
BOTTLE: Final[tuple[tuple[Shape, Colour | None], ...]] = (
    ([(0.17, 0), (0.18, 0.03), (0.18, 0.52), (0.16, 0.6), (0.07, 0.7), (0.065, 0.8)], None),
    ([(0.08, 0.8), (0.08, 0.95)], (34, 36, 38)),
)
WOODS: Final = "forest tree wood woods jungle pine garden 森"
DUNES: Final = "desert dune sand sahara 砂漠"
SCENES: Final[tuple[tuple[Callable[[Canvas, str], None], str, str], ...]] = (
    (waves, "abstract wave", "joy dusk aurora lagoon rose"),
    (product, "product mug cup bottle perfume wine vase studio", "dawn rose sand"),
    (
        sea,
        "ocean sea shark fish whale underwater reef coral water swimming diving 海 サメ 魚 🦈 🌊",
        "abyss lagoon",
    ),
    (
        space,
        "space galaxy planet star nebula cosmos universe astronaut rocket 宇宙 星",
        "neon night aurora ember",
    ),
    (city, "city street skyline cyberpunk urban tokyo york building tower 都市 街", "neon dusk night"),
    (land, WOODS, "emerald dawn"),
    (land, DUNES, "sand dusk"),
    (land, "mountain peak alps valley hill landscape lake sunrise sunset 山", "dawn dusk frost"),
)
"""The kinds of picture: the words that ask for each and the moods it takes when the prompt names none."""
