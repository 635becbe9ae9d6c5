"""The pictures of the lifecycles are those that the tables of moves give."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from documentation.drawing import draw
from documentation.pictures import FOLDER, PICTURES, path_of

every_picture = pytest.mark.parametrize("name", PICTURES)


@every_picture
def test_a_picture_is_drawn_from_the_table_of_today(name: str):
    mend = "make it anew: python -m documentation.pictures"
    assert path_of(name).read_text("utf-8") == draw(PICTURES[name]), mend


@every_picture
def test_a_picture_shows_every_move_and_no_other(name: str):
    picture = PICTURES[name]
    framed = set().union(*(frame.moves() for frame in picture.frames))
    assert framed <= picture.moves
    assert picture.drawn() | framed == picture.moves
    arrows = len(picture.drawn()) + sum(
        len(frame.leads_to) + len(frame.comes_from) for frame in picture.frames
    )
    assert draw(picture).count('marker-end="url(#tip)"') == arrows


@every_picture
def test_a_picture_has_a_box_for_each_state_and_says_nothing_of_moves_there_are_not(name: str):
    picture = PICTURES[name]
    assert {state for move in picture.moves for state in move} == set(picture.places)
    assert set(picture.says) <= picture.drawn()
    texts = {node.text for node in ElementTree.fromstring(draw(picture)).iter() if node.text}
    assert set(picture.places) <= texts


def test_every_picture_is_on_the_page():
    page = (FOLDER.parent / "lifecycle.md").read_text("utf-8")
    assert [name for name in PICTURES if f"](images/lifecycle-{name}.svg)" not in page] == []
