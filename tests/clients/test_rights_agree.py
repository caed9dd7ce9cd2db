"""Who may not see a thing in one place sees it nowhere; who may, sees it everywhere.

Every delivery, every drone and every account is asked for by everybody: the operator, a
business, its customer's like and strangers; over HTTP, the socket and server-sent events.
"""

import select
import socket
from types import SimpleNamespace

import httpx
import pytest

from mirror import EVERYWHERE, MIXED, OF_A_DELIVERY, SUMMARIES, as_text, by_id
from skyhaul import PATIENCE_SECONDS, TINY, eventually, request
from window import Picture, Window

LOOKS = (700, 4500)
#: The scenario's customers are accounts with the name of the place where they are.
ROLES = {
    "operator": ("operator", None),
    "acme": ("business", "acme"),
    "hospital": ("business", "General Hospital"),
    "carla": ("customer", "carla"),
    "neighbour": ("customer", "City Hall"),
}


@pytest.fixture(scope="module")
def people(shared):
    """Each with a token of its own, in a world with deliveries of many; at three ticks."""
    server = shared.start(MIXED, "--paused", "--auth", "required")
    everybody = {}
    for name, (role, account) in ROLES.items():
        token = server.token("--role", role, *(["--account", account] if account else []))
        everybody[name] = SimpleNamespace(
            role=role, account=account, token=token, server=server.seen_by(token), name=name
        )
    operator = everybody["operator"].server
    operator.control(state="running", speed=1)
    for name in ("acme", "carla"):
        package = {"packageId": f"package of {name}", "size": "Small", "weight": 1, "tag": name}
        everybody[name].server.order(ownerId=everybody[name].account, packageInfo=package)
    operator.control(state="paused")
    return everybody


@pytest.fixture(params=LOOKS)
def moment(request, people):
    """The operator, when the world has come so far."""
    operator = people["operator"].server
    if operator.clock["tick"] < request.param:
        operator.run_until(request.param)
    return operator


def window_of(person):
    return Window(person.server, additional_headers={"Authorization": f"Bearer {person.token}"})


def ids(person, path):
    """What a list shows to a person; nothing where it may not be asked for."""
    if person.server.http.get(path).status_code == 403:
        return set()
    items = person.server.pages(path, 1000)
    return {item.get("id") or item.get("deliveryId") or item["delivery"]["id"] for item in items}


def may_ask(person, path):
    status = person.server.http.get(path).status_code
    assert status in (200, 403), f"{person.name} {path}: {status}"
    return status == 200


def may_follow(window, topic):
    window.send(type="subscribe", id=1, topic=topic)
    answer = window.find(lambda it: it.get("id") == 1 and it["type"] in ("subscribed", "error"))
    if answer["type"] == "error":
        assert answer["code"] == "forbidden", answer
        return None
    told = window.expect(type="snapshot", id=1)
    window.send(type="unsubscribe", id=1)
    window.expect(type="unsubscribed", id=1)
    window.drop(1)
    return told


def may_stream(person, topic):
    with person.server.http.stream("GET", "/api/stream", params={"topic": topic}) as answer:
        assert answer.status_code in (200, 403)
        return answer.status_code == 200


def test_a_delivery_is_seen_in_all_places_or_in_none(people, moment):
    known = by_id(moment.pages("/api/deliveries", 1000))
    for person in people.values():
        listed = by_id(person.server.pages("/api/deliveries", 1000))
        own = {id for id, it in known.items() if person.account in (None, it["owner"]["accountId"])}
        assert listed.keys() == own, person.name
        ended = ids(person, "/api/deliveryhistory")
        assert ended <= own
        with window_of(person) as window:
            for id in known:
                allowed = id in own
                assert {path: may_ask(person, path.format(id)) for path in OF_A_DELIVERY} == dict.fromkeys(
                    OF_A_DELIVERY, allowed
                ), person.name
                told = may_follow(window, f"delivery/{id}")
                assert (told is not None) == allowed, person.name
                assert may_stream(person, f"delivery/{id}") == allowed


