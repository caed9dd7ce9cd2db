"""One delivery tells one story: in every route, on every topic, at every tick, to the end.

All deliveries are walked: those of the scenario's own customers and outside orders with and
without confirmation, by drone and by carrier, cancelled, rescheduled, refused and failed.
"""

from collections import Counter
from datetime import datetime

import pytest

from mirror import (
    ENDED,
    MIXED,
    UNDER_WAY,
    all_events,
    assert_row_is_of,
    deliveries,
    drones,
    events_since,
    leave,
    metrics,
    place_orders,
    snapshot,
)
from skyhaul import TINY
from window import Picture, Window

LATER = {"pickupTime": "2026-06-01T18:20:00Z"}
#: An ETA may move by less than this before anybody is told.
TOLD_SECONDS = 6

HEAVY = {"packageInfo": {"packageId": "heavy", "size": "Large", "weight": "30"}}


@pytest.fixture
def mixed(servers):
    """All kinds of orders in a world where much goes wrong, a moment after they were placed."""
    server = servers.start(MIXED, "--paused")
    server.control(state="running", speed=1)
    for kind in ("Picture", "Voice", "None", "FingerPrint"):
        server.order(ownerId="acme", confirmationRequired=kind)
    server.order(ownerId="acme", **HEAVY)
    server.order(ownerId="closed")
    later, never = (server.order(ownerId="acme", **LATER) for _ in range(2))
    moved = server.http.patch(f"/api/deliveryrequests/{later}", json={"deliveryId": later, "dropOffLocation": "City Hall"})
    assert moved.status_code == 200, moved.text
    assert server.http.delete(f"/api/deliveryrequests/{never}").status_code == 204
    server.control(state="paused")
    return server


def walk(server, ticks):
    for tick in ticks:
        server.run_until(tick)
        yield tick, deliveries(server)


def story(server, id):
    return server.get(f"/api/deliveryhistory/{id}")["events"]


def rounded(location):
    return {name: round(value, 6) for name, value in location.items()}


def test_every_route_knows_the_same_delivery(mixed):
    for _, known in walk(mixed, range(300, 12000, 3900)):
        states = {flow["deliveryId"]: flow for flow in mixed.pages("/api/supervisor/workflows", 1000)}
        assert states.keys() == known.keys()
        assert mixed.pages("/api/deliveries", 7) == list(known.values())
        for id, listed in known.items():
            stage = listed["stage"]
            plain = {name: value for name, value in listed.items() if name != "stage"}
            assert mixed.get(f"/api/deliveries/{id}") == plain
            assert mixed.get(f"/api/deliveries/public/{id}") == plain
            assert mixed.get(f"/api/deliveries/{id}/owner") == plain["owner"]
            assert mixed.stage(id) == stage
            assert mixed.get(f"/api/deliveryrequests/{id}") == states[id]
            told = mixed.get(f"/api/deliveryhistory/{id}")
            assert told["delivery"] == listed
            assert [event["seq"] for event in told["events"]] == list(range(1, len(told["events"]) + 1))
            assert told["events"][-1]["stage"] == stage
            state = states[id]["state"]
            assert (state == "Cancelled") == (stage == "Cancelled")
            if state in ("Failed", "DeadLettered"):
                assert stage == "Failed"
            if stage in UNDER_WAY | {"Completed"} and states[id]["waitingFor"] != "return":
                assert state == "Scheduled", "what is under way has been through all steps"


def test_lists_by_stage_and_owner_share_out_all_deliveries(mixed):
    mixed.run_until(9000)
    known = deliveries(mixed)
    stages = {delivery["stage"] for delivery in known.values()}
    accounts = {delivery["owner"]["accountId"] for delivery in known.values()}
    assert len(stages) >= 5 and len(accounts) >= 5, "there is something to tell apart"
    for stage in stages:
        assert deliveries(mixed, stage=stage) == {id: it for id, it in known.items() if it["stage"] == stage}
    for account in accounts:
        mine = {id: it for id, it in known.items() if it["owner"]["accountId"] == account}
        assert deliveries(mixed, ownerId=account) == mine
        ended = {item["delivery"]["id"] for item in mixed.pages("/api/deliveryhistory", 5, ownerId=account)}
        assert ended == {id for id, it in mine.items() if it["stage"] in ENDED}


