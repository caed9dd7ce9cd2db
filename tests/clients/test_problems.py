"""Bad input over HTTP: the right status, and a problem that names all that is wrong."""

import json

import pytest

from skyhaul import TINY, request

ORDERS = "/api/deliveryrequests"
PACKAGE = {"packageId": "p", "size": "Small", "weight": 1}
PACKAGE_FIELDS = [f"/packageInfo/{field}" for field in PACKAGE]
REQUIRED = ["/ownerId", "/pickupLocation", "/dropOffLocation", "/packageInfo", *PACKAGE_FIELDS]


@pytest.fixture(scope="module")
def strict(shared):
    """A world that refuses places that it does not know."""
    return shared.start(TINY, "--paused", "--no-demand")


def problem(answer, status, *pointers):
    """Checks a problem, and that exactly these fields are blamed."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail", "instance"}
    assert body["status"] == status and body["title"] and body["detail"]
    assert body["instance"] == answer.request.url.raw_path.decode().split("?")[0]
    blamed = body.get("errors", [])
    assert sorted(found["pointer"] for found in blamed) == sorted(pointers)
    assert all(found["detail"] for found in blamed)
    return body


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"pickupLocation": "0,91,0"}, ["/pickupLocation"]),
        ({"pickupLocation": "37.7,-181"}, ["/pickupLocation"]),
        ({"pickupLocation": "nan,nan"}, ["/pickupLocation"]),
        ({"pickupLocation": "0,inf,0"}, ["/pickupLocation"]),
        ({"pickupLocation": "Atlantis"}, ["/pickupLocation"]),
        ({"dropOffLocation": ""}, ["/dropOffLocation"]),
        ({"dropOffLocation": 7}, ["/dropOffLocation"]),
        ({"dropOffLocation": None}, ["/dropOffLocation"]),
        ({"ownerId": 1}, ["/ownerId"]),
        ({"expedited": "yes"}, ["/expedited"]),
        ({"confirmationRequired": "Tattoo"}, ["/confirmationRequired"]),
        ({"confirmationRequired": 4}, ["/confirmationRequired"]),
        ({"pickupTime": "soon"}, ["/pickupTime"]),
        ({"deadline": 5}, ["/deadline"]),
        ({"packageInfo": []}, ["/packageInfo", *PACKAGE_FIELDS]),
        ({"packageInfo": PACKAGE | {"weight": -1}}, ["/packageInfo/weight"]),
        ({"packageInfo": PACKAGE | {"weight": "heavy"}}, ["/packageInfo/weight"]),
        ({"packageInfo": PACKAGE | {"weight": "NaN"}}, ["/packageInfo/weight"]),
        ({"packageInfo": PACKAGE | {"size": "Gigantic"}}, ["/packageInfo/size"]),
        ({"packageInfo": PACKAGE | {"size": 3}}, ["/packageInfo/size"]),
        ({"packageInfo": {}}, PACKAGE_FIELDS),
        (
            {"ownerId": None, "pickupLocation": "0,91,0", "packageInfo": PACKAGE | {"weight": -1}},
            ["/ownerId", "/pickupLocation", "/packageInfo/weight"],
        ),
    ],
)
def test_every_wrong_field_of_an_order_is_named(strict, changes, pointers):
    problem(strict.http.post(ORDERS, json=request(**changes)), 422, *pointers)


def test_every_missing_field_of_an_order_is_named(strict):
    problem(strict.http.post(ORDERS, json={}), 422, *REQUIRED)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"text"'])
def test_an_order_is_an_object(strict, body):
    problem(post(strict, body), 422, "", *REQUIRED)


def post(server, body, kind="application/json"):
    headers = {"content-type": kind} if kind else {}
    return server.http.post(ORDERS, content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    ["", "{", json.dumps(request())[:-1], '{"ownerId":NaN}', "{} {}", b'{"ownerId":"\xff"}', "[" * 9999],
    ids=range(7),
)
def test_what_is_no_json_is_unparsable(strict, body):
    problem(post(strict, body), 400)


def test_a_body_of_more_than_a_mebibyte_is_too_large(strict):
    problem(post(strict, json.dumps(request(deadline="x" * 2**21))), 413)
    large = json.dumps(request(deadline="x" * (2**20 - 2000)))
    assert post(strict, large).status_code in (202, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", None])
def test_a_body_of_another_type_is_refused(strict, kind):
    problem(post(strict, json.dumps(request()), kind), 415)
    assert post(strict, json.dumps(request()), "application/json; charset=utf-8").status_code == 202


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api",
        "/api/nothing",
        "/api/deliveries/42",
        "/api/deliveries/00000000-0000-0000-0000-000000000000",
        "/api/deliveries/%ff",
        "/api/deliveries/public/42",
        "/api/deliveries/42/owner",
        "/api/deliveries/42/status",
        "/api/deliveryrequests/42",
        "/api/drones/42",
        "/api/drones/d-9999",
        "/api/drones/d--1",
        "/docs/nothing",
    ],
)
def test_what_does_not_exist_is_not_found(strict, path):
    problem(strict.http.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/drones"), ("POST", "/api/drones/d-0"), ("GET", ORDERS), ("PUT", "/healthz")],
)
def test_another_method_is_told_which_would_do(strict, method, path):
    answer = strict.http.request(method, path)
    problem(answer, 405)
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/api/drones?limit=0", ["?limit"]),
        ("/api/drones?limit=1001", ["?limit"]),
        ("/api/drones?limit=many", ["?limit"]),
        ("/api/drones?cursor=made%20up", ["?cursor"]),
        ("/api/drones?bbox=1,2,3", ["?bbox"]),
        ("/api/drones?bbox=3,2,1,4", ["?bbox"]),
        ("/api/drones?bbox=a,b,c,d", ["?bbox"]),
        ("/api/drones?bbox=0,nan,1,1", ["?bbox"]),
        ("/api/drones?status=asleep", ["?status"]),
        ("/api/drones?hub=nowhere", ["?hub"]),
        ("/api/drones?limit=0&status=asleep&bbox=1", ["?limit", "?status", "?bbox"]),
        ("/api/drones.geojson?bbox=1,2,3", ["?bbox"]),
        ("/api/deliveries?stage=Teleported&limit=-1", ["?stage", "?limit"]),
    ],
)
def test_every_wrong_parameter_is_named(strict, path, wrong):
    problem(strict.http.get(path), 422, *wrong)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"state": "stalled"}, ["/state"]),
        ({"speed": 0}, ["/speed"]),
        ({"speed": -1}, ["/speed"]),
        ({"speed": "fast"}, ["/speed"]),
        ({"pauseAtTick": -1}, ["/pauseAtTick"]),
        ({"pauseAtTick": 1.5}, ["/pauseAtTick"]),
        ({"state": 1, "speed": None, "pauseAtTick": "x"}, ["/state", "/pauseAtTick"]),
        ([], [""]),
    ],
)
def test_every_wrong_wish_for_the_clock_is_named_and_none_is_granted(strict, body, pointers):
    before = strict.clock
    problem(strict.http.put("/api/simulation", json=body), 422, *pointers)
    assert strict.clock == before


@pytest.mark.parametrize("ticks", [0, -1, 1.5, "one", 10**12])
def test_a_step_is_a_number_of_ticks(strict, ticks):
    problem(strict.http.post("/api/simulation/step", json={"ticks": ticks}), 422, "/ticks")
