"""The reference's requests as they stand, and what becomes of them."""

import pytest

from skyhaul import SAN_FRANCISCO, request

COAST_TO_COAST = {
    "confirmationRequired": "FingerPrint",
    "deadline": "DeadlyQueueOfZombiatedDemons",
    "deliveryId": "42",
    "dropOffLocation": "0,37.4315730000000,-78.65689399999997",
    "expedited": True,
    "ownerId": "1",
    "packageInfo": {"packageId": "442", "size": "Small", "tag": "6d0af5fd", "weight": "14"},
    "pickupLocation": "0,36.778261,-119.41793200000001",
    "pickupTime": "2019-04-05T11:00:00.000Z",
}
NAMED = {
    "confirmationRequired": "None",
    "deadline": "",
    "deliveryId": "mydelivery",
    "dropOffLocation": "drop off",
    "expedited": True,
    "ownerId": "myowner",
    "packageInfo": {"packageId": "mypackage", "size": "Small", "tag": "mytag", "weight": 10},
    "pickupLocation": "my pickup",
    "pickupTime": "2019-05-08T20:00:00.000Z",
}
POUND = request(pickupLocation="Ferry Building", dropOffLocation="Dolores Park")


@pytest.fixture(scope="module")
def city(shared):
    return shared.start(SAN_FRANCISCO, "--no-demand", "--paused")


@pytest.mark.parametrize("body", [COAST_TO_COAST, NAMED, POUND], ids=["far", "named", "pound"])
def test_a_request_is_accepted_and_answers_by_its_routes(city, body):
    answer = city.http.post("/api/deliveryrequests", json=body)
    assert answer.status_code == 202
    id = answer.json()["deliveryId"]
    assert id not in ("42", "mydelivery"), "the client's deliveryId is ignored"
    assert answer.json() == body | {"deliveryId": id}, "the same body with a new id"
    assert answer.headers["location"] == f"/api/deliveryrequests/{id}"

    workflow = city.get(answer.headers["location"])
    assert {"deliveryId", "state", "step", "attempts", "waitingFor"} <= workflow.keys()
    assert (workflow["deliveryId"], workflow["state"]) == (id, "Queued")

    delivery = city.get(f"/api/deliveries/{id}")
    assert delivery.keys() >= {
        "id", "owner", "pickup", "dropoff", "deadline", "expedited", "confirmationRequired", "droneId"
    }  # fmt: skip
    assert (delivery["id"], delivery["droneId"]) == (id, None)
    owner = {"userId": body["ownerId"], "accountId": body["ownerId"]}
    assert delivery["owner"] == owner == city.get(f"/api/deliveries/{id}/owner")
    for field in ("deadline", "expedited", "confirmationRequired"):
        assert delivery[field] == body[field]
    assert delivery["pickup"].keys() == {"altitude", "latitude", "longitude"}
    assert city.get(f"/api/deliveries/public/{id}") == delivery

    status = city.get(f"/api/deliveries/{id}/status")
    assert status.keys() == {"stage", "lastKnownLocation", "pickupETA", "deliveryETA"}
    assert status["stage"] == "Created"
    assert status["lastKnownLocation"] == pytest.approx(delivery["pickup"], abs=0.6e-6)
    for path in (f"/api/deliveryrequests/{id}", f"/api/deliveries/{id}", f"/api/deliveries/{id}/status"):
        assert city.get(f"{path}/") == city.get(path), "a trailing slash changes nothing"


def test_places_come_as_coordinates_or_names(city):
    def places(pickup, dropoff):
        id = city.order(pickupLocation=pickup, dropOffLocation=dropoff)
        delivery = city.get(f"/api/deliveries/{id}")
        return [tuple(delivery[end].values()) for end in ("pickup", "dropoff")]

    assert places("5,37.78,-122.41", "37.77,-122.42") == [(5, 37.78, -122.41), (0, 37.77, -122.42)]
    assert places("Ferry Building", "Dolores Park") == [
        (0, 37.7955, -122.3937),
        (0, 37.7596, -122.4269),
    ]
    assert places("my pickup", "drop off") == places("my pickup", "drop off"), "a fixed point"


