"""Every route that /openapi.json describes, with bad input of every kind: so that a route that
comes later is tried too. Each mistake is told by a problem with the contract's code that names
it, and nothing is changed or lost by any."""

import uuid

import pytest

from skyhaul import TINY
from test_problems import problem

#: A stream does not end, and the page is no resource.
LEFT_ALONE = {"/api/stream", "/", "/shows/{show}/api/{resource}"}
METHODS = ["get", "post", "put", "patch", "delete"]
TOO_MUCH = " " * (1024 * 1024) + "{}"
#: Texts that may be anything, and so are never wrong.
FREE = {("/api/deliveries", "ownerId"), ("/api/deliveryhistory", "ownerId")} | {
    (f"/api/{path}/summary", "ownerId") for path in ("deliveries", "packages")
}
FREE |= {("/api/dronedeliveries/utilization", "ownerId")}
#: What clients of the reference say besides is passed over, in bodies and in queries.
REFERENCE = ("/api/deliveryrequests", "/api/deliveries/", "/api/packages/", "/api/dronedeliveries/")
REFERENCE += ("/api/account/", "/api/thirdpartydeliveries/", "/api/probe")
#: Passed over by the reference, and so here.
PASSED_OVER = {("post", "/api/deliveryrequests", "deliveryId")}
#: Where the reference wants 400 for a bad query.
BAD_REQUEST = {"/api/dronedeliveries/utilization"}


@pytest.fixture(scope="module")
def server(shared):
    server = shared.start(TINY, "--no-demand", "--speed", "1")
    # Not before tomorrow, so that it stays as it is.
    server.delivery = server.order(pickupTime="2026-06-02T18:00:00Z")
    made = [
        server.http.post("/api/accounts", json={"id": "shop", "name": "Shop", "kind": "business"}),
        server.http.put("/api/packages/box", json={"size": "Small", "weight": 1}),
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    server.description = server.get("/openapi.json")
    assert len(list(operations(server))) > 50 and len(with_bodies(server)) > 15
    return server


@pytest.fixture(autouse=True)
def nothing_is_lost(server):
    def all_there_is():
        deliveries = server.get("/api/deliveries")["items"]
        return deliveries, server.get("/api/accounts/shop"), server.get("/api/packages/box")

    before = all_there_is()
    yield
    assert all_there_is() == before
    assert server.clock["state"] == "running"


def operations(server):
    """Each method and path, its address with ids that there are, and what describes it."""
    for path, methods in server.description["paths"].items():
        if path in LEFT_ALONE:
            continue
        address = path.replace("{accountId}", "shop").replace("{packageId}", "box")
        address = address.replace("{deliveryId}", server.delivery)
        for resource, id in [("accounts", "shop"), ("drones", "d-0"), ("hubs", "mission")]:
            address = address.replace(f"/api/{resource}/{{id}}", f"/api/{resource}/{id}")
        address = address.replace("{id}", server.delivery)
        for method, operation in methods.items():
            if method in METHODS:
                yield method, path, address, operation


def body_of(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json")


def fields_of(server, operation):
    schema = body_of(operation)["schema"]
    # One that may be left out is this or null.
    schema = next((one for one in schema.get("oneOf", []) if "$ref" in one), schema)
    while "$ref" in schema:
        schema = server.description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    fields = schema.get("properties", {})
    assert fields, "it does not say what it takes"
    return fields


def is_ours(path):
    return path.startswith("/api/") and not path.startswith(REFERENCE)


def send(server, method, address, content, media="application/json"):
    return server.http.request(method, address, content=content, headers={"content-type": media})


def expect(wrong, what, check):
    """Notes what does not hold, so that one run tells of all routes."""
    try:
        check()
    except AssertionError as failed:
        wrong.append(f"{what}: {failed}")


def pointers(answer, status):
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["type"] and body["title"] and body["detail"]
    return [error["pointer"] for error in body.get("errors", [])]


def with_bodies(server):
    return [each for each in operations(server) if body_of(each[3])]


def test_another_method_is_405_and_told_which_would_do(server):
    wrong = []
    for path in {path for _, path, _, _ in operations(server)}:
        taken = {method for method, other, _, _ in operations(server) if other == path}
        address = next(address for _, other, address, _ in operations(server) if other == path)
        for method in set(METHODS) - taken:

            def check():
                answer = server.http.request(method, address)
                assert pointers(answer, 405) == []
                allowed = {name.strip().lower() for name in answer.headers["allow"].split(",")}
                assert taken <= allowed and method not in allowed

            expect(wrong, f"{method} {path}", check)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        ("{", "application/json", 400),
        ('{"a": NaN}', "application/json", 400),
        ("{}", "text/plain", 415),
        (TOO_MUCH, "application/json", 413),
        ("[]", "application/json", 422),
        ('"text"', "application/json", 422),
    ],
    ids=["broken", "no JSON", "other media", "too much", "a list", "a text"],
)
def test_a_body_that_is_none(server, content, media, status):
    wrong = []
    for method, path, address, _ in with_bodies(server):
        expect(
            wrong, f"{method} {path}", lambda: pointers(send(server, method, address, content, media), status)
        )
    assert not wrong, "\n".join(wrong)


