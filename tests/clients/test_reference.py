"""A client of each of the reference's routes: its own requests unchanged, its codes and
shapes, and that each is backed by what happens in the world."""

import time
import uuid

import pytest

from skyhaul import HERE, PATIENCE_SECONDS, request
from test_orders import COAST_TO_COAST, NAMED
from test_problems import problem

REFERENCE = HERE / "worlds/reference.toml"
HOSPITAL = {"altitude": 0, "latitude": 37.7557, "longitude": -122.4045}
PARK = {"altitude": 0, "latitude": 37.7596, "longitude": -122.4269}
POINTS = {"pickupLocation": "37.7557,-122.4045", "dropOffLocation": "37.7596,-122.4269"}
ENDED = {"Completed", "Cancelled", "Failed"}


@pytest.fixture
def world(servers):
    """Running, but so slowly that nobody arrives between two requests."""
    server = servers.start(REFERENCE, "--no-demand", "--speed", "1")
    return server


def until(server, question, what, speed="max"):
    """Lets time fly until the answer is truthy, then slowly again."""
    server.control(speed=speed)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.002)
    server.control(speed=1)
    return answer


def status(server, delivery):
    return server.get(f"/api/deliveries/{delivery}/status")


def ended(server, delivery):
    """The stage in which it ends."""
    until(server, lambda: server.stage(delivery) in ENDED, "it ends")
    return server.stage(delivery)


def is_place(place):
    return place.keys() == {"altitude", "latitude", "longitude"}


def send(server, method, path, body=None):
    return server.http.request(method, path, json=body)


def test_the_probe_answers(world):
    assert world.http.get("/api/probe").status_code == 200


def test_the_first_request_crosses_the_country_in_a_van(world):
    answer = world.http.post("/api/deliveryrequests", json=COAST_TO_COAST | {"confirmationRequired": "None"})
    assert answer.status_code == 202
    id = answer.json()["deliveryId"]
    until(world, lambda: world.get(f"/api/deliveries/{id}")["carrier"], "the carrier takes it", speed=20)
    delivery = world.get(f"/api/deliveries/{id}")
    assert delivery["droneId"] is None
    seen = set()

    def arrived():
        now = status(world, id)
        seen.add(now["stage"])
        assert is_place(now["lastKnownLocation"]) and now["pickupETA"] and now["deliveryETA"]
        return now["stage"] == "Completed"

    until(world, arrived, "it arrives", speed=2000)
    assert seen == {"HeadedToPickup", "HeadedToDropoff", "Completed"}
    assert status(world, id)["lastKnownLocation"]["longitude"] == pytest.approx(-78.656894, abs=1e-6)
    assert world.get(f"/api/deliveryrequests/{id}")["state"] == "Scheduled"


def test_the_first_request_as_it_stands_is_confirmed_at_the_door(world):
    id = world.http.post("/api/deliveryrequests", json=COAST_TO_COAST).json()["deliveryId"]
    assert ended(world, id) == "Completed"
    history = world.get(f"/api/deliveryhistory/{id}")
    kinds = [event["kind"] for event in history["events"]]
    assert kinds.index("HandedToCarrier") < kinds.index("PickedUp") < kinds.index("AwaitingConfirmation")
    assert kinds[-1] == "Completed" and kinds.count("AwaitingConfirmation") == 1, kinds
    delivery = world.get(f"/api/deliveries/{id}")
    assert (delivery["confirmationRequired"], delivery["deadline"]) == ("FingerPrint", COAST_TO_COAST["deadline"])


