"""A drone is in one place at a time, whichever way one looks.

HTTP lists, single drones, GeoJSON, hubs, metrics, position rows and server-sent events are
walked drone by drone, tick by tick, and must be of one mind.
"""

from collections import Counter

import pytest

from mirror import (
    EVERYWHERE,
    IN_THE_AIR,
    MIXED,
    area,
    as_text,
    assert_row_is_of,
    drones,
    metrics,
    place,
    snapshot,
    step,
    stream,
)
from skyhaul import TINY
from window import Picture, Window

LOOKS = range(500, 8000, 1500)


@pytest.fixture
def mixed(servers):
    return servers.start(MIXED, "--paused")


def within(drone, bbox):
    west, south, east, north = bbox
    latitude, longitude = place(drone)
    return south <= latitude <= north and west <= longitude <= east


def test_every_way_to_ask_for_drones_gives_the_same(mixed):
    for tick in LOOKS:
        mixed.run_until(tick)
        known = drones(mixed)
        assert {drone["id"]: drone for drone in mixed.pages("/api/drones", 7)} == known
        assert {id: mixed.get(f"/api/drones/{id}") for id in known} == known
        features = mixed.get("/api/drones.geojson")["features"]
        assert {feature["id"]: feature["properties"] for feature in features} == known
        for feature in features:
            latitude, longitude = place(feature["properties"])
            altitude = feature["properties"]["location"]["altitude"]
            assert feature["geometry"] == {"type": "Point", "coordinates": [longitude, latitude, altitude]}
        for name in ("hub", "status"):
            parts = {drone[name]: {} for drone in known.values()}
            for id, drone in known.items():
                parts[drone[name]][id] = drone
            assert {value: drones(mixed, **{name: value}) for value in parts} == parts


def test_rows_of_an_area_are_the_drones_of_the_list(mixed, each_encoding):
    with area(mixed, EVERYWHERE) as picture:
        for tick in LOOKS[::2]:
            mixed.run_until(tick)
            known = drones(mixed)
            rows = picture.reach(tick, full=True)
            assert rows.keys() == known.keys(), "a full message lists all, parked ones too"
            for id, row in rows.items():
                assert_row_is_of(row, known[id])


def test_deltas_add_up_to_the_list_at_every_single_tick(mixed):
    mixed.run_until(3740)
    with area(mixed, EVERYWHERE, maxHz=10) as picture:
        assert picture.hz == 10
        picture.next()
        for _ in range(40):
            rows = picture.reach(step(mixed))
            flying = {id: drone for id, drone in drones(mixed).items() if drone["status"] in IN_THE_AIR}
            for id, drone in flying.items():
                assert_row_is_of(rows[id], drone)
            shown = {id for id, row in rows.items() if row[-1] in IN_THE_AIR}
            assert shown == flying.keys(), "who has landed is not shown as flying on"
        assert not any(message["full"] for message in picture.messages[1:]), "no beat was skipped"


def test_a_pause_shows_on_pictures_that_were_followed_all_along(mixed, each_encoding):
    with Window(mixed) as window:
        window.subscribe(1, "area", bbox=EVERYWHERE, maxHz=10)
        window.subscribe(2, "drone/d-0")
        everywhere, one = Picture(window, 1), Picture(window, 2)
        for tick in (700, 1400, 2100):
            mixed.run_until(tick, speed=100)
            rows = everywhere.reach(tick)
            for id, drone in drones(mixed).items():
                if drone["status"] in IN_THE_AIR:
                    assert_row_is_of(rows[id], drone)
            assert_row_is_of(one.reach(tick)["d-0"], mixed.get("/api/drones/d-0"))


