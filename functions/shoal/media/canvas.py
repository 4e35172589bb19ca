"""A canvas to paint scenes on: palettes, gradients, lights, antialiased shapes, film grain.

Nothing here costs Python time per pixel: soft parts are made small and enlarged smoothly, hard edges are
polygons drawn oversized and reduced. Lengths are pixels. All chance comes from one generator and none of it
depends on the resolution, so a scene keeps its composition from 1k to 4k.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]
Point = tuple[float, float]
Shape = Sequence[Point]
Box = tuple[int, int, int, int]

SOFT_PX: Final = 256
"""Side of the small grey pictures that soft light and clouds are made of."""
GRAIN_BYTES: Final = 1_299_709
"""How much noise the grain repeats: a prime, so that repeats do not line up."""


class Palette(NamedTuple):
    """The colours of a mood (its sky from the zenith to the horizon) and the words that ask for it."""

    sky: tuple[Colour, ...]
    light: Colour
    shade: Colour
    accents: tuple[Colour, ...]
    words: str


def _palette(colours: str, words: str) -> Palette:
    """A palette from its hexadecimal colours: five of the sky, light, shade, three accents."""
    parts: list[Colour] = [
        (code >> 16, code >> 8 & 255, code & 255) for code in (int(c, 16) for c in colours.split())
    ]
    return Palette(tuple(parts[:5]), parts[5], parts[6], tuple(parts[7:]), words)


PALETTES: Final = {
    name: _palette(*line.split(" / "))
    for name, line in {
        "dawn": "27305c 5f5a94 c4869f f6b795 fde3b8 fff1d4 151a36 ff8c7a ffd18c 9a86e0 / dawn sunrise 朝",
        "dusk": "1a1440 4d2470 b13a72 f0674f ffb25e ffe6ac 150b2b ff5d73 ffb45c 9a5cff / dusk sunset 夕",
        "day": "2a74c4 5fa8e0 a6d3f2 e3f1f2 fbf3dc fffbe8 12344a ff8f5a 38b6c4 ffcb52 / day summer blue",
        "night": "040714 0a1330 182a58 34508c 6d86b8 f3f3ff 03050d ffc966 6fa8ff c58bff / night dark 夜",
        "neon": "0a0420 1c0c4e 4a1688 a31f93 ff4f9a ffc4ea 06030f ff2fa8 22e1ff 9d5bff / neon cyberpunk",
        "abyss": "01060f 031a38 06406f 1379a8 6fd6ea c9fbff 00040c 2fe6ff ff4fc3 8f7bff / deep abyss 深海",
        "lagoon": "032c4a 06577c 0f8fa8 4fc9c4 c9f5dc fffbe0 021a2c ffb35c ff7d7d fff08a / tropical teal",
        "emerald": "10302e 2c5c50 6c9c84 b4cfa6 f1f0cc fff8d2 051310 ffe08a 9ae07f 4fc0a4 / green emerald",
        "aurora": "050a1e 0a2540 11606b 2fb58a b4f2b0 e8fff0 030a14 54f5b0 8f7bff 3dc8ff / aurora magic",
        "ember": "14060c 431019 92242a dd5a32 ffb45c ffe4b0 0d0408 ff4d3d ff9b3d ffd45c / red fire lava",
        "sand": "3d5a80 8aa0ad e0c39a f4a95f f9d9a0 fff3d0 3a1a1c e0703a f2b05c 8a3b3b / golden warm orange",
        "rose": "4a2a5c 8f5a8c d995ac f6c4c4 fff0e4 fffaf2 2b1438 ff7fa5 ffc3a0 b78bff / pink rose love",
        "frost": "23406e 5a86b4 a3c5de dcebf4 fdfbf6 ffffff 14263f 7fb8ff bfe4ff ffd9b0 / winter snow ice 雪",
        "joy": "5b2be0 b83be0 ff5c9a ff9c5a ffe07a fff6cf 2a1168 ffd23f ff5d8f 3ddcc8 / joy happy party",
    }.items()
}


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour `share` (0 to 1) of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def clouds(rng: Random, across: int, down: int, octaves: int = 5) -> Image.Image:
    """A small grey picture of soft noise, `across` by `down` lumps at its coarsest."""
    sky = Image.new("L", (SOFT_PX, SOFT_PX))
    for octave in range(octaves):
        size = across << octave, down << octave
        grid = Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))
        sky = Image.blend(sky, grid.resize(sky.size, Image.Resampling.BICUBIC), 0.52**octave)
    return ImageOps.autocontrast(sky)


def bank(rng: Random) -> Image.Image:
    """A small grey picture of a bank of mist: ragged, fading upwards and downwards."""
    up = Image.linear_gradient("L")
    middle = ImageChops.multiply(up, ImageOps.invert(up)).point([min(255, value * 4) for value in range(256)])
    return ImageChops.multiply(middle, clouds(rng, 3, 1, 4))


def curve(grey: Image.Image, low: float, high: float, opacity: float) -> Image.Image:
    """The grey picture with levels up to `low` (0 to 1) at nothing and from `high` on at `opacity`."""
    shares = [min(1.0, max(0.0, (value / 255 - low) / (high - low))) for value in range(256)]
    return grey.point([round(255 * opacity * share * share * (3 - 2 * share)) for share in shares])


class Canvas:
    """A picture being painted."""

    def __init__(self, width_px: int, height_px: int, rng: Random, palette: Palette) -> None:
        """Start from black; `rng` is the only source of chance."""
        self.image = Image.new("RGB", (width_px, height_px))
        self.w, self.h, self.rng, self.palette = width_px, height_px, rng, palette
        self.unit = min(math.sqrt(width_px * height_px), 1.4 * min(width_px, height_px))
        """The length that sizes are shares of."""

    def backdrop(self, stops: Sequence[Colour]) -> None:
        """Cover everything with a downward gradient."""
        self.image.paste(_gradient(stops, self.image.size))

    def fill(
        self, shapes: Iterable[Shape], stops: Sequence[Colour], opacity: float = 1, *, across: bool = False
    ) -> None:
        """Paint the shapes, antialiased, in one colour or a gradient over their common box."""
        outlines = list(shapes)
        box = self._box(outlines)
        if box is None:
            return
        mask = _mask(outlines, box).point([round(value * opacity) for value in range(256)])
        paint = stops[0] if len(stops) == 1 else _gradient(stops, mask.size, across=across)
        self.image.paste(paint, box, mask)

    def veil(
        self, grey: Image.Image, colour: Colour, box: Box | None = None, clip: Sequence[Shape] = ()
    ) -> None:
        """Lay a colour over a box as thickly as the small grey picture is bright; only inside any `clip`."""
        left, top, right, bottom = box or (0, 0, self.w, self.h)
        size = max(1, right - left), max(1, bottom - top)
        area = left, top, left + size[0], top + size[1]
        mask = grey.resize(size, Image.Resampling.BICUBIC)
        self.image.paste(colour, area, ImageChops.multiply(mask, _mask(clip, area)) if clip else mask)

    def glow(
        self, x: float, y: float, radius: float, colour: Colour, opacity: float, squash: float = 1
    ) -> None:
        """A round light that fades to nothing at its radius; `squash` flattens it."""
        fade = [round(255 * opacity * max(0.0, (180 - value) / 180) ** 2.2) for value in range(256)]
        reach = radius * squash
        box = int(x - radius), int(y - reach), int(x + radius), int(y + reach)
        self.veil(Image.radial_gradient("L").point(fade), colour, box)

    def rays(self, x: float, y: float, count: int, opacity: float) -> None:
        """Shafts of light that fan downwards from a point, weaker the deeper they reach."""
        light, sx, sy = Image.new("L", (SOFT_PX, SOFT_PX)), x / self.w * SOFT_PX, y / self.h * SOFT_PX
        for angle in (self.rng.uniform(-0.75, 0.75) for _ in range(count)):
            width, reach = self.rng.uniform(0.012, 0.06), SOFT_PX * self.rng.uniform(0.7, 1.5)
            turns = angle - width, angle + width
            ends = [(sx + reach * math.sin(turn), sy + reach * math.cos(turn)) for turn in turns]
            shaft = Image.new("L", light.size)
            ImageDraw.Draw(shaft).polygon([(sx, sy), *ends], fill=self.rng.randint(60, 150))
            light = ImageChops.add(light, shaft)
        depth = ImageOps.invert(Image.linear_gradient("L"))
        soft = ImageChops.multiply(light.filter(ImageFilter.GaussianBlur(4)), depth)
        self.veil(curve(soft, 0, 1, opacity), self.palette.light)

    def mirror(self, waterline: int, depth: float) -> None:
        """Smear what is above the waterline (pixels from the top) into the water, `depth` (0 to 1) dark."""
        tall = self.h - waterline
        part = self.image.crop((0, max(0, waterline - 2 * tall), self.w, waterline))
        part = part.resize((SOFT_PX, 24), Image.Resampling.BOX).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        part = Image.blend(part, Image.new("RGB", part.size, self.palette.shade), depth)
        self.image.paste(part.resize((self.w, tall), Image.Resampling.BICUBIC), (0, waterline))

    def sparks(self, count: int, top: float, bottom: float, size: float, colours: Sequence[Colour]) -> None:
        """Points of light (stars, plankton, fireflies) between two heights; the largest of them glow."""
        rng, w = self.rng, self.w
        spots = [
            (size * rng.uniform(0.25, 1) ** 2.5, w * rng.random(), rng.uniform(top, bottom))
            for _ in range(count)
        ]
        for part in range(6):
            dots = [oval(x, y, max(0.4, r), max(0.4, r))[::6] for r, x, y in spots[part::6]]
            self.fill(dots, [colours[part % len(colours)]], (0.95, 0.6, 0.35)[part // 2])
        for r, x, y in sorted(spots, reverse=True)[: count // 14]:
            self.glow(x, y, r * 9, rng.choice(colours), 0.55)

    def sky(self, radius: float) -> None:
        """The palette's sky with a cloud or two, stars if it is dark, and a sun or moon of a radius."""
        p, rng = self.palette, self.rng
        self.backdrop([*p.sky, p.sky[-1], p.sky[-2]])
        if sum(p.sky[0]) < 150:
            self.sparks(180, 0, self.h * 0.45, self.unit * 0.002, [p.light])
        self.veil(curve(clouds(rng, 2, 6), 0.5, 1, 0.4), mix(p.sky[-2], p.light, 0.5))
        x, y = self.w * rng.uniform(0.22, 0.78), self.h * rng.uniform(0.24, 0.38)
        self.glow(x, y, radius * 9, p.sky[-1], 0.5)
        self.glow(x, y, radius * 4, p.light, 0.65)
        self.fill([oval(x, y, radius, radius)], [p.light, mix(p.light, p.sky[-1], 0.45)])

    def ground(self, heights: Sequence[float], level: float, swing: float) -> list[Point]:
        """Everything below a line of heights around a level; the last two points are the canvas's corners."""
        step, corners = self.w / (len(heights) - 1), [(float(self.w), float(self.h)), (0.0, float(self.h))]
        return [(i * step, level - height * swing) for i, height in enumerate(heights)] + corners

    def finish(self) -> None:
        """Darken the corners and add the film grain that hides the steps of 8-bit gradients."""
        self.veil(curve(Image.radial_gradient("L"), 0.4, 1.0, 0.4), (0, 0, 0))
        area_px = self.w * self.h
        noise = self.rng.randbytes(GRAIN_BYTES) * (area_px // GRAIN_BYTES + 1)
        grain = Image.frombytes("L", self.image.size, noise[:area_px]).point([v * 5 >> 8 for v in range(256)])
        self.image = ImageChops.add(self.image, Image.merge("RGB", (grain, grain, grain)), 1, -2)

    def _box(self, shapes: Sequence[Shape]) -> Box | None:
        """The part of the canvas the shapes touch; None when they touch none of it."""
        xs = [x for shape in shapes for x, _ in shape] or [-1]
        ys = [y for shape in shapes for _, y in shape] or [-1]
        left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        right, bottom = min(self.w, math.ceil(max(xs)) + 1), min(self.h, math.ceil(max(ys)) + 1)
        return (left, top, right, bottom) if left < right and top < bottom else None


def _gradient(stops: Sequence[Colour], size: tuple[int, int], *, across: bool = False) -> Image.Image:
    """A picture that runs smoothly through the stops, downwards or across."""
    line = Image.frombytes("RGB", (1, len(stops)), bytes(part for stop in stops for part in stop))
    line = line.resize((1, SOFT_PX), Image.Resampling.BICUBIC)
    line = line.transpose(Image.Transpose.TRANSPOSE) if across else line
    return line.resize(size, Image.Resampling.BILINEAR)


def _mask(shapes: Sequence[Shape], box: Box) -> Image.Image:
    """The shapes' antialiased coverage of the box; larger boxes are oversampled less, to bound memory."""
    left, top, right, bottom = box
    area_px = (right - left) * (bottom - top)
    zoom = 4 if area_px <= 1_500_000 else 2 if area_px <= 20_000_000 else 1
    mask = Image.new("L", ((right - left) * zoom, (bottom - top) * zoom))
    pen = ImageDraw.Draw(mask)
    for shape in shapes:
        pen.polygon([((x - left) * zoom, (y - top) * zoom) for x, y in shape], fill=255)
    return mask.reduce(zoom)


def oval(x: float, y: float, across: float, down: float, *, start: float = 0, end: float = 1) -> list[Point]:
    """An ellipse by its radii, or the arc of it between two shares of a turn (from the right, clockwise)."""
    angles = [2 * math.pi * (start + (end - start) * i / 72) for i in range(73)]
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


def ribbon(spine: Shape, width: float) -> list[Point]:
    """A band along a spine, `width` wide at its start and narrowing to a point at its end."""
    sides: tuple[list[Point], list[Point]] = ([], [])
    for i, (x, y) in enumerate(spine):
        (ax, ay), (bx, by) = spine[max(0, i - 1)], spine[min(len(spine) - 1, i + 1)]
        half = width / 2 * (1 - i / (len(spine) - 1)) / (math.hypot(bx - ax, by - ay) or 1)
        for side, sign in zip(sides, (1, -1), strict=True):
            side.append((x - sign * (by - ay) * half, y + sign * (bx - ax) * half))
    return sides[0] + sides[1][::-1]


def block(x: float, y: float, across: float, down: float) -> list[Point]:
    """A rectangle by its top left corner."""
    return [(x, y), (x + across, y), (x + across, y + down), (x, y + down)]


def pine(rng: Random, x: float, foot: float, tall: float) -> list[Point]:
    """A fir of a height: ragged tiers that widen downwards."""
    tiers, broad, trunk = rng.randint(7, 10), tall * rng.uniform(0.17, 0.24), tall * 0.016
    sides: tuple[list[Point], list[Point]] = ([], [])
    for i in range(1, tiers + 1):
        level = foot - tall * (1 - i / tiers * 0.93)
        for side, sign in zip(sides, (1, -1), strict=True):
            reach = sign * broad * (i / tiers) ** 0.9 * rng.uniform(0.75, 1.15)
            side += [(x + reach, level + tall * 0.02), (x + reach * 0.45, level - tall * 0.012)]
    return [(x, foot - tall), *sides[0], (x + trunk, foot), (x - trunk, foot), *sides[1][::-1]]


def _outline(corners: str) -> list[Point]:
    """An outline of length 1, snout first, from `x,y` pairs in thousandths: their corners cut three times."""
    points = [(int(x) / 1000, int(y) / 1000) for x, y in (pair.split(",") for pair in corners.split())]
    for _ in range(3):  # Chaikin's algorithm; a point given twice stays a corner
        sides = list(pairwise([*points, points[0]]))
        points = [(a + (p - a) * t, b + (q - b) * t) for (a, b), (p, q) in sides for t in (0.25, 0.75)]
    return points


SHARK: Final = _outline(
    "0,12 0,12 50,-30 150,-66 270,-92 370,-100 400,-105 430,-150 475,-235 490,-242 487,-200 497,-95 "
    "500,-93 600,-75 725,-46 735,-47 775,-82 778,-78 772,-36 860,-21 895,-30 940,-110 1000,-220 1000,-220 "
    "985,-110 945,-4 955,45 985,118 980,118 930,70 890,22 850,20 800,32 800,66 795,66 755,42 660,60 "
    "640,108 632,110 585,72 460,88 385,90 410,150 460,235 452,238 380,190 290,88 200,82 110,68 50,46 15,34"
)
FISH: Final = _outline(
    "0,10 60,-60 200,-140 330,-175 400,-250 560,-215 600,-130 720,-65 800,-40 900,-130 1000,-190 1000,-190 "
    "945,0 1000,190 1000,190 900,120 800,45 680,90 590,140 540,215 450,235 430,165 300,150 120,95"
)


def ridge(rng: Random) -> list[float]:
    """Heights (about -1 to 1) of a mountain line, by midpoint displacement."""
    line, spread = [rng.uniform(-0.8, 0.8) for _ in range(4)], 0.6
    for _ in range(8):
        middles = [(a + b) / 2 + rng.uniform(-spread, spread) for a, b in pairwise(line)]
        line = [height for pair in zip(line, middles, strict=False) for height in pair] + line[-1:]
        spread *= 0.5
    return line


def rolling_line(rng: Random) -> list[float]:
    """Heights (about -1 to 1) of a soft line: a few sines."""
    parts = [(rng.uniform(0.5, 1.6) * (k + 1), rng.uniform(0, 7), 1 / (k + 1.2)) for k in range(4)]
    return [sum(a * math.sin(f * math.pi * i / 160 + p) for f, p, a in parts) / 1.6 for i in range(161)]