def test_optional_fields_have_defaults_and_spellings_are_forgiven(city):
    body = {
        "ownerId": "o",
        "pickupLocation": "Ferry Building",
        "dropOffLocation": "Dolores Park",
        "packageInfo": {"packageId": "p", "size": "sMALL", "weight": "1.5"},
    }
    answer = city.http.post("/api/deliveryrequests/", json=body)
    assert answer.status_code == 202
    delivery = city.get(f"/api/deliveries/{answer.json()['deliveryId']}")
    assert (delivery["expedited"], delivery["confirmationRequired"]) == (False, "None")
    for number, name in enumerate(["FingerPrint", "Picture", "Voice", "None"]):
        id = city.order(confirmationRequired=number, packageInfo=body["packageInfo"] | {"size": 2})
        assert city.get(f"/api/deliveries/{id}")["confirmationRequired"] == name


def test_a_pound_across_the_city_arrives(servers):
    city = servers.start(SAN_FRANCISCO, "--no-demand", "--paused")
    id = city.http.post("/api/deliveryrequests", json=POUND).json()["deliveryId"]
    city.run_until(20)
    delivery = city.get(f"/api/deliveries/{id}")
    assert delivery["droneId"], "a drone within two simulated seconds"
    stages = []
    while not stages or stages[-1] != "Completed":
        status = city.get(f"/api/deliveries/{id}/status")
        if status["stage"] not in stages:
            stages.append(status["stage"])
        assert status["pickupETA"] < status["deliveryETA"]
        city.run_until(city.clock["tick"] + 50)
    order = ["Created", "HeadedToPickup", "HeadedToDropoff", "Completed"]
    assert stages in (order, order[1:])
    status = city.get(f"/api/deliveries/{id}/status")
    assert status["lastKnownLocation"] == delivery["dropoff"]
    assert city.get(f"/api/deliveries/{id}")["droneId"] == delivery["droneId"]


def test_the_far_request_goes_by_third_party_and_is_no_error(servers):
    city = servers.start(SAN_FRANCISCO, "--no-demand", "--paused")
    id = city.http.post("/api/deliveryrequests", json=COAST_TO_COAST).json()["deliveryId"]
    city.run_until(600)
    assert city.get(f"/api/deliveryrequests/{id}")["state"] == "Scheduled"
    assert city.stage(id) == "HeadedToPickup"
    delivery = city.get(f"/api/deliveries/{id}")
    assert (delivery["droneId"], delivery["carrier"]) == (None, "third-party")


def test_an_idempotency_key_makes_two_requests_one(city):
    key = {"Idempotency-Key": "one-and-the-same"}
    first, second = (city.http.post("/api/deliveryrequests", json=POUND, headers=key) for _ in "ab")
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert second.headers["location"] == first.headers["location"]
    other = city.http.post("/api/deliveryrequests", json={**POUND, "ownerId": "somebody else"}, headers=key)
    assert other.status_code == 422, "another request is not confirmed by the first one's answer"
    assert [error["pointer"] for error in other.json()["errors"]] == ["Idempotency-Key"]
    assert city.order() != city.order(), "without a key two are two"


def test_deliveries_are_listed_by_owner_and_stage(city):
    mine = [city.order(ownerId="a lister/ä") for _ in range(5)]
    listed = city.pages("/api/deliveries", limit=2, ownerId="a lister/ä")
    assert [delivery["id"] for delivery in listed] == mine
    assert {delivery["stage"] for delivery in listed} == {"Created"}
    assert city.pages("/api/deliveries", limit=2, ownerId="a lister/ä", stage="Completed") == []
    assert city.pages("/api/deliveries", limit=1, ownerId="nobody") == []