@pytest.mark.parametrize("columns, rows", [(1, 1), (3, 4)])
def test_boxes_share_out_all_drones(mixed, columns, rows):
    """Boxes side by side hold each drone once; the same box means the same everywhere."""
    mixed.run_until(3000)
    known = drones(mixed)
    # Seven decimals: no drone, which has six, is on a border.
    west, south, east, north = -122.4500005, 37.7300005, -122.3800005, 37.7900005
    across, up = (east - west) / columns, (north - south) / rows
    found = Counter()
    for column in range(columns):
        for row in range(rows):
            corner = west + column * across, south + row * up
            bbox = [*corner, corner[0] + across, corner[1] + up]
            inside = {id: drone for id, drone in known.items() if within(drone, bbox)}
            assert drones(mixed, bbox=as_text(bbox)) == inside
            features = mixed.get("/api/drones.geojson", bbox=as_text(bbox))["features"]
            assert {feature["id"]: feature["properties"] for feature in features} == inside
            with area(mixed, bbox) as picture:
                picture.next()
                wide = [edge + margin for edge, margin in zip(picture.bbox, (-1e-6, -1e-6, 1e-6, 1e-6))]
                assert wide[0] <= bbox[0] and wide[1] <= bbox[1] and wide[2] >= bbox[2] and wide[3] >= bbox[3]
                wider = {id for id, drone in known.items() if within(drone, picture.bbox)}
                assert picture.rows.keys() == wider, "rows follow the widened box"
            found.update(inside.keys())
    assert found == Counter(id for id, drone in known.items() if within(drone, [west, south, east, north]))


def test_topics_of_single_drones_and_hubs_begin_with_what_http_says(mixed, each_encoding):
    for tick in LOOKS[:3]:
        mixed.run_until(tick)
        with Window(mixed) as window:
            for id, drone in drones(mixed).items():
                told = snapshot(window, f"drone/{id}")
                assert told["drone"] == drone
                assert (told["tick"], told["simTime"]) == (tick, mixed.clock["simTime"])
            window.subscribe(1, "drone/d-0")
            followed = Picture(window, 1).reach(tick)
            assert_row_is_of(followed.pop("d-0"), mixed.get("/api/drones/d-0"))
            assert not followed, "the topic of a drone is about no other"
            for hub in mixed.get("/api/hubs")["items"]:
                assert snapshot(window, f"hub/{hub['id']}")["hub"] == hub


def test_server_sent_events_have_the_rows_of_the_socket(mixed):
    mixed.run_until(2000)
    with area(mixed, EVERYWHERE) as picture:
        rows = picture.next()["drones"]
    told = stream(
        mixed,
        lambda told: told[-1][0] == "positions",
        topic="area",
        bbox=as_text(EVERYWHERE),
    )
    assert [kind for kind, _, _ in told] == ["welcome", "subscribed", "positions"]
    shown = told[-1][2]
    assert shown["full"] and shown["tick"] == 2000
    assert sorted(shown["drones"]) == sorted(rows)


def assert_counts_agree(server):
    """Hubs, the fleet's counts and the metrics count the drones that the list shows."""
    known = drones(server).values()
    statuses = Counter(drone["status"] for drone in known)
    airborne = sum(statuses[status] for status in IN_THE_AIR)
    for hub in server.get("/api/hubs")["items"]:
        at_home = Counter(drone["status"] for drone in known if drone["hub"] == hub["id"])
        assert {name: hub[name] for name in ("parked", "charging")} == {
            name: at_home[name] for name in ("parked", "charging")
        }, hub["id"]
    with Window(server) as window:
        fleet = snapshot(window, "fleet")["fleet"]
    assert {status: count for status, count in fleet["byStatus"].items() if count} == statuses
    assert (fleet["drones"], fleet["charging"], fleet["lost"]) == (
        len(known),
        statuses["charging"],
        statuses["lost"],
    )
    assert fleet["airborne"] == airborne
    counted, clock = metrics(server), server.clock
    assert counted["skyhaul_airborne_drones"] == airborne
    assert counted['skyhaul_actors{kind="drone"}'] == len(known)
    assert counted["skyhaul_published_tick"] == clock["tick"]
    assert (fleet["state"], fleet["speed"]) == (clock["state"], clock["speed"])


def test_counts_are_counts_of_the_list(mixed):
    for tick in LOOKS:
        mixed.run_until(tick)
        assert_counts_agree(mixed)


def test_a_drone_that_loads_at_its_hub_is_counted_as_it_is_shown(servers, tmp_path):
    world = tmp_path / "at-hub.toml"
    world.write_text(TINY.read_text() + '\npickup = { at = "hub" }\n')
    server = servers.start(world, "--paused")
    server.run_while(lambda: all(drone["deliveryId"] is None for drone in drones(server).values()), "no job", 20)
    assert_counts_agree(server)