def test_each_field_of_a_wrong_type_is_named(server):
    wrong = []
    for method, path, address, operation in with_bodies(server):
        passed_over = {field for *route, field in PASSED_OVER if route == [method, path]}
        for field in fields_of(server, operation).keys() - passed_over:

            def check():
                answer = server.http.request(method, address, json={field: [[]]})
                named = pointers(answer, 422)
                assert any((name + "/").startswith(f"/{field}/") for name in named), named

            expect(wrong, f"{method} {path} {field}", check)
    assert not wrong, "\n".join(wrong)


def queries(server):
    for method, path, address, operation in operations(server):
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
        if names:
            yield method, path, address, names


def test_each_wrong_parameter_is_named(server):
    wrong = []
    for method, path, address, names in queries(server):
        for name in names:
            if (path, name) not in FREE:
                status = 400 if path in BAD_REQUEST else 422

                def check():
                    answer = server.http.request(method, address, params={name: "?"})
                    named = pointers(answer, status)
                    assert f"?{name}" in named, named

                expect(wrong, f"{method} {path} {name}", check)
    assert not wrong, "\n".join(wrong)


def test_what_nobody_knows_is_named_on_routes_of_our_own(server):
    wrong = []
    for method, path, address, operation in operations(server):
        if is_ours(path):

            def check_query():
                answer = server.http.request(method, address, params={"limits": "7"})
                named = pointers(answer, 422)
                assert "?limits" in named, named

            expect(wrong, f"{method} {path} ?limits", check_query)
        if is_ours(path) and body_of(operation):

            def check_body():
                answer = server.http.request(method, address, json={"colour": "red"})
                named = pointers(answer, 422)
                assert "/colour" in named, named

            expect(wrong, f"{method} {path} /colour", check_body)
    assert not wrong, "\n".join(wrong)


def test_what_nobody_knows_is_passed_over_on_the_references_routes(server):
    asked = {"ownerId": "nobody", "year": 2026, "month": 6}
    assert server.get("/api/deliveries/summary", **asked, limits=7) == {"count": 0}
    assert server.get("/api/packages/summary", **asked, limits=7) == {"totalWeight": 0}
    problem(server.http.get("/api/dronedeliveries/utilization", params=asked | {"limits": 7}), 404)
    assert server.get(f"/api/deliveries/{server.delivery}", limits=7)["id"] == server.delivery


ODD = [None, True, -1, 0.5, 1e300, "", " ", "x" * 70_000, "\0", "\u202e", "1e999", [], {}, [[[]]], {"": {"": 0}}]


def test_no_value_of_any_field_is_more_than_the_server_can_bear(shared):
    """Some are fine where they stand, so this is a world of its own."""
    server = shared.start(TINY, "--no-demand", "--speed", "1")
    server.delivery, server.description = server.order(), server.get("/openapi.json")
    server.http.post("/api/accounts", json={"id": "shop", "name": "Shop", "kind": "business"})
    server.http.put("/api/packages/box", json={"size": "Small", "weight": 1})
    wrong = []
    for method, path, address, operation in with_bodies(server):
        for field in fields_of(server, operation):
            for value in ODD:

                def check():
                    answer = server.http.request(method, address, json={field: value})
                    status = str(answer.status_code)
                    assert status in operation["responses"], f"{status} {answer.text[:300]}"
                    if answer.status_code >= 400:
                        pointers(answer, answer.status_code)

                expect(wrong, f"{method} {path} {field} {str(value)[:20]!r}", check)
    assert not wrong, "\n".join(wrong)
    assert server.clock["state"] == "running"


def test_what_is_not_there_is_404(server):
    wrong = []
    makes = {("put", "/api/packages/{packageId}"), ("put", "/api/deliveries/{id}")}
    makes |= {("put", f"/api/{kind}deliveries/{{deliveryId}}") for kind in ("drone", "thirdparty")}
    for method, path, _, _ in operations(server):
        # Whether an account would be active is known of any.
        if "{" not in path or (method, path) in makes or path == "/api/account/{accountId}":
            continue
        before, rest = path.split("{")
        for id in [uuid.uuid4(), "nobody", "%F0%9F%9A%81", "%FF", "%00", "words%20" * 40]:
            address = f"{before}{id}{rest.split('}')[1]}"
            body = {} if method in ("put", "patch", "post") else None
            expect(
                wrong,
                f"{method} {address}",
                lambda: pointers(server.http.request(method, address, json=body), 404),
            )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("deliveries/new", {"owner": {}, "pickup": {"latitude": 91, "longitude": 181}}, "/owner/accountId"),
        ("deliveries/new", {"owner": {"accountId": ""}, "pickup": {}}, "/pickup/latitude"),
        ("dronedeliveries/new", {"packageDetails": [{"id": ""}, 7]}, "/packageDetails/1/size"),
        ("dronedeliveries/new", {"packageDetails": [{}] * 17}, "/packageDetails"),
    ],
)
def test_what_is_put_is_checked_to_its_last_field(server, path, body, named):
    answer = server.http.put(f"/api/{path}", json=body)
    assert named in pointers(answer, 422)
    problem(server.http.get("/api/deliveries/new"), 404)
