"""One drone at one tick looks the same wherever it is looked at."""

from collections import Counter

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from window import ON_THE_GROUND, Picture, Window

pytestmark = pytest.mark.usefixtures("each_encoding")

WORLD = [-122.45, 37.73, -122.38, 37.79]


def row(drone):
    """A drone of HTTP as a position row of the WebSocket."""
    place = drone["location"]
    return [
        drone["id"],
        pytest.approx(place["latitude"], abs=0.6e-6),
        pytest.approx(place["longitude"], abs=0.6e-6),
        pytest.approx(place["altitude"], abs=0.06),
        pytest.approx(drone["heading"] % 360, abs=0.6) if drone["heading"] < 359.5 else 0,
        pytest.approx(drone["groundSpeed"], abs=0.06),
        pytest.approx(drone["battery"], abs=0.006),
        drone["status"],
    ]


def shown(place):
    """A place that somebody chose, to the digits that places are shown with."""
    return pytest.approx(place, abs=0.6e-6)


def metrics(server):
    text = server.http.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def snapshot(server, clock, topic):
    """What a new connection is told of a topic first."""
    with Window(server) as window:
        window.subscribe(1, topic)
        found = window.expect(type="snapshot", id=1)
    assert (found["tick"], found["simTime"]) == (clock["tick"], clock["simTime"])
    return found[topic.split("/")[0]]


def followed(server, clock, topic):
    """The only row of a topic that is about one drone."""
    with Window(server) as window:
        window.subscribe(1, topic)
        (row,) = Picture(window, 1).reach(clock["tick"]).values()
    return row


def see_drones(server, clock):
    """All drones of this tick, once every way to look at them has agreed."""
    drones = {drone["id"]: drone for drone in server.pages("/api/drones", limit=7)}
    assert list(drones) == [drone["id"] for drone in server.pages("/api/drones", limit=1000)]
    assert len(drones) == 40
    for id, drone in drones.items():
        assert server.get(f"/api/drones/{id}") == drone

    features = server.get("/api/drones.geojson")["features"]
    assert {feature["id"]: feature["properties"] for feature in features} == drones
    for feature in features:
        place = feature["properties"]["location"]
        wanted = [place["longitude"], place["latitude"], place["altitude"]]
        assert feature["geometry"] == {"type": "Point", "coordinates": wanted}

    with Window(server) as window:
        window.subscribe(1, "area", bbox=WORLD)
        picture = Picture(window, 1, WORLD)
        rows = picture.reach(clock["tick"], full=True)
    assert picture.messages[-1]["simTime"] == clock["simTime"]
    assert rows == {id: row(drone) for id, drone in drones.items()}

    flying = [id for id, drone in drones.items() if drone["status"] not in ON_THE_GROUND]
    for id in flying[:5] + ["d-0", "d-39"]:
        assert snapshot(server, clock, f"drone/{id}") == drones[id]
        assert followed(server, clock, f"drone/{id}") == rows[id]
    return drones


def see_deliveries(server, clock, drones):
    """All deliveries of this tick with their stages, once every way has agreed."""
    listed = server.pages("/api/deliveries", limit=9)
    under_way = 0
    for delivery in listed:
        id = delivery["id"]
        stage = delivery.pop("stage")
        assert server.get(f"/api/deliveries/{id}") == delivery
        status = server.get(f"/api/deliveries/{id}/status")
        assert status["stage"] == stage
        drone = drones.get(delivery["droneId"])
        if stage == "Completed":
            assert status["lastKnownLocation"] == shown(delivery["dropoff"])
        elif drone is None:
            assert status["lastKnownLocation"] == shown(delivery["pickup"])
        else:
            assert drone["deliveryId"] == id
            assert status["lastKnownLocation"] == drone["location"]
            under_way += 1
            if under_way <= 5:
                see_on_topic(server, clock, delivery, status, drone)
    carrying = [drone["deliveryId"] for drone in drones.values() if drone["deliveryId"]]
    assert len(carrying) == len(set(carrying)) == under_way
    return [delivery | {"stage": server.stage(delivery["id"])} for delivery in listed]


