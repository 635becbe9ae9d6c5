"""What every store promises, whoever drives it: one suite over all of them."""

from __future__ import annotations

import math
import time

import pytest

from statecore.store import ops
from statecore.store.errors import BadCursor, CrossPartition, StoreError, WrongType
from statecore.store.steps import commit, now, read, scan_index, tail, take, take_with

A, B = ops.Key("a"), ops.Key("b")
F = ops.Field("h", "f")
SIZE = ops.Size("h")
EVERYTHING = (
    ops.Set("string", b"s"),
    ops.HashSet("hash", {"f": b"1"}),
    ops.SetAdd("set", ("m",)),
    ops.SortedAdd("zset", {"m": 1.0}),
    ops.Append("stream", (b"e",), 100),
)
BINARY = bytes(range(256)) * 3


def wait_until_gone(run, ref, seconds=5.0):
    stop = time.monotonic() + seconds
    while run(read(ref)) != [None]:
        assert time.monotonic() < stop, f"{ref} is still there"
        time.sleep(0.005)


class TestReads:
    def test_what_was_never_written_reads_as_nothing(self, run):
        collections = (ops.Members("s"), ops.Count("z"), ops.Score("z", "m"))
        assert run(read(A, F, ops.WholeHash("h"), SIZE, *collections)) == [
            None, None, {}, b"0", frozenset(), 0, None
        ]  # fmt: skip

    def test_everything_reads_back_in_the_order_asked(self, run):
        run(commit({}, *EVERYTHING))
        refs = (
            ops.Score("zset", "m"),
            ops.Members("set"),
            ops.Key("string"),
            ops.Key("string"),
            ops.WholeHash("hash"),
            ops.Field("hash", "f"),
            ops.Size("hash"),
            ops.Count("zset"),
        )
        expected = [1.0, frozenset({"m"}), b"s", b"s", {"f": b"1"}, b"1", b"1", 1]
        assert run(read(*refs)) == expected

    def test_a_read_of_nothing_answers_nothing(self, run):
        assert run(read()) == []

    def test_names_may_hold_any_character_and_values_any_byte(self, run):
        name = "naïve\0 {x} 日本語 \N{PILE OF POO} \n'\""
        run(commit({}, ops.HashSet(name, {name: BINARY}), ops.SetAdd("s", (name,))))
        assert run(read(ops.WholeHash(name), ops.Members("s"))) == [
            {name: BINARY},
            frozenset({name}),
        ]

    def test_half_a_character_is_refused(self, run):
        with pytest.raises(StoreError, match="half a character"):
            run(commit({}, ops.SortedAdd("z", {"\ud800": 1.0})))

    @pytest.mark.parametrize(
        "ref",
        [
            ops.Key("hash"),
            ops.Field("string", "f"),
            ops.Size("stream"),
            ops.WholeHash("set"),
            ops.Members("zset"),
            ops.Count("stream"),
            ops.Score("hash", "m"),
        ],
    )
    def test_a_key_of_another_type_is_refused(self, run, ref):
        run(commit({}, *EVERYTHING))
        with pytest.raises(WrongType):
            run(read(ref))

    def test_counts_include_both_bounds(self, run):
        scores = {"a": -math.inf, "b": 1.0, "c": 1.0, "d": 2.5, "e": math.inf}
        run(commit({}, ops.SortedAdd("z", scores)))
        counts = (ops.Count("z"), ops.Count("z", 1, 2.5), ops.Count("z", high=1), ops.Count("z", 3))
        assert run(read(*counts)) == [5, 3, 3, 1]


