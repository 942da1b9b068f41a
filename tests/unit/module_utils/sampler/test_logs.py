# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's log stream, split anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.sampler.logs import (
    LINE_BYTES,
    LogDecoder,
    LogLine,
    RateCap,
    parse_stamp,
)

STAMP = b"2026-11-23T08:57:25.547320812Z"
T_NS = 1795424245_547320812


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def message(stream: int, text: bytes, newline: bool = True) -> bytes:
    return frame(stream, STAMP + b" " + text + (b"\n" if newline else b""))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in zip(bounds, bounds[1:])]


def decode(data: bytes, cuts: list[int], tty: bool = False) -> list[LogLine]:
    decoder = LogDecoder(tty)
    lines = [line for piece in pieces(data, cuts) for line in decoder.feed(piece)]
    return lines + decoder.end()


line_texts = st.binary(max_size=40).filter(lambda data: b"\n" not in data and not data.endswith(b"\r"))
cuts = st.lists(st.integers(min_value=0, max_value=10**6), max_size=12)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), line_texts), max_size=8), cuts)
def test_frames_split_anywhere_give_the_same_lines(messages: list[tuple[int, bytes]], where: list[int]) -> None:
    data = b"".join(message(stream, text) for stream, text in messages)
    assert decode(data, where) == [
        LogLine("stdout" if stream == 1 else "stderr", T_NS, text.decode("utf-8", "replace"))
        for stream, text in messages
    ]


@given(st.lists(line_texts, max_size=8), cuts)
def test_a_terminals_output_split_anywhere_gives_the_same_lines(texts: list[bytes], where: list[int]) -> None:
    data = b"".join(STAMP + b" " + text + b"\r\n" for text in texts)
    expected = [LogLine("stdout", T_NS, text.decode("utf-8", "replace")) for text in texts]
    assert decode(data, where, tty=True) == expected


@given(st.binary(max_size=200), cuts, st.booleans())
def test_no_input_makes_it_fail(data: bytes, where: list[int], tty: bool) -> None:
    assert decode(data, where, tty) == decode(data, [], tty)


@given(cuts)
def test_a_line_in_several_messages_is_one_and_is_cut_at_the_limit(where: list[int]) -> None:
    data = message(1, b"a" * 16384, newline=False) + message(2, b"between") + message(1, b"b" * 100)
    between, long = decode(data, where)
    assert between == LogLine("stderr", T_NS, "between")
    assert long == LogLine("stdout", T_NS, "a" * LINE_BYTES, cut=100)


@given(st.integers(min_value=1, max_value=3), cuts)
def test_a_message_far_over_the_limit_is_cut_and_the_next_is_whole(times: int, where: list[int]) -> None:
    data = message(1, b"a" * (LINE_BYTES * times + 500)) + message(1, b"next")
    long, after = decode(data, where)
    assert long == LogLine("stdout", T_NS, "a" * LINE_BYTES, cut=LINE_BYTES * (times - 1) + 500)
    assert after == LogLine("stdout", T_NS, "next")


def test_a_long_line_of_a_terminal_is_cut() -> None:
    data = STAMP + b" " + b"a" * (LINE_BYTES * 3) + b"\n" + STAMP + b" next\n"
    assert decode(data, [7, 20000], tty=True) == [
        LogLine("stdout", T_NS, "a" * LINE_BYTES, cut=LINE_BYTES * 2),
        LogLine("stdout", T_NS, "next"),
    ]


def test_the_end_gives_what_has_no_newline() -> None:
    assert decode(message(1, b"half", newline=False), []) == [LogLine("stdout", T_NS, "half")]
    assert decode(STAMP + b" half", [], tty=True) == [LogLine("stdout", T_NS, "half")]


def test_a_line_without_time_is_kept_without() -> None:
    assert decode(frame(1, b"bare\n"), []) == [LogLine("stdout", None, "bare")]


def test_stamps() -> None:
    assert parse_stamp(STAMP + b" x") == (T_NS, 31)
    assert parse_stamp(b"2026-11-23T10:57:25.5+02:00 x") == (1795424245_500000000, 28)
    assert parse_stamp(b"2026-11-23T08:57:25Z") == (1795424245_000000000, 20)
    assert parse_stamp(b"yesterday x") == (None, 0)


def test_the_cap_allows_a_burst_then_the_rate_and_counts_the_rest() -> None:
    cap = RateCap(lines=3, size=1000, lines_per_second=2, bytes_per_second=100)
    assert [cap.allows(1, 10.0) for _line in range(5)] == [True, True, True, False, False]
    assert cap.take_dropped() == (2, 2)
    assert [cap.allows(1, 11.0) for _line in range(3)] == [True, True, False]
    assert cap.take_dropped() == (1, 1)
    assert cap.take_dropped() == (0, 0)


def test_the_cap_counts_bytes_too() -> None:
    cap = RateCap(lines=100, size=10, lines_per_second=100, bytes_per_second=5)
    assert [cap.allows(8, 0.0), cap.allows(8, 0.0), cap.allows(7, 1.0)] == [True, False, True]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50)), max_size=60))
def test_what_the_cap_allows_is_within_burst_and_rate(asked: list[tuple[float, int]]) -> None:
    cap = RateCap(lines=5, size=100, lines_per_second=2, bytes_per_second=10)
    times = sorted(at for at, _size in asked)
    sizes = [size for (_at, size), at in zip(asked, times) if cap.allows(size, at)]
    if times:
        passed = times[-1] - times[0]
        assert len(sizes) <= 5 + 2 * passed + 1e-6
        assert sum(sizes) <= 100 + 10 * passed + 1e-6
