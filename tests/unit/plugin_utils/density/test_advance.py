# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.density import advance
from ansible_collections.retail.profiles.plugins.plugin_utils.density.advance import PATIENCE, Look
from ansible_collections.retail.profiles.plugins.plugin_utils.density.guard import Room
from ansible_collections.retail.profiles.plugins.plugin_utils.density.observation import Watched
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Settings, Window
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState

SETTINGS = Settings()


class Search:
    """A search that is driven as a run drives it. ``now``: its clock, in seconds."""

    def __init__(self, settings: Settings = SETTINGS, room: Room | None = None) -> None:
        self.settings, self.room, self.now = settings, room, 1000.0
        self.state = SearchState()
        self.decide()

    def decide(self, **more: Any) -> None:
        self.state = advance.decided(self.state, self.settings, self.now, int(self.now), self.room, **more)

    def look(self, *margins: float, **more: Any) -> None:
        """Look at a step that has had so many windows."""
        self.state = advance.started(self.state, self.now)
        current = self.state.current
        assert current is not None
        steady = current.began if current.steady is None else current.steady
        windows = tuple(Window(margin, margin) for margin in margins)
        self.now = max(self.now, (steady or self.now) + 10.0 * len(windows) + 1.0)
        watched = more.pop("watched", Watched(self.now - 1.0, steady, windows))
        self.state = advance.looked(self.state, Look(watched, self.now, **more), self.settings)
        self.decide()

    def run(self, capacity: int) -> None:
        """Answer every step by what so many streams would do."""
        while self.state.ending is None:
            assert self.state.current is not None
            step = self.state.current.step
            margin = 0.05 if step.streams <= capacity else -0.2
            self.look(*[margin] * (len(step.windows) + 1))

    @property
    def tried(self) -> list[tuple[int, bool]]:
        return [(one.step.streams, one.step.hold) for one in self.state.steps]


def test_it_begins_with_the_fewest() -> None:
    search = Search(Settings(least=3))
    assert search.tried == [(3, False)]
    assert search.state.current is not None and search.state.current.began is None


def test_it_comes_to_an_interval_and_confirms_it() -> None:
    search = Search()
    search.run(5)
    assert (search.state.ending, search.state.interval) == ("found", (5, 6))
    assert search.tried == [(1, False), (2, False), (4, False), (8, False), (6, False), (5, False), (5, True)]
    hold = search.state.steps[-1]
    assert hold.began == hold.steady == hold.asked  # the same streams go on, and are steady


def test_each_step_takes_its_time() -> None:
    search = Search()
    search.look(0.05)
    search.look(0.05, 0.05)
    assert search.state.steps[0].step.seconds == pytest.approx(21.0)
    assert search.state.steps[1].position == int(search.now)


@pytest.mark.parametrize(
    ("more", "ending", "reason"),
    [
        ({"danger": "host h1 has no memory left"}, "guard", "host h1 has no memory left"),
        ({"lost": "replica a on h1 has ended"}, "failed", "replica a on h1 has ended"),
        ({"watched": Watched(0.0, unknown="no fps")}, "no data", "no fps"),
    ],
)
def test_a_first_step_may_end_the_search(more: dict[str, Any], ending: str, reason: str) -> None:
    search = Search()
    search.look(**more)
    assert search.state.ending == ending
    assert search.state.steps[-1].step.outcome is not None
    assert search.state.steps[-1].step.outcome.reason == reason


def test_a_container_that_ends_among_many_is_a_step_that_failed() -> None:
    search = Search()
    search.look(0.05, 0.05)
    search.look(lost="replica b on h1 has ended with exit code 137")
    assert search.state.ending is None
    search.run(1)
    assert (search.state.ending, search.state.interval) == ("found", (1, 2))


def test_streams_that_could_not_be_started_end_it() -> None:
    search = Search()
    search.look(0.05, 0.05)
    search.state = advance.not_started(search.state, "h2: no space left", search.now)
    search.decide()
    assert (search.state.ending, search.state.reason) == ("failed", "h2: no space left")
    assert search.state.interval[0] == 1


def test_clients_that_limit_it_are_told() -> None:
    search = Search()
    search.look(0.05, 0.05)
    search.look(-0.3, -0.3, -0.3, clients=lambda: "limited by: CPU quota of client 1")
    search.run(1)
    assert search.state.ending == "limited by the clients"
    assert search.state.steps[1].step.outcome is not None
    assert "limited by: CPU quota of client 1" in search.state.steps[1].step.outcome.reason


def test_samples_that_do_not_come_are_not_waited_for() -> None:
    search = Search()
    search.look()
    silent = Watched(float("-inf"))
    search.now += PATIENCE - 5.0
    search.look(watched=silent)
    assert search.state.ending is None
    search.now += 10.0
    search.look(watched=silent)
    assert (search.state.ending, search.state.reason) == ("no data", "no samples of all hosts have come for 30 s")


def test_a_host_without_room_bounds_it() -> None:
    search = Search(room=Room(6, "host h1 would have less than 5 % of its memory left"))
    search.run(100)
    assert (search.state.ending, search.state.interval) == ("guard", (6, None))
    assert search.state.reason == "host h1 would have less than 5 % of its memory left"
    assert search.tried[-1] == (6, True)


def test_the_most_streams_bound_it() -> None:
    search = Search(Settings(most=3), room=Room(6, "no"))
    search.run(100)
    assert (search.state.ending, search.state.interval) == ("bounds", (3, None))


def test_after_an_interruption_its_last_step_is_taken_again() -> None:
    search = Search()
    search.look(0.05, 0.05)
    search.look(0.05)
    search.state = advance.interrupted(search.state)
    search.now += 500.0
    search.decide(anew=True)
    assert search.tried == [(1, False), (2, False)]
    assert search.state.current is not None and search.state.current.began is None
    search.run(2)
    assert search.state.interval == (2, 3)


def test_a_hold_that_is_taken_up_again_starts_its_streams_anew() -> None:
    search = Search(Settings(most=1))
    search.look(0.05, 0.05)
    assert search.tried[-1] == (1, True)
    search.state = advance.interrupted(search.state)
    search.decide(anew=True)
    assert search.tried[-1] == (1, True)
    assert search.state.steps[-1].began is None


def test_when_it_is_worth_looking() -> None:
    search = Search(Settings(most=1))
    assert advance.next_look(search.state) is None  # nothing runs yet
    search.state = advance.started(search.state, 1000.0)
    assert advance.next_look(search.state) == pytest.approx(1021.7)
    search.look(0.05)
    assert advance.next_look(search.state) == pytest.approx(1021.7)
    search.look(0.05, 0.05)
    hold = search.state.current
    assert hold is not None and hold.steady is not None
    assert advance.next_look(search.state) == pytest.approx(hold.steady + 31.7)
    search.run(1)
    assert advance.next_look(search.state) is None