class TestCommits:
    def test_a_commit_without_expectations_writes_everything(self, run):
        assert run(commit({}, ops.Set("a", b"1"), ops.Set("b", b"2"))) == ops.Committed()
        assert run(read(A, B)) == [b"1", b"2"]

    def test_expected_bytes_are_compared_exactly(self, run):
        run(commit({}, ops.Set("a", BINARY), ops.HashSet("h", {"f": BINARY})))
        assert run(commit({A: BINARY, F: BINARY}, ops.Set("a", b"new"))) == ops.Committed()
        run(commit({}, ops.Set("a", b"x\0y")))
        assert run(commit({A: b"x\0z"}, ops.Set("a", b"no"))) == ops.Conflict({A: b"x\0y"})

    def test_a_conflict_answers_all_expected_cells_and_writes_nothing(self, run):
        run(commit({}, ops.Set("a", b"1"), ops.HashSet("h", {"f": b"2"})))
        reply = run(
            commit({A: b"1", F: b"other", B: None}, ops.Set("a", b"no"), ops.Delete(("h",)))
        )
        assert reply == ops.Conflict({A: b"1", F: b"2", B: None})
        assert run(read(A, F, B)) == [b"1", b"2", None]

    def test_absence_can_be_expected(self, run):
        assert run(commit({A: None, F: None}, ops.Set("a", b""))) == ops.Committed()
        assert run(commit({A: None}, ops.Set("a", b"no"))) == ops.Conflict({A: b""})
        assert run(commit({A: b"", F: b""}, ops.Set("a", b"no"))) == ops.Conflict({A: b"", F: None})

    def test_the_size_of_a_hash_can_be_expected(self, run):
        assert run(commit({SIZE: b"0"}, ops.HashSet("h", {"f": b"1"}))) == ops.Committed()
        fields = {f"f{n}": b"%d" % n for n in range(11)}
        assert run(commit({SIZE: b"1", F: b"1"}, ops.HashSet("h", fields))) == ops.Committed()
        assert run(commit({SIZE: b"12"}, ops.HashDelete("h", ("f",)))) == ops.Committed()
        assert run(read(SIZE, ops.Size("absent"))) == [b"11", b"0"]

    @pytest.mark.parametrize("wrong", [b"3", b"0", b"", b"02", b"2.0", None])
    def test_a_hash_of_another_size_is_a_conflict_that_tells_the_size(self, run, wrong):
        run(commit({}, ops.HashSet("h", {"f": b"1", "g": b"2"})))
        reply = run(commit({F: b"1", SIZE: wrong}, ops.Delete(("h",))))
        assert reply == ops.Conflict({F: b"1", SIZE: b"2"})
        assert run(read(SIZE)) == [b"2"]

    def test_a_field_that_somebody_adds_contradicts_whoever_read_the_whole_hash(self, run):
        run(commit({}, ops.HashSet("h", {"f": b"1"})))
        whole = {SIZE: b"1", F: b"1"}
        run(commit({}, ops.HashSet("h", {"late": b"2"})))
        assert run(commit(whole, ops.Delete(("h",)))) == ops.Conflict({SIZE: b"2", F: b"1"})

    def test_a_commit_may_expect_and_write_nothing(self, run):
        assert run(commit({})) == ops.Committed()

    def test_each_collection_takes_and_drops_members(self, run):
        run(commit({}, *EVERYTHING))
        run(
            commit(
                {},
                ops.HashSet("hash", {"g": b"2"}),
                ops.HashDelete("hash", ("f", "absent")),
                ops.SetAdd("set", ("n", "n")),
                ops.SetRemove("set", ("m", "absent")),
                ops.SortedAdd("zset", {"m": 5.0, "n": 0.5}),
                ops.SortedRemove("zset", ("absent",)),
                ops.Delete(("string", "absent")),
            )
        )
        refs = (ops.WholeHash("hash"), ops.Members("set"), ops.Score("zset", "m"))
        assert run(read(*refs, ops.Key("string"))) == [{"g": b"2"}, frozenset({"n"}), 5.0, None]

    def test_empty_collections_vanish_and_their_keys_may_change_type(self, run):
        run(commit({}, *EVERYTHING))
        run(commit({}, ops.HashDelete("hash", ("f",)), ops.SetRemove("set", ("m",))))
        run(commit({}, ops.SetAdd("hash", ("m",)), ops.HashSet("set", {"f": b"1"})))
        assert run(read(ops.Members("hash"), ops.WholeHash("set"))) == [{"m"}, {"f": b"1"}]

    def test_writes_of_nothing_change_nothing(self, run):
        nothing = (
            ops.HashSet("hash", {}),
            ops.HashDelete("hash", ()),
            ops.SetAdd("set", ()),
            ops.SetRemove("set", ()),
            ops.SortedAdd("zset", {}),
            ops.SortedAddFromNow("zset", {}),
            ops.SortedRemove("zset", ()),
            ops.Delete(()),
        )
        assert run(commit({}, *nothing)) == ops.Committed()
        assert run(read(ops.WholeHash("hash"), ops.Members("set"), ops.Count("zset"))) == [
            {},
            frozenset(),
            0,
        ]

    def test_writes_happen_in_their_order(self, run):
        run(commit({}, ops.Set("a", b"1"), ops.Delete(("a",)), ops.HashSet("a", {"f": b"2"})))
        assert run(read(ops.WholeHash("a"))) == [{"f": b"2"}]

    @pytest.mark.parametrize(
        "wrong",
        [
            ops.HashSet("string", {"f": b"1"}),
            ops.HashDelete("string", ("f",)),
            ops.SetAdd("hash", ("m",)),
            ops.SetRemove("hash", ("m",)),
            ops.SortedAdd("set", {"m": 1.0}),
            ops.SortedAddFromNow("set", {"m": 1}),
            ops.SortedRemove("set", ("m",)),
            ops.Append("zset", (b"e",), 10),
        ],
    )
    def test_a_write_to_a_key_of_another_type_writes_nothing_at_all(self, run, wrong):
        run(commit({}, *EVERYTHING))
        with pytest.raises(WrongType):
            run(commit({}, ops.Set("a", b"1"), wrong))
        assert run(read(A)) == [None]

    def test_an_expectation_of_another_type_is_refused(self, run):
        run(commit({}, *EVERYTHING))
        with pytest.raises(WrongType):
            run(commit({ops.Key("hash"): None}, ops.Set("a", b"1")))
        with pytest.raises(WrongType):
            run(commit({ops.Field("string", "f"): None}, ops.Set("a", b"1")))
        with pytest.raises(WrongType):
            run(commit({ops.Size("set"): b"1"}, ops.Set("a", b"1")))
        assert run(read(A)) == [None]

    def test_one_key_cannot_be_two_types_in_one_commit(self, run):
        with pytest.raises(WrongType):
            run(commit({}, ops.SetAdd("a", ("m",)), ops.SortedAdd("a", {"m": 1.0})))

    def test_thousands_of_writes_fit_into_one_commit(self, run):
        fields = {f"f{n:05}": b"%d" % n for n in range(9_001)}
        scores = {name: float(n) for n, name in enumerate(fields)}
        delays = {name: n for n, name in enumerate(fields)}
        names = tuple(fields)
        run(
            commit(
                {},
                ops.HashSet("h", fields),
                ops.SortedAdd("z", scores),
                ops.SortedAddFromNow("d", delays),
                ops.SetAdd("s", names),
                ops.Append("e", tuple(fields.values()), 100_000),
            )
        )
        refs = (ops.WholeHash("h"), ops.Count("z"), ops.Count("d"), ops.Members("s"))
        assert run(read(*refs)) == [fields, 9_001, 9_001, frozenset(names)]
        assert run(read(ops.Score("z", "f09000"))) == [9000.0]
        entries = run(tail("e", "", limit=10_000)).entries
        assert [entry for _, entry in entries] == list(fields.values())
        run(commit({}, ops.HashDelete("h", names), ops.SortedRemove("z", names)))
        assert run(read(ops.WholeHash("h"), ops.Count("z"))) == [{}, 0]

    @pytest.mark.parametrize(
        "write",
        [
            ops.Set("a", b"1", 0),
            ops.Set("a", b"1", -5),
            ops.Set("a", b"1", 1 << 62),
            ops.Expire("a", 0),
            ops.SortedAdd("z", {"m": math.nan}),
            ops.SortedAddFromNow("z", {"m": 1 << 62}),
            ops.Append("e", (b"e",), 0),
        ],
    )
    def test_numbers_without_sense_are_refused_before_anything_is_written(self, run, write):
        with pytest.raises(StoreError):
            run(commit({}, ops.Set("b", b"1"), write))
        assert run(read(B)) == [None]

    def test_scores_keep_every_bit(self, run):
        scores = {"a": 0.1, "b": 1e300, "c": -5e-324, "d": 1782219599999.0, "e": math.inf}
        run(commit({}, ops.SortedAdd("z", scores)))
        assert run(read(*(ops.Score("z", name) for name in scores))) == list(scores.values())


