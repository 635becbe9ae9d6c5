"""The checker itself: it accepts what could have happened, and refuses what could not."""

from __future__ import annotations

import math
import random

import pytest

from tests.state.histories import UNKNOWN, Call, is_linearizable, lease_model, register_model

OUT, IN = ("check_out", "a"), ("check_in", "a")
OUT_B = ("check_out", "b")

POSSIBLE = {
    "nothing": [],
    "one after the other": [Call(0, 1, OUT, True), Call(2, 3, IN, True), Call(4, 5, OUT_B, True)],
    "refused while held": [Call(0, 1, OUT, True), Call(2, 3, OUT_B, "a")],
    "at the same time, one wins": [Call(0, 9, OUT, True), Call(0, 9, OUT_B, "a")],
    "an answer that was lost": [Call(0, math.inf, OUT, UNKNOWN), Call(2, 3, OUT_B, "a")],
    "one that never happened": [Call(0, math.inf, OUT, UNKNOWN), Call(2, 3, OUT_B, True)],
    "check-in and check-out overlap": [
        Call(0, 1, OUT, True), Call(2, 6, IN, True), Call(3, 5, OUT_B, True),
    ],
}  # fmt: skip
IMPOSSIBLE = {
    "two hold it": [Call(0, 1, OUT, True), Call(2, 3, OUT_B, True)],
    "at the same time, both win": [Call(0, 9, OUT, True), Call(0, 9, OUT_B, True)],
    "refused by nobody": [Call(0, 1, OUT_B, "a")],
    "refused after the check-in": [
        Call(0, 1, OUT, True), Call(2, 3, IN, True), Call(4, 5, OUT_B, "a"),
    ],
    "given before it was given back": [
        Call(0, 1, OUT, True), Call(2, 3, OUT_B, True), Call(4, 5, IN, True),
    ],
    "a check-in of what nobody held": [Call(0, 1, IN, True)],
}  # fmt: skip


@pytest.mark.parametrize("name", POSSIBLE)
def test_a_possible_history_is_accepted(name):
    assert is_linearizable(POSSIBLE[name], lease_model, None)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_history_is_refused(name):
    assert not is_linearizable(IMPOSSIBLE[name], lease_model, None)


def test_lost_updates_of_a_register_are_refused():
    both = [Call(0, 5, ("cas", 0, 1), True), Call(1, 4, ("cas", 0, 2), True)]
    assert not is_linearizable(both, register_model, 0)
    one = [Call(0, 5, ("cas", 0, 1), True), Call(1, 4, ("cas", 0, 2), False)]
    assert is_linearizable([*one, Call(6, 7, ("read",), 1)], register_model, 0)
    assert not is_linearizable([*one, Call(6, 7, ("read",), 0)], register_model, 0)


def test_real_histories_with_one_answer_altered_are_refused():
    """Histories made by a correct register, then damaged in one place."""
    damaged_found = 0
    for seed in range(60):
        chance, state, history, at = random.Random(seed), 0, [], 0.0
        for _ in range(30):
            asked = (
                ("read",)
                if chance.random() < 0.5
                else ("cas", chance.randrange(3), chance.randrange(3))
            )
            state, answer = register_model(state, asked)
            history.append(Call(at - chance.random(), at + chance.random() * 0.4, asked, answer))
            at += 1
        assert is_linearizable(history, register_model, 0)
        i = next(i for i, call in enumerate(history) if call.asked == ("read",))
        history[i] = history[i]._replace(answer=9)
        damaged_found += not is_linearizable(history, register_model, 0)
    assert damaged_found == 60