def test_a_client_gives_the_first_requests_fingerprint(servers, tmp_path):
    nobody_home = tmp_path / "nobody-home.toml"
    nobody_home.write_text(REFERENCE.read_text() + '\n[recipient]\nnever = 1.0\npatience = "10m"\n')
    world = servers.start(nobody_home, "--no-demand", "--speed", "1")
    id = world.http.post("/api/deliveryrequests", json=COAST_TO_COAST).json()["deliveryId"]
    path = f"/api/deliveries/{id}/confirmations"
    until(world, lambda: world.stage(id) == "HeadedToDropoff", "the van has it", speed=500)
    print_of = {
        "dateTime": {"dateTimeValue": status(world, id)["deliveryETA"]},
        "geoCoordinates": world.get(f"/api/deliveries/{id}")["dropoff"],
        "confirmationType": "FingerPrint",
        "confirmationBlob": "bG9vcHM=",
    }
    problem(send(world, "POST", path, print_of), 409)
    until(world, lambda: waits_at_door(world, id), "it is at the door", speed=500)
    problem(send(world, "POST", path, print_of | {"confirmationType": "Picture"}), 422)
    assert world.stage(id) == "HeadedToDropoff", "it is a fingerprint that is wanted"
    assert send(world, "POST", path, print_of).status_code == 200
    assert world.stage(id) == "Completed"
    problem(send(world, "POST", path, print_of), 409)


def waits_at_door(server, delivery):
    events = server.get(f"/api/deliveryhistory/{delivery}")["events"]
    return any(event["kind"] == "AwaitingConfirmation" for event in events)


def test_the_second_request_flies_and_is_brought(world):
    answer = world.http.post("/api/deliveryrequests", json=NAMED)
    assert answer.status_code == 202
    id = answer.json()["deliveryId"]
    assert answer.json() == NAMED | {"deliveryId": id}
    assert answer.headers["location"] == f"/api/deliveryrequests/{id}"
    assert ended(world, id) == "Completed"
    delivery = world.get(f"/api/deliveries/{id}")
    assert delivery["droneId"] and delivery["carrier"] is None
    arrived = status(world, id)
    assert arrived["lastKnownLocation"] == pytest.approx(delivery["dropoff"], abs=1e-6)
    assert world.get(f"/api/packages/{NAMED['packageInfo']['packageId']}") == {
        "id": "mypackage", "size": "Small", "weight": 10, "tag": "mytag"
    }  # fmt: skip


def test_a_delivery_is_told_by_all_of_its_routes(world):
    id = world.order(ownerId="o1", **POINTS)
    delivery = world.get(f"/api/deliveries/{id}")
    assert delivery.keys() >= {
        "id", "owner", "pickup", "dropoff", "deadline", "expedited", "confirmationRequired", "droneId"
    }  # fmt: skip
    assert delivery["pickup"] == HOSPITAL and delivery["dropoff"] == PARK
    assert world.get(f"/api/deliveries/public/{id}")["id"] == id
    assert world.get(f"/api/deliveries/{id}/owner") == {"userId": "o1", "accountId": "o1"}
    until(world, lambda: world.stage(id) == "HeadedToDropoff", "it is picked up", speed=50)
    flying = status(world, id)
    assert flying.keys() == {"stage", "lastKnownLocation", "pickupETA", "deliveryETA"}
    drone = world.get(f"/api/drones/{world.get(f'/api/deliveries/{id}')['droneId']}")
    assert drone["deliveryId"] == id
    assert ended(world, id) == "Completed"


@pytest.mark.parametrize("path", ["", "/owner", "/status"])
def test_an_unknown_delivery_is_404(world, path):
    for id in [uuid.uuid4(), "42"]:
        problem(world.http.get(f"/api/deliveries/{id}{path}"), 404)


def test_a_request_is_cancelled_before_the_pick_up_and_not_after(world):
    first, second = world.order(**POINTS), world.order(**POINTS)
    assert send(world, "DELETE", f"/api/deliveryrequests/{first}").status_code == 204
    assert world.stage(first) == "Cancelled"
    until(world, lambda: world.stage(second) == "HeadedToDropoff", "it is picked up", speed=50)
    problem(send(world, "DELETE", f"/api/deliveryrequests/{second}"), 409)
    assert ended(world, second) == "Completed"
    problem(send(world, "DELETE", f"/api/deliveryrequests/{uuid.uuid4()}"), 404)


def test_a_request_is_rescheduled(world):
    id = world.order(**POINTS)
    change = {
        "deliveryId": id,
        "pickupLocation": POINTS["pickupLocation"],
        "dropOffLocation": "37.7643,-122.4270",
        "deadline": "soon",
    }
    assert send(world, "PATCH", f"/api/deliveryrequests/{id}", change).status_code == 200
    delivery = world.get(f"/api/deliveries/{id}")
    assert (delivery["dropoff"]["latitude"], delivery["deadline"]) == (37.7643, "soon")
    assert ended(world, id) == "Completed"
    assert status(world, id)["lastKnownLocation"]["latitude"] == pytest.approx(37.7643, abs=1e-6)