class TestPartitions:
    def test_a_commit_within_one_partition_is_fine(self, run):
        writes = (ops.Set("{p01}a", b"1"), ops.SortedAdd("{p01}z", {"m": 1.0}))
        assert run(commit({ops.Key("{p01}b"): None}, *writes)) == ops.Committed()

    @pytest.mark.parametrize(
        ("one", "other"), [("{p01}a", "{p02}b"), ("{p01}a", "b"), ("a", "{p02}b")]
    )
    def test_keys_of_two_partitions_are_refused(self, run, one, other):
        with pytest.raises(CrossPartition):
            run(commit({}, ops.Set(one, b"1"), ops.Delete((other,))))
        with pytest.raises(CrossPartition):
            run(commit({ops.Key(one): None}, ops.Set(other, b"1")))
        with pytest.raises(CrossPartition):
            run(read(ops.Key(one), ops.Key(other)))
        with pytest.raises(CrossPartition):
            run(take(one, other, 1, 1000))

    def test_braces_elsewhere_are_no_partition(self, run):
        assert run(commit({}, ops.Set("state:{a}", b"1"), ops.Set("{x}", b"2"))) == ops.Committed()


class TestLifetimes:
    def test_a_value_with_a_lifetime_goes(self, run):
        began = time.monotonic()
        run(commit({}, ops.Set("a", b"1", ttl_ms=40)))
        assert run(read(A)) == [b"1"] or time.monotonic() - began >= 0.04
        wait_until_gone(run, A)

    def test_a_hash_can_be_given_a_lifetime(self, run):
        began = time.monotonic()
        run(
            commit({}, ops.HashSet("h", {"f": b"1"}), ops.Expire("h", 40), ops.Expire("absent", 40))
        )
        assert run(read(F)) == [b"1"] or time.monotonic() - began >= 0.04
        wait_until_gone(run, F)

    def test_a_lifetime_can_be_taken_back(self, run):
        taken_back_in_s = math.inf
        while taken_back_in_s >= 0.04:  # a machine that stood still meanwhile shows nothing
            began = time.monotonic()
            run(commit({}, ops.Set("a", b"1", ttl_ms=40), ops.Set("b", b"1", ttl_ms=40)))
            late = ops.Set("c", b"1", ttl_ms=80)
            run(commit({}, late, ops.Expire("a", None), ops.Set("b", b"2")))
            taken_back_in_s = time.monotonic() - began
        wait_until_gone(run, ops.Key("c"))
        assert run(read(A, B)) == [b"1", b"2"]

    def test_an_expired_value_is_absent_for_a_commit(self, run):
        run(commit({}, ops.Set("a", b"1", ttl_ms=20)))
        wait_until_gone(run, A)
        assert run(commit({A: None}, ops.Set("a", b"2"))) == ops.Committed()