def test_a_delivery_is_where_its_drone_is(mixed):
    met = Counter()
    for _, known in walk(mixed, range(300, 12000, 1300)):
        fleet = drones(mixed)
        for id, delivery in known.items():
            stage, drone = delivery["stage"], delivery["droneId"]
            status = mixed.get(f"/api/deliveries/{id}/status")
            met[stage] += 1
            if stage in UNDER_WAY and drone:
                assert fleet[drone]["deliveryId"] == id
                assert status["lastKnownLocation"] == fleet[drone]["location"]
            elif stage == "Completed":
                assert rounded(status["lastKnownLocation"]) == rounded(delivery["dropoff"])
            elif drone is None and not delivery["carrier"] and len(story(mixed, id)) < 4:
                assert status["lastKnownLocation"] == delivery["pickup"], "nothing has moved yet"
            if stage == "Created":
                assert drone is None or fleet[drone]["deliveryId"] == id
            assert not (drone and delivery["carrier"]), "one carries it"
        for id, drone in fleet.items():
            if drone["deliveryId"]:
                assert known[drone["deliveryId"]]["droneId"] == id
                assert known[drone["deliveryId"]]["stage"] in UNDER_WAY
                assert mixed.get(f"/api/deliveries/{drone['deliveryId']}/owner")
    assert met.keys() >= {"Created", "HeadedToPickup", "HeadedToDropoff", "Completed", "Failed", "Cancelled"}


def test_a_topic_begins_with_what_the_status_says(mixed, each_encoding):
    for tick, known in walk(mixed, (3000, 9000)):
        with Window(mixed) as window:
            for id, delivery in known.items():
                told = snapshot(window, f"delivery/{id}")
                status = mixed.get(f"/api/deliveries/{id}/status")
                shown = told["delivery"]
                assert told["tick"] == tick and told["seq"] == len(story(mixed, id))
                assert (shown["id"], shown["droneId"]) == (id, delivery["droneId"])
                assert shown.get("carrier") == delivery["carrier"]
                assert (shown.get("price") is not None) == (delivery["carrier"] is not None)
                assert shown.get("price") == delivery.get("price") == status.pop("price", None)
                guess, back = status.pop("estimate", None), status.pop("returnETA", None)
                assert not (guess or back) or shown["deliveryEta"] is None, "a guess is where no promise is"
                assert {
                    "stage": shown["stage"],
                    "lastKnownLocation": shown["location"],
                    "pickupETA": shown["pickupEta"],
                    "deliveryETA": shown["deliveryEta"],
                } == status
            fleet = drones(mixed)
            flying = [it for it in known.values() if it["droneId"] and it["stage"] in UNDER_WAY]
            for delivery in flying[:5]:
                window.subscribe(1, f"delivery/{delivery['id']}")
                [row] = Picture(window, 1).reach(tick).values()
                assert_row_is_of(row, fleet[delivery["droneId"]])
                leave(window, 1)


def test_the_history_is_what_was_told_as_it_happened(mixed, each_encoding):
    """`delivery/{id}` from its beginning, the events of all, and the history are one story."""
    mixed.run_until(12000)
    with Window(mixed) as window:
        log = events_since(window, "events", 0)
        for id in deliveries(mixed):
            written = story(mixed, id)
            told = events_since(window, f"delivery/{id}", 0)
            seen = [(event["event"]["kind"], event["simTime"]) for event in told]
            assert seen == [(event["kind"], event["simTime"]) for event in written]
            # Events of its drone name the delivery too, without being part of its story.
            mine = [it for it in log if it["event"].get("deliveryId") == id and "hub" not in it["event"]]
            assert [(it["tick"], it["event"]) for it in mine] == [(it["tick"], it["event"]) for it in told]
            for event, line in zip(told, written):
                told_eta = event["event"].get("deliveryEta")
                assert told_eta is None or told_eta == line["deliveryEta"]