def test_what_one_may_see_of_a_delivery_is_the_same_in_all_places(people, moment):
    """Where a customer is shown the pick-up instead of the drone, it is so everywhere."""
    for person in people.values():
        flying = by_id(person.server.pages("/api/drones", 1000))
        with window_of(person) as window:
            for id, delivery in by_id(person.server.pages("/api/deliveries", 1000)).items():
                status = person.server.get(f"/api/deliveries/{id}/status")
                shown = may_follow(window, f"delivery/{id}")["delivery"]
                history = person.server.get(f"/api/deliveryhistory/{id}")
                assert shown["location"] == status["lastKnownLocation"]
                assert (shown["pickupEta"], shown["deliveryEta"]) == (status["pickupETA"], status["deliveryETA"])
                assert shown["droneId"] == delivery["droneId"] == history["delivery"]["droneId"]
                drone = delivery["droneId"]
                under_way = delivery["stage"] in ("HeadedToPickup", "HeadedToDropoff")
                if drone in flying and under_way:
                    assert status["lastKnownLocation"] == flying[drone]["location"]
                elif drone and under_way:
                    assert status["lastKnownLocation"] == delivery["pickup"], "not where the hidden drone is"
                    places = [event["location"] for event in history["events"]]
                    assert places == [delivery["pickup"]] * len(places), "nor where it was"


def test_a_drone_is_seen_in_all_places_or_in_none(people, moment):
    every = ids(people["operator"], "/api/drones")
    assert len(every) == 30
    for person in people.values():
        seen = by_id(person.server.pages("/api/drones", 1000))
        own = {
            drone
            for drone in every
            if person.account is None
            or any(it["droneId"] == drone for it in person.server.pages("/api/deliveries", 1000))
        }
        assert seen.keys() <= own, "only what carries something of one's own"
        for path in ("/api/drones.geojson", f"/api/drones.geojson?bbox={as_text(EVERYWHERE)}"):
            features = person.server.get(path)["features"]
            assert {feature["id"]: feature["properties"] for feature in features} == seen
        assert ids(person, f"/api/drones?bbox={as_text(EVERYWHERE)}") == seen.keys()
        with window_of(person) as window:
            for drone in every:
                allowed = drone in seen
                assert may_ask(person, f"/api/drones/{drone}") == allowed
                # Who is parked has no route.
                route = person.server.http.get(f"/api/drones/{drone}/route").status_code
                assert route in ((200, 404) if allowed else (403,))
                told = may_follow(window, f"drone/{drone}")
                assert (told is not None) == allowed
                if told:
                    assert told["drone"] == seen[drone] == person.server.get(f"/api/drones/{drone}")


def test_an_area_shows_rows_to_operators_and_counts_to_others(people, moment):
    in_the_air = None
    for person in people.values():
        with window_of(person) as window:
            window.subscribe(1, "area", bbox=EVERYWHERE)
            if person.role == "operator":
                rows = Picture(window, 1)
                rows.next()
                continue
            told = window.expect(type="density", id=1)
            assert not [it for it in window.waiting if it["type"] == "positions"]
            total = sum(count for _, _, count in told["cells"])
            assert in_the_air in (None, total), "everybody is shown the same counts"
            in_the_air = total
            assert told.keys() == {"type", "id", "tick", "simTime", "cells"}
    drones = moment.pages("/api/drones", 1000)
    assert in_the_air == sum(it["status"] not in ("parked", "charging", "grounded", "lost") for it in drones)


def test_accounts_and_sums_are_for_those_they_are_about(people, moment):
    accounts = {it["owner"]["accountId"] for it in moment.pages("/api/deliveries", 1000)}
    assert len(accounts) >= 5
    for person in people.values():
        for account in accounts:
            allowed = person.account in (None, account)
            answers = [may_ask(person, f"/api/account/{account}"), may_ask(person, f"/api/accounts/{account}")]
            for path in (*SUMMARIES, "/api/deliveries", "/api/deliveryhistory"):
                asked = {"ownerId": account, "year": 2026, "month": 6} if path in SUMMARIES else {"ownerId": account}
                answers.append(person.server.http.get(path, params=asked).status_code != 403)
            assert set(answers) == {allowed}, f"{person.name} about {account}"


def test_no_answer_names_what_is_hidden(people, moment):
    """The text of everything that can be asked is searched for ids that are not one's own."""
    deliveries = by_id(moment.pages("/api/deliveries", 1000))
    paths = [path for path, methods in moment.get("/openapi.json")["paths"].items() if "get" in methods]
    asked = {"ownerId": "acme", "year": "2026", "month": "6"}
    for person in people.values():
        if person.role == "operator":
            continue
        own = {id for id, it in deliveries.items() if it["owner"]["accountId"] == person.account}
        hidden = deliveries.keys() - own
        hidden |= {it["droneId"] for it in deliveries.values() if it["droneId"]} - {
            deliveries[id]["droneId"] for id in own
        }
        for path in paths:
            if path == "/api/stream" or path.endswith((".json", "/")):
                continue
            # Each thing of one's own, or the list once; as it is, in full, and about an account.
            for id in (own or {"none"}) if "{" in path else {""}:
                filled = path.replace("{id}", id).replace("{deliveryId}", id)
                for parameters in ({}, {"limit": 1000}, asked):
                    answer = person.server.http.get(filled, params=parameters)
                    names = {name for name in hidden if f'"{name}"' in answer.text}
                    assert not names, f"{person.name} {filled}"