class TestTakes:
    def test_the_lowest_scores_come_first_and_ties_by_member(self, run):
        run(commit({}, ops.SortedAdd("q", {"c": 1.0, "b": 2.0, "a": 2.0, "z": -math.inf})))
        assert run(take("q", "l", 3, 10_000)) == ["z", "c", "a"]
        assert run(take("q", "l", 3, 10_000)) == ["b"]
        assert run(take("q", "l", 3, 10_000)) == []
        assert run(read(ops.Count("q"), ops.Count("l"))) == [0, 4]

    def test_a_deadline_is_the_servers_time_and_the_lifetime(self, run):
        began_ms = run(now()).timestamp() * 1000
        run(commit({}, ops.SortedAdd("q", {"m": 1.0}), ops.SortedAddFromNow("d", {"n": 5_000})))
        run(take("q", "l", 1, 5_000))
        taken, added = run(read(ops.Score("l", "m"), ops.Score("d", "n")))
        ended_ms = run(now()).timestamp() * 1000
        # This process estimates the server's clock, to some milliseconds.
        assert began_ms - 20 <= added - 5_000 <= taken - 5_000 <= ended_ms + 20
        assert taken == int(taken)

    def test_a_lease_that_ran_out_returns_before_the_queue(self, run):
        run(commit({}, ops.SortedAdd("q", {"new": -5.0, "newer": -4.0})))
        run(commit({}, ops.SortedAddFromNow("l", {"late": -10, "later": -5, "held": 60_000})))
        assert run(take("q", "l", 3, 60_000)) == ["late", "later", "new"]
        assert run(take("q", "l", 3, 60_000)) == ["newer"]

    def test_a_member_that_also_waits_is_handed_out_once(self, run):
        run(commit({}, ops.SortedAdd("q", {"m": 1.0}), ops.SortedAddFromNow("l", {"m": -10})))
        assert run(take("q", "l", 5, 60_000)) == ["m"]
        assert run(take("q", "l", 5, 60_000)) == []

    @pytest.mark.parametrize("count", [0, -3])
    def test_taking_none_takes_none(self, run, count):
        run(commit({}, ops.SortedAdd("q", {"m": 1.0})))
        assert run(take("q", "l", count, 1000)) == []
        assert run(read(ops.Count("q"))) == [1]

    def test_thousands_can_be_taken_at_once(self, run):
        run(commit({}, ops.SortedAdd("q", {f"m{n:05}": float(n) for n in range(9_001)})))
        run(commit({}, ops.SortedAddFromNow("l", {f"l{n:05}": n - 60_000 for n in range(9_001)})))
        taken = run(take("q", "l", 20_000, 60_000))
        assert taken[:2] == ["l00000", "l00001"]
        assert taken[-1] == "m09000"
        assert len(set(taken)) == 18_002

    def test_keys_of_another_type_are_refused(self, run):
        run(commit({}, *EVERYTHING))
        for queue, leases in (("set", "l"), ("zset", "hash")):
            with pytest.raises(WrongType):
                run(take(queue, leases, 1, 1000))
        assert run(read(ops.Count("zset"))) == [1]


