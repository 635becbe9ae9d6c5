"""Draws a lifecycle as SVG: a box for a state, an arrow for a move, a frame for shared moves."""

from __future__ import annotations

from html import escape
from math import hypot

import msgspec

COLUMN, ROW, WIDTH, HEIGHT = 150, 100, 118, 40
"""Distances and sizes of boxes, in pixels."""
MARGIN = 46
Point = tuple[float, float]
Move = tuple[str, str]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """States that all have the same moves to others, drawn once for all of them."""

    states: tuple[str, ...]
    leads_to: dict[str, str] = {}
    """States that each of them may move to, with what is said at the arrow."""
    comes_from: dict[str, str] = {}
    """States that may move to each of them, with what is said at the arrow."""
    says: str = ""
    is_open: bool = False
    """Whether each of them may also move to each of them, and to itself."""

    def moves(self) -> set[Move]:
        """All that it stands for."""
        out = {(state, to) for state in self.states for to in self.leads_to}
        into = {(origin, state) for state in self.states for origin in self.comes_from}
        inside = {(one, other) for one in self.states for other in self.states}
        return out | into | (inside if self.is_open else set())


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Where the states of one lifecycle stand, and what is said at its arrows."""

    title: str
    places: dict[str, Point]
    """Column and row of each state."""
    moves: set[Move]
    says: dict[Move, str] = {}
    frames: tuple[Frame, ...] = ()

    def drawn(self) -> set[Move]:
        """The moves that get an arrow of their own."""
        framed = set().union(*(frame.moves() for frame in self.frames))
        return self.moves - framed


def draw(picture: Picture) -> str:
    """The picture as an SVG document."""
    last_column = max(column for column, _ in picture.places.values())
    last_row = max(row for _, row in picture.places.values())
    width, height = 2 * MARGIN + last_column * COLUMN + WIDTH, 2 * MARGIN + last_row * ROW + HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(picture.title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="#456"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#fff"/>',
        *(_frame(picture, frame) for frame in picture.frames),
        *(_arrow(picture, move) for move in sorted(picture.drawn())),
        *(_box(name, place) for name, place in picture.places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _centre(place: Point) -> Point:
    column, row = place
    return MARGIN + column * COLUMN + WIDTH / 2, MARGIN + row * ROW + HEIGHT / 2


def _box(name: str, place: Point) -> str:
    x, y = _centre(place)
    return (
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" '
        f'rx="10" fill="#eef5ee" stroke="#2e6b3a"/>{_text(x, y + 4, name, "#123")}'
    )


def _text(x: float, y: float, words: str, colour: str) -> str:
    around = 'paint-order="stroke" stroke="#fff" stroke-width="4"' if colour != "#123" else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="{colour}" {around}>'
        f"{escape(words)}</text>"
    )


def _frame(picture: Picture, frame: Frame) -> str:
    left, top, right, bottom = _outline(picture, frame)
    inner = (
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" '
        f'rx="14" fill="#f6f8fb" stroke="#89a" stroke-dasharray="5 4"/>'
    )
    words = _text((left + right) / 2, top - 6, frame.says, "#456") if frame.says else ""
    arrows = [_between(picture, frame, name, text, outward=True)
              for name, text in frame.leads_to.items()]  # fmt: skip
    arrows += [_between(picture, frame, name, text, outward=False)
               for name, text in frame.comes_from.items()]  # fmt: skip
    return inner + words + "".join(arrows)


def _outline(picture: Picture, frame: Frame) -> tuple[float, float, float, float]:
    centres = [_centre(picture.places[name]) for name in frame.states]
    across, down = [x for x, _ in centres], [y for _, y in centres]
    return (min(across) - WIDTH / 2 - 14, min(down) - HEIGHT / 2 - 14,
            max(across) + WIDTH / 2 + 14, max(down) + HEIGHT / 2 + 14)  # fmt: skip


def _between(picture: Picture, frame: Frame, name: str, words: str, *, outward: bool) -> str:
    """A straight arrow between a frame and a state below or beside it."""
    left, _, right, bottom = _outline(picture, frame)
    x, y = _centre(picture.places[name])
    aside = 14 if outward else -14
    if left < x < right:
        ends = ((x + aside, bottom), (x + aside, y - HEIGHT / 2))
    else:
        ends = ((left, y + aside), (x + WIDTH / 2, y + aside))
    begin, end = ends if outward else ends[::-1]
    return _path(f"M{begin[0]:g} {begin[1]:g} L{end[0]:g} {end[1]:g}") + _text(
        (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2 + (18 if outward else -8), words, "#456"
    )


def _arrow(picture: Picture, move: Move) -> str:
    if move[0] == move[1]:
        return _loop(_centre(picture.places[move[0]]))
    begin, end = (_centre(picture.places[name]) for name in move)
    bent = _bend(begin, end, _bow(picture, move))
    first, last = _edge(begin, bent), _edge(end, bent)
    middle = [(first[i] + 2 * bent[i] + last[i]) / 4 for i in (0, 1)]
    way = f"M{first[0]:g} {first[1]:g} Q{bent[0]:g} {bent[1]:g} {last[0]:g} {last[1]:g}"
    words = picture.says.get(move, "")
    return _path(way) + (_text(middle[0], middle[1] + 4, words, "#456") if words else "")


def _bow(picture: Picture, move: Move) -> float:
    """How far an arrow keeps off the straight line: its counterpart, or boxes, lie there."""
    (left, top), (right, bottom) = (picture.places[name] for name in move)
    if top == bottom and abs(left - right) > 1.7:
        return 35.0 * abs(left - right)
    return 26.0 if move[::-1] in picture.drawn() else 0.0


def _bend(begin: Point, end: Point, bow: float) -> Point:
    """The point that an arrow is drawn towards, to the left of its way."""
    along, down = end[0] - begin[0], end[1] - begin[1]
    length = hypot(along, down)
    x = (begin[0] + end[0]) / 2 + down / length * bow
    y = (begin[1] + end[1]) / 2 - along / length * bow
    return round(x, 1), round(y, 1)


def _edge(centre: Point, towards: Point) -> Point:
    """Where a line from the middle of a box leaves it."""
    across, down = towards[0] - centre[0], towards[1] - centre[1]
    share = min(WIDTH / 2 / abs(across) if across else 9e9, HEIGHT / 2 / abs(down) if down else 9e9)
    return round(centre[0] + across * share, 1), round(centre[1] + down * share, 1)


def _loop(centre: Point) -> str:
    x, y = centre[0], centre[1] - HEIGHT / 2
    return _path(f"M{x - 16:g} {y:g} C{x - 26:g} {y - 34:g} {x + 26:g} {y - 34:g} {x + 16:g} {y:g}")


def _path(way: str) -> str:
    return f'<path d="{way}" fill="none" stroke="#456" stroke-width="1.4" marker-end="url(#tip)"/>'
