"""Areas: where they widen to, what a stream of deltas adds up to, and how often it comes."""

import pytest

from skyhaul import BUSY
from window import ON_THE_GROUND, Picture, Window, inside

pytestmark = pytest.mark.usefixtures("each_encoding")

WORLD = [-122.45, 37.73, -122.38, 37.79]
WEST = [-122.45, 37.73, -122.4147, 37.79]
EAST = [-122.4147, 37.73, -122.38, 37.79]
MIDDLE = [-122.425, 37.752, -122.405, 37.768]


def wider(outer, inner):
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    )


def fresh(server, bbox):
    """What somebody who comes only now sees of an area."""
    with Window(server) as window:
        window.subscribe(1, "area", bbox=bbox)
        return Picture(window, 1, bbox).reach(server.clock["tick"], full=True)


def assert_same(followed, newcomers):
    """Who follows an area sees what a newcomer sees.

    Of drones on the ground only full messages tell what becomes of them there.
    """
    assert followed.keys() == newcomers.keys()
    for drone, row in newcomers.items():
        if row[-1] in ON_THE_GROUND:
            assert followed[drone][:4] == row[:4] and followed[drone][-1] in ON_THE_GROUND
        else:
            assert followed[drone] == row


class Look:
    """A connection that follows one area."""

    def __init__(self, server, bbox, **more):
        self.window, self.asked = Window(server), bbox
        self.answer = self.window.subscribe(1, "area", bbox=bbox, **more)
        self.bbox, self.hz = self.answer["bbox"], self.answer["hz"]
        self.picture = Picture(self.window, 1)


@pytest.fixture
def look():
    """Opens connections that follow an area, and closes them at the end."""
    opened = []

    def open_look(*arguments, **more):
        opened.append(Look(*arguments, **more))
        return opened[-1]

    yield open_look
    for each in opened:
        each.window.close()


def test_an_area_widens_to_the_grid_by_no_more_than_a_cell(busy, look):
    widened = look(busy, MIDDLE).bbox
    assert wider(widened, MIDDLE)
    for side, asked in zip(widened, MIDDLE):
        assert abs(side - asked) < 0.006, "about 300 m"
    assert look(busy, widened).bbox == pytest.approx(widened, abs=2e-6), "it fits already"
    inner = look(busy, [-122.4151, 37.7601, -122.4150, 37.7602]).bbox
    assert wider(widened, inner), "areas share one grid"


def test_deltas_add_up_to_what_a_newcomer_sees(busy, look):
    looks = [look(busy, bbox, maxHz=10) for bbox in (WORLD, WEST, EAST, MIDDLE)]
    everything, west, east, middle = (each.picture for each in looks)
    for tick in range(900, 9001, 900):
        busy.run_until(tick, speed=150)
        for each in looks:
            rows = each.picture.reach(tick)
            assert_same(rows, fresh(busy, each.asked))
            assert all(inside(row, each.bbox) for row in rows.values())
        assert everything.rows == west.rows | east.rows, "every drone is somewhere"
    for each in looks[1:]:
        check_that_a_part_agrees(each.picture, each.bbox, everything)

    assert not any(message["gone"] for message in everything.messages), "nobody leaves the world"
    left = {drone for message in west.messages for drone in message["gone"]}
    came = {row[0] for message in east.messages for row in message["drones"]}
    assert left and left <= came
    # Anew from a full message goes who missed a beat, as somebody on a busy machine may.
    fulls = [message["full"] for message in middle.messages]
    assert fulls[0] and fulls.count(True) < len(fulls) / 4, "deltas are the rule"
    moved = [len(message["drones"]) for message in everything.messages[1:]]
    assert 0 < min(filter(None, moved)) < 40, "deltas leave out what did not change"


def check_that_a_part_agrees(part, bbox, whole):
    """At every tick that both show, the small area shows the large one's part."""
    shown, all_shown = replay(part.messages), replay(whole.messages)
    shared = shown.keys() & all_shown.keys()
    assert len(shared) > 10
    for tick in shared:
        within = {drone: row for drone, row in all_shown[tick].items() if inside(row, bbox)}
        edge = {drone for drone, row in all_shown[tick].items() if on_edge(row, bbox)}
        assert without(shown[tick], edge) == without(within, edge), f"at {tick}"


def on_edge(row, bbox):
    """Rows are rounded to six decimals, and so who is on the edge may be in or out."""
    west, south, east, north = bbox
    near = 1.5e-6
    return min(abs(row[1] - south), abs(row[1] - north), abs(row[2] - west), abs(row[2] - east)) < near


def without(rows, drones):
    return {drone: row for drone, row in rows.items() if drone not in drones}


def replay(messages):
    """The picture after each tick that was shown."""
    rows, by_tick = {}, {}
    for message in messages:
        if message["full"]:
            rows = {}
        rows = rows | {row[0]: row for row in message["drones"]}
        for drone in message["gone"]:
            rows.pop(drone, None)
        by_tick[message["tick"]] = rows
    return by_tick


def test_a_viewport_that_moves_begins_anew(busy, look):
    busy.run_until(3000)
    moving = look(busy, WORLD)
    moving.picture.next()
    assert len(moving.picture.rows) == 40
    moving.window.send(type="update", id=1, bbox=MIDDLE)
    answer = moving.window.answer(1, "subscribed")
    assert wider(moving.bbox, answer["bbox"]) and wider(answer["bbox"], MIDDLE)
    while not moving.picture.next()["full"]:
        pass
    assert_same(moving.picture.rows, fresh(busy, MIDDLE))
    busy.run_until(3300, speed=150)
    assert_same(moving.picture.reach(3300), fresh(busy, MIDDLE))


@pytest.mark.parametrize(
    ("asked", "given"),
    [(100, 10), (10, 10), (9, 5), (5, 5), (4.9, 2), (1.5, 1), (0.7, 0.5), (0.1, 0.5)],
)
def test_a_rate_is_rounded_down_to_a_tier(shared_busy, look, asked, given):
    assert look(shared_busy, WORLD, maxHz=asked).hz == given


def test_the_rate_is_5_where_none_is_asked_for(shared_busy, look):
    assert look(shared_busy, WORLD).hz == 5


def test_beats_come_no_more_often_than_asked_for(shared_busy, look):
    fast, slow = look(shared_busy, WORLD, maxHz=10), look(shared_busy, WORLD, maxHz=2)
    for _ in range(6):
        end = slow.picture.next()["sentAt"]
    while fast.picture.next()["sentAt"] < end:
        pass
    for each in (fast, slow):
        sent = [message["sentAt"] for message in each.picture.messages]
        assert len(sent) - 1 <= each.hz * (sent[-1] - sent[0]) / 1000 + 2


@pytest.fixture(scope="module")
def shared_busy(shared):
    return shared.start(BUSY, "--speed", "20")