class TestTakesWithCompanions:
    BESIDE = (ops.Companion("whole:"), ops.Companion("parts:", is_field=True))

    def take(self, run, count=5):
        return run(take_with("q", "l", count, 60_000, "_of_", *self.BESIDE))

    def test_what_the_names_stand_for_comes_with_them(self, run):
        fields = ops.HashSet("parts:a_of_b", {"7": b"seven", "8": b"eight"})
        queue = ops.SortedAdd("q", {"a_of_b_of_7": 2.0, "a_of_b_of_9": 3.0})
        late = ops.SortedAddFromNow("l", {"a_of_b_of_8": -10})
        run(commit({}, ops.Set("whole:a_of_b", b"whole"), fields, queue, late))
        assert self.take(run) == [
            ops.Taken("a_of_b_of_8", (b"whole", b"eight")),
            ops.Taken("a_of_b_of_7", (b"whole", b"seven")),
            ops.Taken("a_of_b_of_9", (b"whole", None)),
        ]
        assert self.take(run) == []
        assert run(read(ops.Count("q"), ops.Count("l"))) == [0, 3]

    def test_a_name_that_stands_for_nothing_is_taken_like_any(self, run):
        run(commit({}, ops.SortedAdd("q", {"plain": 1.0, "gone_of_1": 2.0})))
        nothing = (None, None)
        assert self.take(run) == [ops.Taken("plain", nothing), ops.Taken("gone_of_1", nothing)]

    def test_without_a_mark_the_whole_name_stands_for_a_record(self, run):
        run(commit({}, ops.SortedAdd("q", {"a": 1.0, "b_of_1": 2.0}), ops.Set("whole:a", b"A")))
        asked = take_with("q", "l", 5, 60_000, "", ops.Companion("whole:"))
        assert run(asked) == [ops.Taken("a", (b"A",)), ops.Taken("b_of_1", (None,))]

    def test_what_is_of_another_type_takes_nothing(self, run):
        run(commit({}, ops.SortedAdd("q", {"x_of_1": 1.0}), ops.Set("parts:x", b"text")))
        with pytest.raises(WrongType):
            self.take(run)
        assert run(read(ops.Count("q"), ops.Count("l"))) == [1, 0]
        run(commit({}, ops.Delete(("parts:x",))))
        assert [one.member for one in self.take(run)] == ["x_of_1"]

    def test_no_more_than_wanted_and_each_once(self, run):
        run(commit({}, ops.SortedAdd("q", {f"j_of_{n}": float(n) for n in range(9)})))
        run(commit({}, ops.SortedAddFromNow("l", {"j_of_0": -10, "j_of_5": -5})))
        taken = [[one.member for one in self.take(run, 4)] for _ in range(3)]
        assert taken == [
            ["j_of_0", "j_of_5", "j_of_1", "j_of_2"],
            ["j_of_3", "j_of_4", "j_of_6", "j_of_7"],
            ["j_of_8"],
        ]


