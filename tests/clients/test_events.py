"""Lifecycle events: in order, without holes, and taken up again where a client left off."""

import signal

import pytest

from skyhaul import BUSY, TINY
from window import Window

pytestmark = pytest.mark.usefixtures("each_encoding")

STAGES = ["Created", "HeadedToPickup", "PickedUp", "HeadedToDropoff", "Completed"]


def events_until(window, id, kind):
    """The events of a subscription up to the first of a kind."""
    found = []
    while not found or found[-1]["event"]["kind"] != kind:
        found.append(window.expect(type="event", id=id))
    return found


def said(events):
    """What events say, without the subscription that they came by."""
    return [{key: event[key] for key in ("seq", "tick", "simTime", "event")} for event in events]


def assert_numbered(events, after):
    """Numbers without holes, and time goes forward."""
    assert [event["seq"] for event in events] == list(range(after + 1, after + 1 + len(events)))
    assert [event["tick"] for event in events] == sorted(event["tick"] for event in events)


def follow_to_the_end(server, delivery):
    """All events of a new delivery, and the snapshot before them."""
    with Window(server) as window:
        assert not window.subscribe(1, f"delivery/{delivery}")["recovered"]
        snapshot = window.expect(type="snapshot", id=1)
        server.control(state="running", speed="max")
        events = events_until(window, 1, "Completed")
    server.control(state="paused")
    return snapshot, events


def resume(server, topic, epoch, seq, until):
    """What a client hears that says what it has heard already."""
    with Window(server) as window:
        since = {"epoch": epoch, "seq": seq}
        answer = window.subscribe(1, topic, since=since)
        assert answer["recovered"], "the window reaches back this far"
        events = []
        while seq < until:
            events.append(window.expect(type="event", id=1))
            seq = events[-1]["seq"]
        window.ping()
        assert not any(message["type"] == "snapshot" for message in window.waiting)
        return events


def test_a_delivery_is_told_in_order_and_without_holes(tiny):
    delivery = tiny.order()
    snapshot, events = follow_to_the_end(tiny, delivery)
    assert snapshot["delivery"]["id"] == delivery
    assert_numbered(events, after=snapshot["seq"])
    kinds = [event["event"]["kind"] for event in events]
    told = [kind for kind in kinds if kind in STAGES]
    assert told == STAGES
    assert kinds.index("Assigned") < kinds.index("HeadedToPickup")
    assert all(event["event"]["deliveryId"] == delivery for event in events)
    assert tiny.stage(delivery) == "Completed"


def test_a_drone_tells_of_its_flight_and_says_whose_it_is(tiny):
    with Window(tiny) as window:
        for number in range(3):
            window.subscribe(number, f"drone/d-{number}")
            assert window.expect(type="snapshot", id=number)["seq"] == 0
        delivery = tiny.order()
        tiny.control(state="running", speed="max")
        landed = window.find(lambda m: m["type"] == "event" and m["event"]["kind"] == "Landed")
        flown = [m for m in window.waiting if m["type"] == "event"] + [landed]
    carrier = tiny.get(f"/api/deliveries/{delivery}")["droneId"]
    assert {event["event"]["droneId"] for event in flown} == {carrier}, "the others stay"
    assert_numbered(flown, after=0)
    kinds = [event["event"]["kind"] for event in flown]
    assert (kinds[0], kinds[-1]) == ("TakenOff", "Landed")
    assert flown[0]["event"]["deliveryId"] == delivery
    with Window(tiny) as window:
        window.subscribe(1, f"drone/{carrier}")
        assert window.expect(type="snapshot", id=1)["seq"] == len(flown)


def test_who_comes_back_hears_what_was_missed_and_nothing_twice(tiny):
    delivery = tiny.order()
    topic = f"delivery/{delivery}"
    epoch = tiny.clock["epoch"]
    snapshot, events = follow_to_the_end(tiny, delivery)
    last = events[-1]["seq"]
    for seq in range(snapshot["seq"], last + 1):
        missed = resume(tiny, topic, epoch, seq, last)
        assert said(missed) == said(event for event in events if event["seq"] > seq)


@pytest.mark.parametrize("elsewhere", [{"epoch": "e999", "seq": 1}, {"seq": 10_000}])
def test_who_comes_back_from_elsewhere_gets_a_snapshot(tiny, elsewhere):
    since = {"epoch": tiny.clock["epoch"]} | elsewhere
    delivery = tiny.order()
    _, events = follow_to_the_end(tiny, delivery)
    with Window(tiny) as window:
        assert not window.subscribe(1, f"delivery/{delivery}", since=since)["recovered"]
        snapshot = window.expect(type="snapshot", id=1)
    assert snapshot["seq"] == events[-1]["seq"]
    assert snapshot["delivery"]["stage"] == "Completed"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_neither_loses_nor_repeats_events(servers, end):
    server = servers.start(TINY, "--paused", "--no-demand")
    delivery = server.order()
    topic, epoch = f"delivery/{delivery}", server.clock["epoch"]
    with Window(server) as window:
        window.subscribe(1, topic)
        heard = [window.expect(type="snapshot", id=1)["seq"]]
        server.control(state="running", speed=50)
        before = events_until(window, 1, "HeadedToPickup")
    server.stop(end)

    server.start()
    seq = before[-1]["seq"]
    assert server.clock["epoch"] == epoch
    with Window(server) as window:
        assert window.subscribe(1, topic, since={"epoch": epoch, "seq": seq})["recovered"]
        server.control(state="running", speed="max")
        after = events_until(window, 1, "Completed")
    assert_numbered(before + after, after=heard[0])
    told = [event["event"]["kind"] for event in before + after]
    assert [kind for kind in told if kind in STAGES] == STAGES


def test_hubs_and_the_fleet_tell_how_they_stand(servers):
    busy = servers.start(BUSY, "--speed", "50")
    with Window(busy) as window:
        window.subscribe(1, "fleet")
        window.subscribe(2, "hub/mission")
        assert window.expect(type="snapshot", id=2)["hub"]["id"] == "mission"
        first = window.expect(type="snapshot", id=1)["fleet"]
        told = [window.expect(type="fleet", id=1) for _ in range(2)]
        assert [message["tick"] for message in told] == sorted(message["tick"] for message in told)
        assert all(message["fleet"].keys() == first.keys() for message in told)
        assert window.expect(type="snapshot", id=2)["hub"]["id"] == "mission", "it has changed"
