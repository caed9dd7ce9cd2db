"""Each route that takes a body, with every kind of bad input: the right code, and a problem
that names each wrong field. And each route with an id, with ids that are none."""

import uuid

import pytest

from skyhaul import TINY
from test_problems import problem

ID = str(uuid.uuid4())
PLACE = {"altitude": 0, "latitude": 37.7596, "longitude": -122.4269}

# Method, path, what all is required, and wrong values of optional fields with their pointers.
ROUTES = [
    (
        "POST",
        "/api/deliveryrequests",
        ["/ownerId", "/pickupLocation", "/dropOffLocation", "/packageInfo"]
        + [f"/packageInfo/{field}" for field in ("packageId", "size", "weight")],
        {"expedited": "yes", "deadline": 7, "pickupTime": "soon", "confirmationRequired": "Kiss"},
    ),
    ("POST", "/api/accounts", ["/name", "/kind"], {"id": "", "status": "asleep", "extra": 1}),
    ("PATCH", "/api/accounts/nobody", [], {"name": 7, "kind": "cat", "status": "asleep", "id": "x"}),
    ("PUT", "/api/packages/p", ["/size", "/weight"], {"tag": 7}),
    ("PATCH", "/api/packages/p", [], {"size": "Huge", "weight": -1, "tag": 7}),
    (
        "PUT",
        f"/api/thirdpartydeliveries/{ID}",
        [f"/{end}{field}" for end in ("pickup", "dropoff") for field in ("", "/latitude", "/longitude")],
        {},
    ),
    ("POST", "/api/simulation/faults", ["/kind", "/target"], {"duration": "a while", "extra": 1}),
    ("POST", "/api/tokens", ["/role", "/account"], {"ttl": "for ever", "extra": 1}),
    ("PUT", "/api/simulation", [], {"state": "dancing", "speed": "fast", "pauseAtTick": -1}),
    ("POST", "/api/simulation/step", [], {"ticks": 0}),
]

#: Routes that take no body too.
MAY_BE_EMPTY = {"/api/simulation/step"}


@pytest.fixture(scope="module")
def server(shared):
    return shared.start(TINY, "--no-demand", "--speed", "1")


def send(server, method, path, content, media="application/json"):
    return server.http.request(method, path, content=content, headers={"content-type": media})


def each(*positions):
    rows = [tuple(route[at] for at in positions) for route in ROUTES]
    return pytest.mark.parametrize("route", rows, ids=[f"{route[0]} {route[1]}" for route in ROUTES])


@each(0, 1)
def test_what_is_no_json_is_400(server, route):
    for content in ["{", "nonsense", '{"a": 1} {', '{"a": NaN}', '"\ud800"'.encode("utf-8", "surrogatepass")]:
        problem(send(server, *route, content), 400)
    if route[1] not in MAY_BE_EMPTY:
        problem(send(server, *route, ""), 400)


@each(0, 1)
def test_another_media_type_is_415(server, route):
    for media in ["text/plain", "application/xml", "application/x-www-form-urlencoded"]:
        problem(send(server, *route, "{}", media), 415)


@each(0, 1)
def test_too_much_is_413(server, route):
    problem(send(server, *route, " " * (1024 * 1024) + "{}"), 413)


@each(0, 1, 2)
def test_what_is_no_object_is_422_and_names_what_is_missing(server, route):
    method, path, required = route
    for content in ["[]", "7", "true", '"text"', "null"]:
        problem(send(server, method, path, content), 422, "", *required)


@each(0, 1, 2)
def test_every_missing_field_is_named_at_once(server, route):
    method, path, required = route
    if required:
        problem(send(server, method, path, "{}"), 422, *required)


@each(0, 1, 2, 3)
def test_every_wrong_field_is_named_at_once(server, route):
    method, path, required, wrong = route
    if wrong:
        answer = server.http.request(method, path, json=wrong)
        problem(answer, 422, *required, *(f"/{field}" for field in wrong))


COORDINATES = ["/pickup/latitude", "/pickup/longitude"]


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        (7, ["/pickup", *COORDINATES]),
        ("here", ["/pickup", *COORDINATES]),
        ([], ["/pickup", *COORDINATES]),
        ({}, COORDINATES),
        ({"latitude": 91, "longitude": 0}, ["/pickup/latitude"]),
        ({"latitude": "1", "longitude": 181}, COORDINATES),
        ({"latitude": 1, "longitude": 2, "altitude": "high"}, ["/pickup/altitude"]),
        ({"latitude": 1, "longitude": 2, "altitude": 1e9}, ["/pickup/altitude"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("route", ["thirdpartydeliveries", "dronedeliveries", "deliveries"])
def test_a_location_that_is_none_is_named_by_its_fields(server, route, value, pointers):
    body = {"pickup": value, "dropoff": PLACE, "packageDetails": [{"id": "p", "size": "Small"}]}
    body |= {"owner": {"accountId": "o"}}
    problem(server.http.put(f"/api/{route}/{ID}", json=body), 422, *pointers)


def test_a_delivery_id_to_be_may_be_any_name_without_control_characters(server):
    for name in ["42%00", "%07", "%20".join(["words"] * 50), "%FF"]:
        answer = server.http.put(f"/api/thirdpartydeliveries/{name}", json={"pickup": PLACE, "dropoff": PLACE})
        problem(answer, 422, "deliveryId")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/deliveries/{}"),
        ("GET", "/api/deliveries/public/{}"),
        ("GET", "/api/deliveries/{}/owner"),
        ("GET", "/api/deliveries/{}/status"),
        ("GET", "/api/deliveryrequests/{}"),
        ("GET", "/api/drones/{}"),
        ("GET", "/api/packages/{}"),
        ("GET", "/api/accounts/{}"),
        ("PATCH", "/api/packages/{}"),
        ("PATCH", "/api/accounts/{}"),
    ],
)
def test_what_is_not_there_is_404(server, method, path):
    for id in [ID, "nobody", "%F0%9F%9A%81", "%FF", "a" * 300]:
        body = {} if method == "PATCH" else None
        answer = server.http.request(method, path.format(id), json=body)
        assert answer.status_code == 404, f"{path.format(id)}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "query", "pointers"),
    [
        ("/api/deliveries", {"stage": "Lost", "limit": 0, "cursor": "?"}, ["?stage", "?limit", "?cursor"]),
        ("/api/drones", {"status": "asleep", "limit": 1001, "bbox": "1,2"}, ["?status", "?limit", "?bbox"]),
        ("/api/drones.geojson", {"bbox": "181,0,0,0"}, ["?bbox"]),
    ],
)
def test_every_wrong_parameter_is_named_at_once(server, path, query, pointers):
    problem(server.http.get(path, params=query), 422, *pointers)