def test_what_only_operators_may_do_nobody_else_can(people):
    for person in people.values():
        if person.role == "operator":
            continue
        for method, path, body in (
            ("PUT", "/api/simulation", {"state": "running"}),
            ("POST", "/api/simulation/step", {"ticks": 1}),
            ("POST", "/api/simulation/faults", {"kind": "rotor_out", "target": "d-1"}),
            ("GET", "/metrics", None),
            ("GET", "/api/supervisor/workflows", None),
            ("GET", "/api/supervisor/deadletters", None),
        ):
            answer = person.server.http.request(method, path, json=body)
            assert answer.status_code == 403, path
        with window_of(person) as window:
            assert window.refused(type="subscribe", id=1, topic="events") == "forbidden"
            assert window.refused(type="subscribe", id=1, topic="fleet") == "forbidden"


def test_a_refused_write_leaves_the_connection_usable_or_says_that_it_does_not(people):
    host, port = people["carla"].server.address.split(":")
    body = b'{"state":"running"}'
    for token in (f"Authorization: Bearer {people['carla'].token}\r\n", ""):
        head = f"PUT /api/simulation HTTP/1.1\r\nHost: {host}\r\n{token}Content-Type: application/json\r\n"
        with socket.create_connection((host, port), PATIENCE_SECONDS) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
            # Either the answer comes at once, or the program waits for the body.
            select.select([connection], [], [], 0.5)
            connection.sendall(body)
            answer = connection.recv(65_536)
            assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 401"))
            if b"connection: close" not in answer.lower():
                connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_without_a_token_nothing_is_told_but_health_and_manuals(people):
    server = people["operator"].server
    open_to_all = {"/", "/healthz", "/readyz", "/openapi.json", "/asyncapi.json"}
    for path, methods in server.get("/openapi.json")["paths"].items():
        if "get" in methods:
            answer = httpx.get(f"http://{server.address}{path}")
            assert (answer.status_code == 401) == (path not in open_to_all), path
            if answer.status_code == 401:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("way", ["put", "order"])
def test_a_package_stays_with_the_account_that_sent_it(servers, way):
    server = servers.start(TINY, "--no-demand", "--auth", "required", "--speed", "max")
    acme = server.seen_by(server.token("--role", "business", "--account", "acme"))
    carla = server.seen_by(server.token("--role", "customer", "--account", "carla"))
    package = {"packageId": "P1", "size": "Small", "tag": "mine", "weight": 1}
    sent = acme.order(ownerId="acme", packageInfo=package)
    before = acme.get("/api/packages/P1")
    eventually(lambda: acme.stage(sent) == "Completed", "the package has arrived")
    assert carla.http.get("/api/packages/P1").status_code == 403
    assert carla.http.patch("/api/packages/P1", json={"tag": "hers"}).status_code == 403
    if way == "put":
        put = carla.http.put("/api/packages/P1", json={"id": "P1", "size": "Large", "tag": "hers", "weight": 2})
        assert put.status_code == 201, "she has none of that id yet"
    else:
        hers = request(ownerId="carla", packageInfo=package | {"tag": "hers", "weight": 2})
        carla.http.post("/api/deliveryrequests", json=hers)
    assert acme.http.get("/api/packages/P1").status_code == 200, "it is still its own"
    assert acme.get("/api/packages/P1") == before
    assert carla.get("/api/packages/P1")["tag"] == "hers", "and she has hers"
    # Each changes its own, whoever comes last.
    for owner, tag in ((acme, "mine too"), (carla, "hers too")):
        assert owner.http.patch("/api/packages/P1", json={"tag": tag}).status_code == 204
    assert [owner.get("/api/packages/P1")["tag"] for owner in (acme, carla)] == ["mine too", "hers too"]
    operator = server.seen_by(server.token("--role", "operator"))
    assert operator.get("/api/packages/P1")["tag"] == "hers too", "the newest of all"
    assert operator.http.put("/api/packages/P1", json={"size": "Small", "weight": 3}).status_code == 204
    assert carla.get("/api/packages/P1")["weight"] == 3, "whose it was"
    assert acme.get("/api/packages/P1") == before | {"tag": "mine too"}