class TestIndexes:
    SCORES = {"a": -math.inf, "b": 1.0, "c": 1.0, "d": 1.0, "e": 2.0, "f": math.inf}

    def pages(self, run, limit, **bounds):
        found, after = [], None
        while page := run(scan_index("z", limit, after=after, **bounds)):
            assert len(page) <= limit
            found += page
            member, score = page[-1]
            after = (score, member)
        return found

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    def test_pages_cover_everything_once_in_both_directions(self, run, limit):
        run(commit({}, ops.SortedAdd("z", self.SCORES)))
        everything = list(self.SCORES.items())
        assert self.pages(run, limit) == everything
        assert self.pages(run, limit, newest_first=True) == everything[::-1]

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_bounds_are_included(self, run, newest_first):
        run(commit({}, ops.SortedAdd("z", self.SCORES)))
        found = self.pages(run, 2, low=1.0, high=2.0, newest_first=newest_first)
        assert sorted(member for member, _ in found) == ["b", "c", "d", "e"]
        assert run(scan_index("z", 5, low=3.0, high=4.0)) == []
        assert run(scan_index("z", 5, low=4.0, high=3.0)) == []

    def test_a_page_goes_on_behind_an_entry_that_is_gone(self, run):
        run(commit({}, ops.SortedAdd("z", self.SCORES)))
        run(commit({}, ops.SortedRemove("z", ("c",)), ops.SortedAdd("z", {"b": 9.0})))
        assert run(scan_index("z", 1, after=(1.0, "c"))) == [("d", 1.0)]
        assert run(scan_index("z", 2, after=(1.0, "b"))) == [("d", 1.0), ("e", 2.0)]
        assert run(scan_index("z", 9, after=(1.0, "c"), newest_first=True)) == [("a", -math.inf)]
        assert run(scan_index("z", 1, after=(1.5, "x"))) == [("e", 2.0)]

    def test_ties_are_ordered_by_bytes_and_not_by_language(self, run):
        members = ["B", "a", "á", "b", "日", "Z", "a\0", "ab", "\N{PILE OF POO}"]
        run(commit({}, ops.SortedAdd("z", dict.fromkeys(members, 7.0))))
        ordered = sorted(members, key=str.encode)
        assert [member for member, _ in self.pages(run, 2)] == ordered
        for member in members:
            run(commit({}, ops.SortedRemove("z", (member,))))
            rest = [other for other, _ in run(scan_index("z", 20, after=(7.0, member)))]
            assert rest == ordered[ordered.index(member) + 1 :]
            run(commit({}, ops.SortedAdd("z", {member: 7.0})))

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_a_page_among_many_ties_costs_no_more_than_a_page(self, run, newest_first):
        run(commit({}, ops.SortedAdd("z", {f"m{n:06}": 1.0 for n in range(50_000)})))
        started = time.monotonic()
        for n in range(200, 50_000, 500):
            after = (1.0, f"m{n:06}x")
            page = run(scan_index("z", 10, after=after, newest_first=newest_first))
            first = n if newest_first else n + 1
            assert page[0][0] == f"m{first:06}"
        assert time.monotonic() - started < 5.0

    def test_a_page_of_nothing_is_empty(self, run):
        assert run(scan_index("absent", 10)) == []
        run(commit({}, ops.SortedAdd("z", self.SCORES)))
        assert run(scan_index("z", 0)) == []
        with pytest.raises(StoreError):
            run(scan_index("z", 1, low=math.nan))


