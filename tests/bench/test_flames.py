"""The flame graph: boxes as wide as what was seen, each above what called it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from benchmarks.flames import COLOURS, WIDTH, Frame, draw

RUN, DECIDE, SEND = Frame("run", "store"), Frame("decide", "domain"), Frame("a < b", "nowhere")
STACKS = {(RUN, DECIDE): 60, (RUN, SEND): 30, (RUN,): 10, (DECIDE,): 100}


def boxes(svg: str) -> dict[str, list[ElementTree.Element]]:
    found: dict[str, list[ElementTree.Element]] = {}
    for group in ElementTree.fromstring(svg).iterfind(".//{*}g"):
        title, rect = group.find("{*}title"), group.find("{*}rect")
        assert title is not None
        assert rect is not None
        found.setdefault(str(title.text), []).append(rect)
    return found


def test_a_box_is_as_wide_as_its_function_was_seen_and_lies_above_its_caller():
    found = boxes(draw("All", STACKS))
    assert {name: len(each) for name, each in found.items()} == {
        "run: 50.0 %": 1, "decide: 30.0 %": 1, "a < b: 15.0 %": 1, "decide: 50.0 %": 1
    }  # fmt: skip
    (below,), (above,) = found["run: 50.0 %"], found["decide: 30.0 %"]
    assert float(below.get("width", "")) == WIDTH / 2
    assert float(above.get("y", "")) < float(below.get("y", ""))
    assert below.get("fill") == COLOURS["store"]


def test_what_nobody_could_see_is_left_out_and_no_stacks_are_no_boxes():
    assert "rare" not in draw("All", {(Frame("rare", "store"),): 1, (RUN,): 10_000})
    assert not boxes(draw("None", {}))


def test_the_picture_of_the_docs_is_one_of_these():
    with open("docs/images/exchange-flames.svg") as file:
        names = " ".join(boxes(file.read()))
    assert re.search(r"exchange: \d", names)
    assert re.search(r"transact: \d", names)
