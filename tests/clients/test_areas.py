"""Areas: where they widen to, what a stream of deltas adds up to, and how often it comes."""

import pytest

from skyhaul import BUSY
from window import Picture, Window, inside

WORLD = [-122.45, 37.73, -122.38, 37.79]
WEST = [-122.45, 37.73, -122.4147, 37.79]
MIDDLE = [-122.425, 37.752, -122.405, 37.768]


def wider(outer, inner):
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    )


def fresh(server, bbox):
    """What somebody who comes only now sees of an area."""
    with Window(server) as window:
        window.subscribe(1, "area", bbox=bbox)
        picture = Picture(window, 1)
        assert picture.next()["full"]
        return picture.rows


def test_an_area_widens_to_the_grid_by_no_more_than_a_cell(busy):
    with Window(busy) as window:
        widened = window.subscribe(1, "area", bbox=MIDDLE)["bbox"]
        assert wider(widened, MIDDLE)
        for side, asked in zip(widened, MIDDLE):
            assert abs(side - asked) < 0.006, "about 300 m"
        again = window.subscribe(2, "area", bbox=widened)["bbox"]
        assert wider(again, widened) and again == pytest.approx(widened, abs=0.006)
        inner = window.subscribe(3, "area", bbox=[-122.4151, 37.7601, -122.4150, 37.7602])["bbox"]
        assert wider(widened, inner), "areas share one grid"


def test_deltas_add_up_to_what_a_newcomer_sees(busy):
    with Window(busy) as window:
        boxes = {
            id: window.subscribe(id, "area", bbox=bbox, maxHz=10)["bbox"]
            for id, bbox in enumerate([WORLD, WEST, MIDDLE], start=1)
        }
        pictures = {id: Picture(window, id) for id in boxes}
        for tick in range(900, 9001, 900):
            busy.run_until(tick, speed=150)
            for id, picture in pictures.items():
                rows = picture.reach(tick)
                assert rows == fresh(busy, boxes[id]), f"box {id} at {tick}"
                assert all(inside(row, boxes[id]) for row in rows.values())
        check_that_boxes_agree(pictures, boxes)
    everything, west, middle = (picture.messages for picture in pictures.values())
    assert not any(message["gone"] for message in everything), "nobody leaves the world"
    assert any(message["gone"] for message in west), "but they do leave its parts"
    assert sum(message["full"] for message in middle) == 1
    moves = [len(message["drones"]) for message in everything[1:]]
    assert 0 < min(filter(None, moves)) < 40, "deltas leave out what did not change"


def check_that_boxes_agree(pictures, boxes):
    """At every beat that two boxes share, the small one shows the large one's part."""
    seen = {id: replay(picture.messages) for id, picture in pictures.items()}
    for id in (2, 3):
        shared = seen[1].keys() & seen[id].keys()
        assert len(shared) > 10
        for tick in shared:
            part = {drone: row for drone, row in seen[1][tick].items() if inside(row, boxes[id])}
            assert seen[id][tick] == part, f"box {id} at {tick}"


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


def test_a_viewport_that_moves_begins_anew(busy):
    busy.run_until(3000)
    with Window(busy) as window:
        first = window.subscribe(1, "area", bbox=WORLD)["bbox"]
        picture = Picture(window, 1)
        picture.next()
        assert len(picture.rows) == 40
        window.send(type="update", id=1, bbox=MIDDLE)
        second = window.answer(1, "subscribed")["bbox"]
        assert wider(first, second)
        while not picture.next()["full"]:
            pass
        assert picture.rows == fresh(busy, MIDDLE)
        busy.run_until(3300, speed=150)
        assert picture.reach(3300) == fresh(busy, MIDDLE)


def test_a_drone_that_crosses_between_boxes_of_one_client_is_gone_from_one_only(busy):
    halves = [WEST, [-122.4147, 37.73, -122.38, 37.79]]
    with Window(busy) as window:
        for id, bbox in enumerate(halves, start=1):
            window.subscribe(id, "area", bbox=bbox, maxHz=10)
        pictures = [Picture(window, 1), Picture(window, 2)]
        for tick in range(1000, 5001, 1000):
            busy.run_until(tick, speed=150)
            west, east = (picture.reach(tick) for picture in pictures)
            assert len(west | east) == 40, "every drone is somewhere"
        left = {drone for message in pictures[0].messages for drone in message["gone"]}
        came = {row[0] for message in pictures[1].messages for row in message["drones"]}
        assert left and left <= came


@pytest.mark.parametrize(
    ("asked", "given"),
    [(100, 10), (10, 10), (9, 5), (5, 5), (4.9, 2), (1.5, 1), (0.7, 0.5), (0.1, 0.5)],
)
def test_a_rate_is_rounded_down_to_a_tier(shared_busy, asked, given):
    with Window(shared_busy) as window:
        assert window.subscribe(1, "area", bbox=WORLD, maxHz=asked)["hz"] == given


@pytest.fixture(scope="module")
def shared_busy(shared):
    return shared.start(BUSY, "--speed", "20")


def test_beats_come_no_more_often_than_asked_for(shared_busy):
    with Window(shared_busy) as window:
        rates = {1: 10, 2: 2}
        for id, rate in rates.items():
            window.subscribe(id, "area", bbox=WORLD, maxHz=rate)
        pictures = {id: Picture(window, id) for id in rates}
        for _ in range(6):
            end = pictures[2].next()["sentAt"]
        while pictures[1].next()["sentAt"] < end:
            pass
        for id, rate in rates.items():
            sent = [message["sentAt"] for message in pictures[id].messages]
            elapsed = (sent[-1] - sent[0]) / 1000
            assert len(sent) - 1 <= rate * elapsed + 2