def test_a_delivery_is_put_replaced_changed_and_deleted(world):
    id = str(uuid.uuid4())
    body = {
        "id": id,
        "owner": {"userId": "u", "accountId": "a"},
        "pickup": HOSPITAL,
        "dropoff": PARK,
        "deadline": "",
        "expedited": True,
        "confirmationRequired": "None",
        "droneId": "",
    }
    assert send(world, "PUT", f"/api/deliveries/{id}", body).status_code == 201
    assert send(world, "PUT", f"/api/deliveries/{id}", body).status_code == 204
    change = {"pickup": HOSPITAL, "dropoff": PARK, "deadline": "now"}
    assert send(world, "PATCH", f"/api/deliveries/{id}", change).status_code == 200
    assert world.get(f"/api/deliveries/{id}")["deadline"] == "now"
    assert send(world, "DELETE", f"/api/deliveries/{id}").status_code == 200
    assert world.stage(id) == "Cancelled"


def test_somebody_asks_to_be_told(world):
    id = world.order(**POINTS)
    body = {"emailAddress": "ada@example.com", "sms": "+1 555 0100"}
    assert send(world, "POST", f"/api/deliveries/{id}/notifymerequests", body).status_code == 204


def test_a_confirmation_completes_a_delivery_that_needs_one(world):
    id = world.order(confirmationRequired="Picture", **POINTS)
    until(world, lambda: world.stage(id) == "HeadedToDropoff", "it is picked up", speed=50)
    confirmation = {
        "dateTime": {"dateTimeValue": "2026-06-01T18:10:00Z"},
        "geoCoordinates": PARK,
        "confirmationType": "Picture",
        "confirmationBlob": "aGVsbG8=",
    }
    path = f"/api/deliveries/{id}/confirmations"
    # Slowly enough that nobody else is at the door between two tries.
    until(world, lambda: send(world, "POST", path, confirmation).status_code == 200, "it is asked for", speed=50)
    assert ended(world, id) == "Completed"


MONTH = {"year": 2026, "month": 6}


def test_summaries_are_sums_of_what_happened(world):
    asked = {"ownerId": "counted"} | MONTH
    assert world.get("/api/deliveries/summary", **asked) == {"count": 0}
    for _ in range(2):
        id = world.order(ownerId="counted", **POINTS)
        assert ended(world, id) == "Completed"
    assert world.get("/api/deliveries/summary", **asked) == {"count": 2}
    assert world.get("/api/packages/summary", **asked)["totalWeight"] == pytest.approx(2)
    for path in ["/api/deliveries/summary", "/api/packages/summary"]:
        assert world.http.get(path, params={"ownerId": "x", "year": 2026, "month": 13}).status_code in (400, 422)


def test_miles_and_hours_are_booked_when_the_drone_is_back(world):
    path, asked = "/api/dronedeliveries/utilization", {"ownerId": "flown"} | MONTH
    problem(world.http.get(path, params=asked), 404)
    assert world.http.get(path, params={"ownerId": "flown", "year": "x"}).status_code == 400
    id = world.order(ownerId="flown", **POINTS)
    assert ended(world, id) == "Completed"
    booked = until(world, lambda: world.http.get(path, params=asked).status_code == 200, "the drone is back")
    booked = world.get(path, **asked)
    assert 1 < booked["traveledMiles"] < 10 and 0 < booked["assignedHours"] < 1


def test_a_drone_is_asked_for_and_let_go(world):
    id = str(uuid.uuid4())
    body = {
        "deliveryId": id,
        "pickup": HOSPITAL,
        "dropoff": PARK,
        "packageDetails": [{"id": "p", "size": "Small"}],
        "expedited": False,
    }
    answer = send(world, "PUT", f"/api/dronedeliveries/{id}", body)
    assert answer.status_code == 200
    assert answer.json() == send(world, "PUT", f"/api/dronedeliveries/{id}", body).json(), "one drone"
    assert send(world, "DELETE", f"/api/dronedeliveries/{id}").status_code == 200


