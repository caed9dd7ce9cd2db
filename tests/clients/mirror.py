"""What the program shows of one thing in all places where it shows it.

The tests that use it compare places with each other, whatever the world does; they know
no numbers of any scenario.
"""

import json
from contextlib import contextmanager

import pytest

from skyhaul import HERE, PATIENCE_SECONDS, eventually
from window import Picture, Window

MIXED = HERE / "worlds/mixed.toml"
CROWD = HERE / "worlds/crowd.toml"

#: West, south, east, north of more than any of the worlds.
EVERYWHERE = [-122.6, 37.6, -122.2, 37.9]
IN_THE_AIR = {"climbing", "cruising", "descending", "hovering", "returning", "holding"}
ENDED = {"Completed", "Cancelled", "Failed"}
UNDER_WAY = {"HeadedToPickup", "HeadedToDropoff"}

#: A delivery's own routes, all to be filled in with its id.
OF_A_DELIVERY = (
    "/api/deliveries/{}",
    "/api/deliveries/public/{}",
    "/api/deliveries/{}/owner",
    "/api/deliveries/{}/status",
    "/api/deliveryrequests/{}",
    "/api/deliveryhistory/{}",
)
SUMMARIES = ("/api/deliveries/summary", "/api/packages/summary", "/api/dronedeliveries/utilization")


def as_text(bbox):
    return ",".join(map(str, bbox))


def by_id(items):
    """The items by their id, which none shares with another."""
    found = {item["id"]: item for item in items}
    assert len(found) == len(items), "an id is shown once"
    return found


def drones(server, **wishes):
    return by_id(server.pages("/api/drones", 1000, **wishes))


def deliveries(server, **wishes):
    return by_id(server.pages("/api/deliveries", 1000, **wishes))


def owners(server):
    return sorted({delivery["owner"]["accountId"] for delivery in deliveries(server).values()})


def place(drone):
    return drone["location"]["latitude"], drone["location"]["longitude"]


def assert_row_is_of(row, drone):
    """A row has fewer digits than HTTP, and says the same."""
    id, latitude, longitude, height, heading, speed, battery, status = row
    assert (id, status) == (drone["id"], drone["status"])
    assert (latitude, longitude) == place(drone)
    assert height == pytest.approx(drone["location"]["altitude"], abs=0.051)
    assert 0 <= heading < 360 and isinstance(heading, int)
    assert abs((heading - drone["heading"] + 180) % 360 - 180) <= 0.51
    assert speed == pytest.approx(drone["groundSpeed"], abs=0.051)
    assert battery == pytest.approx(drone["battery"], abs=0.0051)


def metrics(server, prefix="skyhaul_"):
    """The measurements by their name with labels."""
    lines = server.http.get("/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith(prefix))
    return {name: float(value) for name, value in pairs}


def snapshot(window, topic, id=900):
    """What a newcomer to a topic is told first."""
    window.subscribe(id, topic)
    told = window.expect(type="snapshot", id=id)
    leave(window, id)
    return told


def leave(window, id):
    window.send(type="unsubscribe", id=id)
    window.expect(type="unsubscribed", id=id)
    window.drop(id)


def events_since(window, topic, seq, id=901):
    """All events of a topic after a number, up to now, while time stands still."""
    last = snapshot(window, topic)["seq"]
    answer = window.subscribe(id, topic, since={"epoch": window.welcome["epoch"], "seq": seq})
    assert answer["recovered"], f"{topic} since {seq} is within the window"
    events = [window.expect(type="event", id=id) for _ in range(seq, last)]
    window.ping()
    more = [it for it in window.waiting if it.get("id") == id and it["type"] in ("event", "snapshot")]
    leave(window, id)
    assert not more, "replayed to the last, not summed up"
    assert [event["seq"] for event in events] == list(range(seq + 1, last + 1))
    return events


def all_events(server):
    with Window(server) as window:
        return events_since(window, "events", 0)


@contextmanager
def area(server, bbox, **wishes):
    """The picture that an area subscription keeps."""
    with Window(server) as window:
        answer = window.subscribe(1, "area", bbox=bbox, **wishes)
        picture = Picture(window, 1, bbox)
        picture.bbox, picture.hz = answer["bbox"], answer["hz"]
        yield picture


def stream(server, enough, last_event_id=None, **wishes):
    """Server-sent events until there are enough of them: (kind, id, data)."""
    told, event = [], {}
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with server.http.stream(
        "GET", "/api/stream", params=wishes, headers=headers, timeout=PATIENCE_SECONDS
    ) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
            elif "data" in event:
                told.append((event["event"], event.get("id"), json.loads(event["data"])))
                event = {}
                if enough(told):
                    return told
            else:
                event = {}
    raise AssertionError(f"the stream ended: {told[-3:]}")


def step(server, ticks=1):
    """Lets some ticks pass, and returns the tick that can be seen then."""
    wanted = server.clock["tick"] + ticks
    answer = server.http.post("/api/simulation/step", json={"ticks": ticks})
    assert answer.status_code == 200, answer.text
    eventually(lambda: server.clock["tick"] == wanted, f"tick {wanted} can be seen")
    return wanted


def place_orders(server, *orders):
    """Requests deliveries while time goes by, and stands still again."""
    server.control(state="running", speed=1)
    ids = [server.order(**order) for order in orders]
    server.control(state="paused")
    return ids


