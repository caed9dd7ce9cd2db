"""Drones and hubs that operators add to a running world, and withdraw."""

import signal

from skyhaul import BUSY, TINY, eventually
from test_problems import problem

HUB = {
    "id": "park",
    "name": "Park hub",
    "location": {"latitude": 37.7610, "longitude": -122.4260},
    "pads": 2,
    "chargers": 2,
}


def ids(server, path):
    answer = server.http.get(path)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_what_is_added_is_there_and_what_is_withdrawn_is_not(tiny):
    tiny.control(state="running", speed=1)
    hub = tiny.http.post("/api/hubs", json=HUB)
    assert (hub.status_code, hub.headers["location"]) == (201, "/api/hubs/park")
    assert hub.json() == tiny.http.get("/api/hubs/park").json()
    assert {key: hub.json()[key] for key in ("id", "name", "pads", "chargers", "closed")} == {
        "id": "park", "name": "Park hub", "pads": 2, "chargers": 2, "closed": False,
    }
    drones = tiny.http.post("/api/drones", json={"hub": "park", "model": "wing", "count": 3})
    assert (drones.status_code, drones.json()) == (201, {"ids": ["d-3", "d-4", "d-5"]})
    one = tiny.http.get("/api/drones/d-4").json()
    assert (one["hub"], one["model"], one["status"], one["battery"]) == ("park", "wing", "parked", 1)
    assert ids(tiny, "/api/drones?hub=park") == ["d-3", "d-4", "d-5"]

    assert tiny.http.delete("/api/drones/d-4").status_code == 204
    problem(tiny.http.get("/api/drones/d-4"), 404)
    problem(tiny.http.delete("/api/drones/d-4"), 404)
    assert ids(tiny, "/api/drones") == ["d-0", "d-1", "d-2", "d-3", "d-5"]
    features = tiny.http.get("/api/drones.geojson").json()["features"]
    assert len(features) == 5

    problem(tiny.http.delete("/api/hubs/park"), 409)
    assert tiny.http.delete("/api/hubs/park?drones=withdraw").status_code == 204
    problem(tiny.http.get("/api/hubs/park"), 404)
    assert ids(tiny, "/api/hubs") == ["mission"]
    assert ids(tiny, "/api/drones") == ["d-0", "d-1", "d-2"]
    problem(tiny.http.post("/api/drones", json={"hub": "park", "model": "wing"}), 422, "/hub")
    problem(tiny.http.post("/api/hubs", json=HUB), 409)


def test_in_the_air_it_comes_down_first(servers):
    busy = servers.start(BUSY, "--speed", "20")
    flying = eventually(lambda: ids(busy, "/api/drones?status=cruising"), "somebody flies")
    withdrawn = []
    for drone in flying:
        answer = busy.http.delete(f"/api/drones/{drone}")
        assert answer.status_code in (202, 204), answer.text
        if answer.status_code == 202:
            assert answer.json()["id"] == drone
            withdrawn.append(drone)
    assert withdrawn, "one of them was still in the air"
    for drone in withdrawn:
        eventually(lambda: busy.http.get(f"/api/drones/{drone}").status_code == 404, "it is down and out")


def test_a_repeat_adds_nothing_also_after_a_kill(servers):
    server = servers.start(TINY, "--no-demand")
    body = {"hub": "mission", "model": "wing", "count": 2}
    for _ in range(2):
        for _ in range(2):
            answer = server.http.post("/api/drones", json=body, headers={"Idempotency-Key": "two"})
            assert (answer.status_code, answer.json()) == (201, {"ids": ["d-3", "d-4"]})
        other = server.http.post("/api/drones", json=body | {"count": 3}, headers={"Idempotency-Key": "two"})
        problem(other, 422, "Idempotency-Key")
        server.stop(signal.SIGKILL)
        server.start()
    assert ids(server, "/api/drones") == ["d-0", "d-1", "d-2", "d-3", "d-4"]


def test_only_operators_and_only_while_time_passes(servers):
    server = servers.start(TINY, "--paused", "--auth", "required")
    tokens = {
        role: {"authorization": f"Bearer {server.token('--role', role, *flags)}"}
        for role, flags in (
            ("operator", ()), ("business", ("--account", "cafe")), ("customer", ("--account", "ada")),
        )
    }
    drones = {"hub": "mission", "model": "wing"}
    asks = [
        ("POST", "/api/drones", drones, 409),
        ("POST", "/api/hubs", HUB, 409),
        ("DELETE", "/api/drones/d-0", None, 409),
        ("DELETE", "/api/hubs/mission?drones=withdraw", None, 409),
    ]
    for method, path, body, paused in asks:
        options = {} if body is None else {"json": body}
        problem(server.http.request(method, path, **options), 401)
        for role in ("business", "customer"):
            problem(server.http.request(method, path, headers=tokens[role], **options), 403)
        problem(server.http.request(method, path, headers=tokens["operator"], **options), paused)