def test_packages_are_put_changed_and_found(world):
    path = "/api/packages/crate"
    problem(world.http.get(path), 404)
    body = {"id": "crate", "size": "Medium", "weight": 4.4, "tag": "fragile"}
    assert send(world, "PUT", path, body).status_code == 201
    assert world.get(path) == body
    assert send(world, "PUT", path, body | {"weight": "5.5"}).status_code == 204
    assert send(world, "PATCH", path, {"tag": "sturdy"}).status_code == 204
    assert world.get(path) == body | {"weight": 5.5, "tag": "sturdy"}
    problem(send(world, "PATCH", "/api/packages/none", {"tag": "x"}), 404)


def test_an_order_brings_its_package_and_the_newest_is_shown(world):
    package = {"packageId": "twice", "size": "Large", "weight": 2.5, "tag": "new"}
    assert send(world, "PUT", "/api/packages/twice", {"size": "small", "weight": 1}).status_code == 201
    id = world.order(packageInfo=package, **POINTS)
    until(world, lambda: world.stage(id) != "Created", "it is under way", speed=20)
    shown = {"id": "twice", "size": "Large", "weight": 2.5, "tag": "new"}
    assert world.get("/api/packages/twice") == shown
    assert ended(world, id) == "Completed"
    assert world.get("/api/packages/twice") == shown


def test_an_account_is_active_until_it_is_suspended(world):
    assert world.get("/api/account/shop") is True, "made on first use"
    account = {"id": "shop", "name": "The shop", "kind": "business", "status": "active"}
    made = send(world, "POST", "/api/accounts", account)
    assert (made.status_code, made.json()) == (201, account)
    assert world.get("/api/accounts/shop") == account
    problem(send(world, "POST", "/api/accounts", account), 409)
    changed = send(world, "PATCH", "/api/accounts/shop", {"status": "suspended"})
    assert (changed.status_code, changed.json()) == (200, account | {"status": "suspended"})
    assert world.get("/api/account/shop") is False
    problem(world.http.get("/api/accounts/nobody"), 404)


def test_requests_of_a_suspended_account_fail_in_the_first_step(world):
    account = {"id": "owes", "name": "Owes", "kind": "customer", "status": "suspended"}
    assert send(world, "POST", "/api/accounts", account).status_code == 201
    id = world.order(ownerId="owes", **POINTS)
    assert ended(world, id) == "Failed"
    workflow = world.get(f"/api/deliveryrequests/{id}")
    assert (workflow["state"], workflow["step"]) == ("Failed", "account")


def test_the_carrier_takes_what_it_is_asked_for_once_while_it_has_vans(world):
    body = {"pickup": HOSPITAL, "dropoff": PARK}
    ids = [str(uuid.uuid4()) for _ in range(21)]
    taken = [send(world, "PUT", f"/api/thirdpartydeliveries/{id}", body).json() for id in ids]
    assert taken == [True] * 20 + [False], "twenty vans"
    again = send(world, "PUT", f"/api/thirdpartydeliveries/{ids[0]}", body)
    assert (again.status_code, again.json()) == (200, True)
    delivery = world.get(f"/api/deliveries/{ids[0]}")
    assert delivery["droneId"] is None and delivery["carrier"]
    problem(world.http.get(f"/api/deliveries/{ids[20]}"), 404)
    assert ended(world, ids[0]) == "Completed"
    freed = send(world, "PUT", f"/api/thirdpartydeliveries/{ids[20]}", body)
    assert freed.json() is True, "a van is free again"
    flown = world.order(**POINTS)
    assert send(world, "PUT", f"/api/thirdpartydeliveries/{flown}", body).json() is False


def test_a_carrier_that_is_down_takes_nothing(world):
    fault = {"kind": "carrier_down", "duration": "1h"}
    assert send(world, "POST", "/api/simulation/faults", fault).status_code == 200
    body = {"pickup": HOSPITAL, "dropoff": PARK}
    assert send(world, "PUT", f"/api/thirdpartydeliveries/{uuid.uuid4()}", body).json() is False
