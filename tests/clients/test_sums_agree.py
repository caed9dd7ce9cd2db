"""Sums are sums of what happened: by owner, by month, by fleet, and of a run without a server.

A run with `skyhaul run` and a server with the same world are one world; what the summaries
say is added up anew here from the events and compared.
"""

import json
import statistics
import subprocess
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from mirror import CROWD, ENDED, MIXED, all_events, deliveries, metrics, owners, snapshot
from skyhaul import PROGRAM
from window import Window

LAST_TICK = 24_000
JUNE = {"year": 2026, "month": 6}
METRES_IN_A_MILE = 1609.344
KILOGRAMS_IN_A_POUND = 0.45359237
#: Summaries are rounded to six decimals.
EXACT = {"abs": 1e-6}


@pytest.fixture(scope="module")
def report():
    """What `skyhaul run` says of the whole of the world."""
    run = subprocess.run([PROGRAM, "run", MIXED, "--json"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def lived(shared):
    """A server that has come as far as that run, with interruptions."""
    server = shared.start(MIXED, "--paused")
    for tick in (1, 777, 5000, LAST_TICK):
        server.run_until(tick)
    return server


@pytest.fixture(scope="module")
def log(lived):
    return all_events(lived)


def of_kind(log, kind):
    return [message["event"] for message in log if message["event"]["kind"] == kind]


def histories(server):
    return [server.get(f"/api/deliveryhistory/{id}") for id in deliveries(server)]


def flights(log):
    """Every flight that is over, as the drone told of it: (delivery, energy, miles, hours)."""
    started, done = {}, []
    for event in (message["event"] for message in log):
        if event["kind"] == "TakenOff":
            started[event["droneId"]] = event["deliveryId"]
        elif event["kind"] in ("Landed", "Lost"):
            delivery = started.pop(event["droneId"], None)
            miles, hours = event["distanceM"] / METRES_IN_A_MILE, event["airborneSeconds"] / 3600
            done.append((delivery, event["energyWh"], miles, hours))
    return done


def month_of(message):
    return int(message["simTime"][5:7])


def weights(log):
    """Pounds by owner and month of all packages that were made and not undone.

    A request that waits for a drone, a van or its time has its package; who ends before a bearer
    sets out for it has none any more.
    """
    pounds = defaultdict(float)
    requests = {}
    for message in log:
        event = message["event"]
        match event["kind"]:
            case "Accepted":
                weight = event["payloadKg"] / KILOGRAMS_IN_A_POUND
                requests[event["deliveryId"]] = {"owner": event["ownerId"], "pounds": weight, "made": None}
            case "Assigned" | "HandedToCarrier" | "Delayed" as kind:
                request = requests[event["deliveryId"]]
                request["made"] = request["made"] or month_of(message)
                # What is on its way home is still its drone's.
                if kind != "Delayed" or event["waitingFor"] != "return":
                    request["under way"] = kind != "Delayed"
            case "Failed" | "Cancelled":
                request = requests[event["deliveryId"]]
                # A delivery that ends for these reasons had somebody who came for it.
                its_own = event.get("reason") in ("drone_lost", "carrier_failed", "not_confirmed", "too_many_attempts")
                if not its_own and not request.get("under way"):
                    request["made"] = None
    for request in requests.values():
        if request["made"]:
            pounds[request["owner"], request["made"]] += request["pounds"]
    return pounds


def test_a_run_and_a_server_live_the_same_world(report, lived):
    assert report["ticks"] == LAST_TICK
    assert report["digest"] == lived.clock["digest"]
    buckets = Counter()
    for delivery in deliveries(lived).values():
        stage = delivery["stage"]
        if stage in ("Failed", "Cancelled"):
            buckets[stage.lower()] += 1
        elif delivery["carrier"]:
            buckets["thirdParty"] += 1
        else:
            buckets["completed" if stage == "Completed" else "inProgress"] += 1
    counted = dict(report["deliveries"])
    assert counted.pop("requested") == sum(counted.values()) == len(deliveries(lived))
    assert {name: count for name, count in counted.items() if count} == buckets


def test_the_quotes_of_a_run_are_those_that_the_histories_keep(report, lived):
    """How far off the quotes were, added up from the history of each delivery."""
    off, shares = [], []
    for told in histories(lived):
        if told["delivery"]["stage"] == "Completed" and told["delivery"]["droneId"]:
            quote, done = told["quotedEtas"][0], datetime.fromisoformat(told["events"][-1]["simTime"])
            off.append((done - datetime.fromisoformat(quote["deliveryEta"])).total_seconds())
            trip = (done - datetime.fromisoformat(quote["simTime"])).total_seconds()
            shares.append(abs(off[-1]) / trip)
    assert len(off) == report["deliveries"]["completed"] > 30
    assert report["eta"]["quoteBiasSeconds"] == pytest.approx(statistics.mean(off), abs=1e-3)
    assert report["eta"]["quoteErrorP50"] == pytest.approx(statistics.median(shares), rel=0.05)
    assert report["eta"]["lateShare"] == pytest.approx(sum(late > 1 for late in off) / len(off))


def test_every_end_is_told_once_and_counted_once(lived, log):
    ends = Counter(event["deliveryId"] for kind in ENDED for event in of_kind(log, kind))
    assert set(ends.values()) == {1}
    known = deliveries(lived)
    assert ends.keys() == {id for id, delivery in known.items() if delivery["stage"] in ENDED}
    for kind in ENDED:
        assert {event["deliveryId"] for event in of_kind(log, kind)} == {
            id for id, delivery in known.items() if delivery["stage"] == kind
        }
    accepted = [event["deliveryId"] for event in of_kind(log, "Accepted")]
    assert sorted(accepted) == sorted(known), "accepted once each, and nothing else is known"


def test_deliveries_of_a_month_are_those_that_were_told_to_be_completed(lived, log):
    owner = {event["deliveryId"]: event["ownerId"] for event in of_kind(log, "Accepted")}
    completed = Counter(owner[event["deliveryId"]] for event in of_kind(log, "Completed"))
    for account in owners(lived):
        assert lived.get("/api/deliveries/summary", ownerId=account, **JUNE) == {"count": completed[account]}
        for other in ({"year": 2026, "month": 5}, {"year": 2026, "month": 7}, {"year": 2025, "month": 6}):
            assert lived.get("/api/deliveries/summary", ownerId=account, **other) == {"count": 0}
    total = sum(completed.values())
    assert total > 50
    assert metrics(lived)['skyhaul_deliveries{state="completed"}'] == total
    with Window(lived) as window:
        fleet = snapshot(window, "fleet")["fleet"]
    assert fleet["deliveries"]["completed"] == total
    # What is promised for a drone is judged, not what a van makes of the traffic.
    by_van = {event["deliveryId"] for event in of_kind(log, "HandedToCarrier")}
    by_drone = [event for event in of_kind(log, "Completed") if event["deliveryId"] not in by_van]
    assert 0 < len(by_drone) == fleet["etaError"]["samples"]
    assert fleet["deliveries"]["accepted"] == len(owner)


def test_packages_of_a_month_weigh_what_was_taken_on(lived, log):
    pounds = weights(log)
    for account in owners(lived):
        weight = lived.get("/api/packages/summary", ownerId=account, **JUNE)["totalWeight"]
        assert weight == pytest.approx(pounds[account, 6], **EXACT)
    accepted = {event["ownerId"] for event in of_kind(log, "Accepted")}
    assert "closed" in accepted and pounds["closed", 6] == 0, "its request failed before there was a package"
    assert sum(pounds.values()) > 50


def test_miles_and_hours_are_those_of_the_flights_that_are_over(lived, log):
    owner = {event["deliveryId"]: event["ownerId"] for event in of_kind(log, "Accepted")}
    miles, hours = defaultdict(float), defaultdict(float)
    for delivery, _, flown, took in flights(log):
        if delivery:
            miles[owner[delivery]] += flown
            hours[owner[delivery]] += took
    assert sum(miles.values()) > 100
    for account in owners(lived):
        answer = lived.http.get("/api/dronedeliveries/utilization", params={"ownerId": account, **JUNE})
        if account in miles:
            booked = answer.json()
            assert booked["traveledMiles"] == pytest.approx(miles[account], **EXACT)
            assert booked["assignedHours"] == pytest.approx(hours[account], **EXACT)
        else:
            assert answer.status_code == 404, "nothing was flown for it"


def test_energy_of_a_delivery_is_that_of_its_flights(report, lived, log):
    used = defaultdict(float)
    for delivery, energy, _, _ in flights(log):
        used[delivery] += energy
    assert sum(used.values()) == pytest.approx(report["energy"]["totalWh"])
    for told in histories(lived):
        energy = used.get(told["delivery"]["id"])
        if energy is None:
            assert told["energyWh"] is None, "still in the air, or never flown"
        else:
            assert told["energyWh"] == pytest.approx(energy, abs=1e-3)


def test_hubs_tell_of_every_change_of_their_queues(lived, log):
    """The last `QueueChanged` of a hub is what the hub shows."""
    last = {event["hub"]: event for event in of_kind(log, "QueueChanged")}
    for hub in lived.get("/api/hubs")["items"]:
        event = last[hub["id"]]
        assert (event["charging"], event["queued"]) == (hub["charging"], hub["queued"])


def test_every_event_is_at_a_tick_and_in_order(lived, log):
    assert [message["seq"] for message in log] == list(range(1, len(log) + 1))
    ticks = [message["tick"] for message in log]
    assert ticks == sorted(ticks)
    for message in log:
        seconds = message["tick"] / 10
        assert message["simTime"] == f"2026-06-01T18:{int(seconds // 60):02}:{seconds % 60:06.3f}Z"
    assert metrics(lived)["skyhaul_event_log_last"] == len(log)


def test_months_are_cut_at_midnight(servers):
    """What ended before the first of July is June's, and no delivery is in both or in neither."""
    server = servers.start(CROWD, "--paused")
    server.run_until(200)
    log = all_events(server)
    owner = {event["deliveryId"]: event["ownerId"] for event in of_kind(log, "Accepted")}
    ended, weight = Counter(), weights(log)
    for message in log:
        event = message["event"]
        if event["kind"] == "Completed":
            ended[owner[event["deliveryId"]], month_of(message)] += 1
    assert {month for _, month in ended} == {6, 7}
    for (account, month), count in ended.items():
        when = {"ownerId": account, "year": 2026, "month": month}
        assert server.get("/api/deliveries/summary", **when) == {"count": count}
        pounds = server.get("/api/packages/summary", **when)["totalWeight"]
        assert pounds == pytest.approx(weight[account, month], abs=1e-4)