def see_on_topic(server, clock, delivery, status, drone):
    topic = f"delivery/{delivery['id']}"
    assert snapshot(server, clock, topic) == {
        "id": delivery["id"],
        "stage": status["stage"],
        "droneId": drone["id"],
        "location": status["lastKnownLocation"],
        "pickupEta": status["pickupETA"],
        "deliveryEta": status["deliveryETA"],
    }
    assert followed(server, clock, topic) == row(drone)


def see_counts(server, clock, drones, deliveries):
    gauges = snapshot(server, clock, "fleet")
    counted = metrics(server)
    statuses = Counter(drone["status"] for drone in drones.values())
    flying = sum(count for status, count in statuses.items() if status not in ON_THE_GROUND)
    assert gauges["drones"] == counted["skyhaul_actors", ("kind", "drone")] == len(drones)
    assert gauges["airborne"] == counted["skyhaul_airborne_drones",] == flying
    assert gauges["charging"] == statuses["charging"]
    assert gauges["lost"] == statuses["lost"]
    assert (gauges["state"], gauges["speed"]) == (clock["state"], clock["speed"])
    assert counted["skyhaul_ticks_total",] == clock["tick"]

    stages = Counter(delivery["stage"] for delivery in deliveries)
    assert gauges["deliveries"]["accepted"] == len(deliveries)
    assert gauges["deliveries"]["completed"] == stages["Completed"]
    assert gauges["deliveries"]["failed"] == stages["Failed"]

    for hub in server.get("/api/hubs")["items"]:
        here = Counter(
            drone["status"]
            for drone in drones.values()
            if drone["status"] in ("parked", "charging") and drone["location"] == hub["location"]
        )
        assert (hub["parked"], hub["charging"]) == (here["parked"], here["charging"])
        assert snapshot(server, clock, f"hub/{hub['id']}") == hub


def test_every_way_to_look_shows_the_same_world(busy):
    ways = set()
    for tick in (600, 1501, 3000, 6007, 9000):
        clock = busy.run_until(tick)
        drones = see_drones(busy, clock)
        deliveries = see_deliveries(busy, clock, drones)
        see_counts(busy, clock, drones, deliveries)
        ways |= {drone["status"] for drone in drones.values()}
        assert busy.clock["tick"] == tick, "looking moves nothing"
    assert {"parked", "charging", "climbing", "cruising", "returning"} <= ways


def test_filters_and_boxes_choose_from_the_same_world(busy):
    busy.run_until(3000)
    drones = busy.pages("/api/drones", limit=1000)
    for hub in ("mission", "potrero"):
        wanted = [drone for drone in drones if drone["hub"] == hub]
        assert busy.pages("/api/drones", limit=3, hub=hub) == wanted
    for status in {drone["status"] for drone in drones}:
        wanted = [drone for drone in drones if drone["status"] == status]
        assert busy.pages("/api/drones", limit=3, status=status) == wanted
    box = (-122.43, 37.75, -122.41, 37.77)
    wanted = [
        drone
        for drone in drones
        if box[0] <= drone["location"]["longitude"] <= box[2]
        and box[1] <= drone["location"]["latitude"] <= box[3]
    ]
    assert 0 < len(wanted) < len(drones)
    asked = ",".join(str(degrees) for degrees in box)
    assert busy.pages("/api/drones", limit=3, bbox=asked) == wanted
    inside = busy.get("/api/drones.geojson", bbox=asked)["features"]
    assert [feature["properties"] for feature in inside] == wanted


def test_a_pause_shows_on_pictures_that_were_followed_all_along(busy):
    with Window(busy) as window:
        window.subscribe(1, "area", bbox=WORLD, maxHz=10)
        window.subscribe(2, "drone/d-0")
        everywhere, one = Picture(window, 1), Picture(window, 2)
        for tick in (700, 1400, 2100, 2800):
            busy.run_until(tick, speed=100)
            rows = everywhere.reach(tick)
            for drone in busy.pages("/api/drones", limit=1000):
                if drone["status"] not in ON_THE_GROUND:
                    assert rows[drone["id"]] == row(drone)
            assert one.reach(tick) == {"d-0": row(busy.get("/api/drones/d-0"))}
