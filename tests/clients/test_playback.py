"""A recording that is played, row by row beside the world that it is of: whatever the speed, and
backwards, an outside client is told of a moment exactly what was told of it live."""

import subprocess

import httpx
import pytest
from mirror import all_events, step
from skyhaul import BUSY, PROGRAM, Server, eventually, free_port
from window import ON_THE_GROUND, Picture, Window

import httpx

WORLD = [-123, 37, -122, 38]
#: Ticks from one recorded frame to the next.
FRAME = 10
BEGIN, FRAMES = 1200, 120


class Played(Server):
    """`skyhaul replay` of a file, standing still at first."""

    def start(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.http = httpx.Client(base_url=f"http://{self.address}", timeout=60)
        self.log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen(
            [PROGRAM, "replay", self.scenario, "--listen", self.address, *self.options],
            stdout=self.log,
            stderr=self.log,
        )
        eventually(self.ready, "the recording is ready")
        self.control(state="paused")


class Live:
    """What was told of a live world: every drone's row at every recorded tick, and all events."""

    def __init__(self, server):
        self.rows, self.times = {}, {}
        with Window(server) as window:
            window.subscribe(1, "area", bbox=WORLD, maxHz=10)
            picture = Picture(window, 1, WORLD)
            for _ in range(FRAMES):
                tick = step(server, FRAME)
                picture.reach(tick, full=True)
                message = picture.messages[-1]
                self.rows[tick] = {row[0]: row for row in message["drones"]}
                self.times[tick] = message["simTime"]
        self.events = all_events(server)


@pytest.fixture(scope="module")
def recorded(shared, tmp_path_factory):
    server = shared.start(BUSY, "--paused")
    server.run_until(BEGIN)
    assert server.http.put("/api/recording", json={"state": "recording"}).status_code == 200
    live = Live(server)
    path = server.get("/api/recording")["file"]
    assert server.http.put("/api/recording", json={"state": "off"}).status_code == 200
    played = Played(path, tmp_path_factory.mktemp("played") / "played")
    yield played, live
    played.stop()


def assert_as_live(message, live):
    """Each row is the live one of the message's tick; a full message has them all."""
    tick = message["tick"]
    if tick not in live.rows:
        assert tick in (BEGIN, BEGIN + 1), f"tick {tick} is none that was recorded"
        return
    rows = {row[0]: row for row in message["drones"]}
    assert len(rows) == len(message["drones"])
    assert message["simTime"] == live.times[tick]
    was = live.rows[tick]
    wrong = {drone: (row, was.get(drone)) for drone, row in rows.items() if row != was.get(drone)}
    assert not wrong, f"tick {tick}: {wrong}"
    assert not message["full"] or rows.keys() == was.keys()


def airborne(rows):
    return {drone: row for drone, row in rows.items() if row[-1] not in ON_THE_GROUND}


@pytest.mark.parametrize("speed", [1, 7, 60, 400, -1, -7, -60, -400])
@pytest.mark.parametrize("topic", ["area", "drone"])
def test_rows_are_those_of_the_live_run_at_any_speed_and_backwards(recorded, speed, topic):
    played, live = recorded
    ticks = sorted(live.rows)
    first = ticks[5] if speed > 0 else ticks[-5]
    count = 8 if abs(speed) == 1 else 60
    played.control(simTime=live.times[first], state="paused")
    with Window(played) as window:
        drones = sorted(live.rows[first])
        topics = (
            [dict(topic="area", bbox=WORLD)]
            if topic == "area"
            else [dict(topic=f"drone/{drone}") for drone in drones]
        )
        for number, wish in enumerate(topics, 1):
            window.subscribe(number, maxHz=10, **wish)
        played.control(state="running", speed=speed)
        pictures, seen, told = {}, set(), 0
        while told < count * len(topics):
            message = window.find(lambda message: message["type"] == "positions")
            tick = message["tick"]
            if topic == "area":
                assert_as_live(message, live)
                picture = {} if message["full"] else dict(pictures)
                picture |= {row[0]: row for row in message["drones"]}
                for drone in message["gone"]:
                    picture.pop(drone)
                assert airborne(picture) == airborne(live.rows[tick]), tick
                pictures = picture
                if told % 5 == 2:
                    window.send(type="update", id=1, bbox=WORLD)
            else:
                for row in message["drones"]:
                    assert row == live.rows[tick][row[0]], tick
            seen.add(tick)
            told += 1
            if tick in (ticks[0], ticks[-1]):
                break
    played.control(state="paused")
    # At 400x a slow machine shows few of the recording's 2,400 ticks.
    assert len(seen) > 1, "time went by"


def test_events_are_those_of_the_live_run(recorded):
    played, live = recorded
    ticks = sorted(live.rows)
    played.control(simTime=live.times[ticks[0]], state="paused")
    with Window(played) as window:
        window.subscribe(1, "events")
        snapshot = window.expect(type="snapshot", id=1)
        last = live.events[-1]["seq"]
        assert snapshot["seq"] < last
        played.control(state="running", speed=50)
        told = []
        while not told or told[-1]["seq"] < last:
            told.append(window.expect(type="event", id=1))
            # Told with the frame that follows, never ahead of it.
            frame = -(-told[-1]["tick"] // FRAME) * FRAME
            assert played.clock["tick"] >= frame
    was = [event for event in live.events if event["seq"] > snapshot["seq"]]
    keys = ("seq", "tick", "simTime", "event")
    assert [[event[key] for key in keys] for event in told] == [[event[key] for key in keys] for event in was]