class TestTails:
    def texts(self, tailed):
        return [entry for _, entry in tailed.entries]

    def test_a_tail_goes_on_from_its_cursor_and_misses_nothing(self, run):
        cursor = run(tail("e", "")).cursor
        seen = []
        for n in range(5):
            run(commit({}, ops.Append("e", (b"%da" % n, b"%db" % n, BINARY), 1000)))
            tailed = run(tail("e", cursor))
            assert not tailed.reset
            assert tailed.cursor == tailed.entries[-1][0]
            seen, cursor = seen + self.texts(tailed), tailed.cursor
        assert seen == [text for n in range(5) for text in (b"%da" % n, b"%db" % n, BINARY)]
        assert run(tail("e", cursor)) == ops.Tailed((), cursor)

    def test_a_tail_is_read_in_pages(self, run):
        run(commit({}, ops.Append("e", tuple(b"%d" % n for n in range(10)), 1000)))
        first = run(tail("e", "", limit=4))
        second = run(tail("e", first.cursor, limit=4))
        assert self.texts(first) + self.texts(second) == [b"%d" % n for n in range(8)]

    def test_the_end_of_a_stream_is_a_cursor(self, run):
        assert run(tail("e", "$")) == ops.Tailed((), "0-0")
        run(commit({}, ops.Append("e", (b"old",), 1000)))
        end = run(tail("e", "$"))
        assert (end.entries, end.reset) == ((), False)
        run(commit({}, ops.Append("e", (b"new",), 1000)))
        assert self.texts(run(tail("e", end.cursor))) == [b"new"]

    def test_a_conflict_appends_nothing(self, run):
        run(commit({A: b"other"}, ops.Append("e", (b"no",), 1000)))
        assert run(tail("e", "")).entries == ()

    def test_a_cursor_that_was_trimmed_away_is_reset_to_the_end(self, run):
        run(commit({}, ops.Append("e", (b"first",), 10)))
        cursor = run(tail("e", "")).cursor
        run(commit({}, ops.Append("e", tuple(b"%d" % n for n in range(1000)), 10)))
        tailed = run(tail("e", cursor))
        assert (tailed.entries, tailed.reset) == ((), True)
        assert run(tail("e", tailed.cursor)) == ops.Tailed((), tailed.cursor)
        assert 10 <= len(run(tail("e", "")).entries) <= 10 + 100
        assert run(tail("e", "0-0")).reset, "the reader of an empty stream has missed entries"

    def test_a_deleted_stream_resets_its_readers(self, run):
        run(commit({}, ops.Append("e", (b"1",), 10)))
        cursor = run(tail("e", "")).cursor
        run(commit({}, ops.Delete(("e",))))
        tailed = run(tail("e", cursor))
        assert tailed == ops.Tailed((), "0-0", reset=True)
        run(commit({}, ops.Append("e", (b"2",), 10)))
        assert self.texts(run(tail("e", tailed.cursor))) == [b"2"]

    def test_a_flushed_stream_that_has_begun_again_resets_its_readers(self, run, forget_all):
        run(commit({}, ops.Append("e", (b"1",), 10)))
        cursor = run(tail("e", "")).cursor
        forget_all()
        time.sleep(0.002)  # ids of the engine are times: the new stream is of a later millisecond
        run(commit({}, ops.Append("e", (b"2", b"3"), 10)))
        assert run(tail("e", cursor)).reset

    @pytest.mark.parametrize("cursor", ["x", "1-", "-1", "1-2-3", "٣", "9" * 25, "1-2\n", "\0"])
    def test_what_is_no_cursor_is_refused(self, run, cursor):
        with pytest.raises(BadCursor):
            run(tail("e", cursor))

    def test_the_greatest_cursor_is_one_from_elsewhere(self, run):
        run(commit({}, ops.Append("e", (b"1",), 10)))
        assert run(tail("e", f"{2**64 - 1}-{2**64 - 1}")).reset

    def test_a_stream_of_another_type_is_refused(self, run):
        run(commit({}, ops.Set("a", b"1")))
        with pytest.raises(WrongType):
            run(tail("a", ""))