def test_whoever_was_away_is_told_the_rest_wherever_it_left(mixed):
    """`since` n replays exactly what the full log has after n, for every n."""
    mixed.run_until(6000)
    with Window(mixed) as window:
        log = events_since(window, "events", 0)
        for seq in (1, 2, len(log) // 2, len(log) - 1, len(log)):
            assert [it["event"] for it in events_since(window, "events", seq)] == [
                it["event"] for it in log[seq:]
            ]
        longest = max(deliveries(mixed), key=lambda id: len(story(mixed, id)))
        full = events_since(window, f"delivery/{longest}", 0)
        for seq in range(len(full) + 1):
            assert events_since(window, f"delivery/{longest}", seq) == [it | {"id": 901} for it in full[seq:]]


def test_a_story_is_told_in_an_order_that_can_be(mixed):
    """Stages only go forward, an end is the end, and times never go back."""
    mixed.run_until(20000)
    allowed = {
        "Created": {"Created", "Rescheduled", "HeadedToPickup", "Cancelled", "Failed"},
        "Rescheduled": {"Created", "Rescheduled", "HeadedToPickup", "Cancelled", "Failed"},
        # A drone that breaks, or comes back with what nobody took, is sent once more.
        "HeadedToPickup": {"Created", "Rescheduled", "HeadedToPickup", "HeadedToDropoff", "Cancelled", "Failed"},
        "HeadedToDropoff": {"Created", "HeadedToPickup", "HeadedToDropoff", "Completed", "Failed"},
        "Completed": set(),
        "Cancelled": set(),
        "Failed": set(),
    }
    for id in deliveries(mixed):
        events = story(mixed, id)
        assert events[0]["kind"] == "Accepted" and events[0]["stage"] == "Created"
        for earlier, later in zip(events, events[1:]):
            assert later["stage"] in allowed[earlier["stage"]], events
            assert later["simTime"] >= earlier["simTime"]
        kinds = Counter(event["kind"] for event in events)
        assert kinds["Accepted"] == 1 and kinds["Created"] <= 1
        assert sum(kinds[end] for end in ENDED) <= 1
        assert kinds["HeadedToDropoff"] <= kinds["PickedUp"] <= kinds["Assigned"] + kinds["HandedToCarrier"]


def seconds_between(earlier, later):
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def assert_events_know_the_etas(server):
    """Who only hears the events of a delivery knows as much as who asks for its status."""
    now = server.clock["simTime"]
    for id, delivery in deliveries(server).items():
        status, event = server.get(f"/api/deliveries/{id}/status"), story(server, id)[-1]
        last, eta = event["deliveryEta"], status["deliveryETA"]
        assert (last is None) == (eta is None)
        if eta is None:
            continue
        assert abs(seconds_between(last, eta)) < TOLD_SECONDS, f"{id}: told {last}, shown {eta}"
        assert status["pickupETA"] is not None and status["pickupETA"] <= eta
        # At the door nobody knows when the recipient comes, who is drawn by an order's id.
        is_at_door = event["kind"] == "AwaitingConfirmation"
        if delivery["stage"] in UNDER_WAY and delivery["droneId"] and not is_at_door:
            assert seconds_between(now, eta) > -TOLD_SECONDS, f"{id} is promised for the past"


def test_who_hears_only_events_knows_the_etas_to_the_end(mixed):
    for tick in range(600, 14000, 1300):
        mixed.run_until(tick)
        assert_events_know_the_etas(mixed)
    for id, delivery in deliveries(mixed, stage="Completed").items():
        told = mixed.get(f"/api/deliveryhistory/{id}")
        before, done = told["events"][-2], told["events"][-1]["simTime"]
        assert mixed.get(f"/api/deliveries/{id}/status")["deliveryETA"] == done
        if delivery["droneId"]:
            assert told["quotedEtas"], "a drone's customers were told when"
            # At the door nobody knows when the recipient comes.
            if before["kind"] != "AwaitingConfirmation":
                assert abs(seconds_between(before["deliveryEta"], done)) < TOLD_SECONDS


def test_who_hears_only_events_knows_of_a_hold_in_the_air(mixed):
    mixed.run_until(3000)
    on_its_way = next(drone for drone in drones(mixed).values() if drone["status"] == "cruising" and drone["deliveryId"])
    mixed.control(state="running", speed=1)
    lost = mixed.http.post(
        "/api/simulation/faults", json={"kind": "link_lost", "target": on_its_way["id"], "duration": "20s"}
    )
    assert lost.status_code == 200, lost.text
    mixed.run_until(mixed.clock["tick"] + 100)
    assert any(it["event"]["kind"] == "Holding" for it in all_events(mixed))
    assert_events_know_the_etas(mixed)


def test_the_eta_of_an_event_is_the_eta_of_the_status_to_the_digit(mixed):
    mixed.run_until(3000)
    for id in deliveries(mixed):
        assert story(mixed, id)[-1]["deliveryEta"] == mixed.get(f"/api/deliveries/{id}/status")["deliveryETA"]


def test_counts_of_deliveries_are_counts_of_their_stages(mixed):
    mixed.run_until(6000)
    stages = Counter(delivery["stage"] for delivery in deliveries(mixed).values())
    with Window(mixed) as window:
        shown = snapshot(window, "fleet")["fleet"]["deliveries"]
    counted = metrics(mixed, "skyhaul_deliveries{")
    for stage, name in (("Completed", "completed"), ("Failed", "failed"), ("Cancelled", "cancelled")):
        assert shown.get(name, 0) == stages[stage]
        assert counted.get(f'skyhaul_deliveries{{state="{name}"}}', 0) == stages[stage]
    assert shown["accepted"] == sum(stages.values())


def test_a_delay_is_told_once(servers, tmp_path):
    world = tmp_path / "nobody-home.toml"
    world.write_text(TINY.read_text() + '\n[recipient]\nnever = 1.0\npatience = "5s"\nconfirm_after = "2s"\n')
    server = servers.start(world, "--paused", "--no-demand")
    [id] = place_orders(server, {"confirmationRequired": "Picture"})
    server.run_until(5000)
    told = [(event["tick"], event["event"]) for event in all_events(server) if event["event"].get("deliveryId") == id]
    assert all(earlier != later for earlier, later in zip(told, told[1:]))
