"""Who may see what: tokens shown in each way, roles, renewal and expiry, in both encodings."""

import pytest

from skyhaul import BUSY, TINY, request
from window import Window

EVERYWHERE = [-122.44, 37.74, -122.39, 37.78]
NOWHERE = "01890a5d-ac96-774b-bcce-b302099a8057"


class House:
    """A server that asks for tokens, and those that its people have."""

    def __init__(self, server):
        self.server = server
        self.tokens = {"operator": server.token("--role", "operator")}
        self.operator = server.seen_by(self.tokens["operator"])
        for account in ("cafe", "bakery"):
            self.tokens[account] = server.token("--role", "business", "--account", account)
        self.cafe, self.bakery = (server.seen_by(self.tokens[account]) for account in ("cafe", "bakery"))

    def guest(self, *flags):
        return self.server.token("--role", "customer", "--account", "cafe", *flags)

    def window(self, token):
        return Window(self.server, additional_headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def house(servers):
    return House(servers.start(TINY, "--paused", "--no-demand", "--auth", "required"))


def bad_tokens(house, servers):
    elsewhere = servers.start(BUSY, "--paused", "--auth", "required")
    honest = house.tokens["operator"]
    header, claims, signature = honest.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    return {
        "another server's": elsewhere.token("--role", "operator"),
        "unsigned": f"{none}.{claims}.",
        "of another header": f"{none}.{claims}.{signature}",
        "cut": honest[:-4],
        "of another's claims": ".".join([header, house.tokens["cafe"].split(".")[1], signature]),
        "nonsense": "nonsense",
    }


def test_health_is_for_everybody_and_the_rest_needs_a_token(house, servers):
    stranger = house.server.http
    for path in ("/healthz", "/readyz", "/"):
        assert stranger.get(path).status_code == 200, path
    for path in ("/api/simulation", "/api/deliveries", "/api/drones/d-0", "/metrics"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 401
    assert stranger.post("/api/deliveryrequests", json=request()).status_code == 401
    for what, token in bad_tokens(house, servers).items():
        answer = house.server.seen_by(token).http.get("/api/simulation")
        assert answer.status_code == 401, what
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert token not in answer.text, what


def test_each_role_may_what_it_may_over_http(house):
    delivery = house.cafe.order(ownerId="cafe")
    theirs = house.bakery.order(ownerId="bakery")
    link = house.server.seen_by(house.guest("--delivery", delivery))
    assert house.cafe.http.post("/api/deliveryrequests", json=request(ownerId="bakery")).status_code == 403
    for path in ("deliveries/{}", "deliveries/{}/status", "deliveries/{}/owner", "deliveryrequests/{}"):
        for who, id, status in [
            (house.operator, delivery, 200),
            (house.cafe, delivery, 200),
            (link, delivery, 200),
            (house.bakery, delivery, 403),
            (house.cafe, theirs, 403),
            (link, theirs, 403),
            (house.cafe, NOWHERE, 404),
        ]:
            answer = who.http.get(f"/api/{path.format(id)}")
            assert answer.status_code == status, (path, answer.text)
    listed = {who: [item["id"] for item in who.pages("/api/deliveries", 10)] for who in (house.cafe, house.bakery, link)}
    assert list(listed.values()) == [[delivery], [theirs], [delivery]]
    assert house.cafe.http.get("/api/deliveries", params={"ownerId": "bakery"}).status_code == 403
    for method, path, body in [
        ("put", "/api/simulation", {"state": "running"}),
        ("post", "/api/simulation/step", {}),
        ("get", "/metrics", None),
    ]:
        for who in (house.cafe, link):
            assert who.http.request(method, path, json=body).status_code == 403, path
    assert house.operator.clock["state"] == "paused"


@pytest.mark.usefixtures("each_encoding")
def test_a_token_opens_the_window_in_each_of_its_ways(house):
    token = house.tokens["operator"]
    protocol = f"skyhaul.v1.{Window.encoding}"
    with house.window(token) as window:
        assert window.subscribe(1, "fleet")
    for offered in ([protocol, f"skyhaul.token.{token}"], [f"skyhaul.token.{token}", protocol]):
        with Window(house.server, subprotocols=offered) as window:
            assert window.socket.subprotocol == protocol, "the token is never echoed"
            assert window.subscribe(1, "fleet")
    with Window(house.server, welcomed=False) as window:
        window.send(type="auth", token=token)
        assert window.expect(type="welcome")
        assert window.subscribe(1, "fleet")


def shown_out(window):
    said, code = window.read_out()
    assert code == 4401, said
    assert [(message["type"], message["code"]) for message in said] == [("error", "unauthorized")]


@pytest.mark.usefixtures("each_encoding")
def test_no_bad_token_opens_the_window_and_nothing_is_told_of_the_world(house, servers):
    protocol = f"skyhaul.v1.{Window.encoding}"
    for token in bad_tokens(house, servers).values():
        shown_out(Window(house.server, welcomed=False, additional_headers={"Authorization": f"Bearer {token}"}))
        shown_out(Window(house.server, welcomed=False, subprotocols=[protocol, f"skyhaul.token.{token}"]))
        window = Window(house.server, welcomed=False)
        window.send(type="auth", token=token)
        shown_out(window)
    window = Window(house.server, welcomed=False)
    window.send(type="subscribe", id=1, topic="fleet")
    shown_out(window)
    # One that says nothing at all has five seconds.
    shown_out(Window(house.server, welcomed=False))


@pytest.mark.usefixtures("each_encoding")
def test_each_role_may_what_it_may_through_the_window(house):
    delivery = house.cafe.order(ownerId="cafe")
    house.operator.run_until(20)
    topic = f"delivery/{delivery}"
    with house.window(house.tokens["bakery"]) as window:
        epoch = window.welcome["epoch"]
        since = {"epoch": epoch, "seq": 0}
        assert window.refused(type="subscribe", id=1, topic=topic) == "forbidden"
        assert window.refused(type="subscribe", id=1, topic=topic, since=since) == "forbidden"
        for other in ("fleet", "events", "hub/mission", "drone/d-0"):
            assert window.refused(type="subscribe", id=1, topic=other) == "forbidden", other
        assert window.refused(type="subscribe", id=1, topic="area", bbox=EVERYWHERE) == "forbidden"
        assert window.refused(type="subscribe", id=1, topic=f"delivery/{NOWHERE}") == "not_found"
    with house.window(house.guest("--delivery", delivery)) as window:
        assert window.subscribe(1, topic, since=since)["recovered"]
        assert window.expect(type="event", id=1)["event"]["kind"] == "Accepted"


@pytest.mark.usefixtures("each_encoding")
def test_a_customer_sees_the_drone_from_pick_up_to_drop_off(house):
    delivery = house.cafe.order(ownerId="cafe")
    link = house.guest("--delivery", delivery)
    guest = house.server.seen_by(link)
    stage = lambda: house.operator.stage(delivery)  # noqa: E731
    with house.window(link) as window:
        window.subscribe(1, f"delivery/{delivery}", maxHz=10)
        house.operator.run_until(50)
        assert stage() == "HeadedToPickup"
        drone = house.operator.get(f"/api/deliveries/{delivery}")["droneId"]
        assert guest.http.get(f"/api/drones/{drone}").status_code == 403
        assert guest.pages("/api/drones", 10) == []
        assert window.refused(type="subscribe", id=2, topic=f"drone/{drone}") == "forbidden"
        place = guest.get(f"/api/deliveries/{delivery}/status")["lastKnownLocation"]
        waits = house.operator.get(f"/api/deliveries/{delivery}")["pickup"]
        assert (place["latitude"], place["longitude"]) == (waits["latitude"], waits["longitude"])

        house.operator.run_while(lambda: stage() == "HeadedToPickup", "on the way to the pick-up", stride=20)
        assert guest.get(f"/api/drones/{drone}")["id"] == drone
        assert [seen["id"] for seen in guest.pages("/api/drones", 10)] == [drone]
        window.subscribe(3, f"drone/{drone}", maxHz=10)
        assert window.expect(type="positions", id=3)["drones"][0][0] == drone

        house.operator.run_while(lambda: stage() == "HeadedToDropoff", "on the way to the drop-off", stride=20)
        assert window.expect(type="error", id=3)["code"] == "forbidden"
        assert guest.http.get(f"/api/drones/{drone}").status_code == 403
        assert guest.pages("/api/drones", 10) == []
        window.find(lambda message: message.get("event", {}).get("kind") == "Completed", "the end")


@pytest.mark.usefixtures("each_encoding")
def test_a_session_ends_with_its_token_unless_it_is_renewed(house):
    delivery = house.cafe.order(ownerId="cafe")
    brief = house.guest("--ttl", "2s")
    with house.window(brief) as ending, house.window(brief) as renewed:
        for window in (ending, renewed):
            window.subscribe(1, f"delivery/{delivery}")
        renewed.send(type="auth", token=house.guest())
        renewed.expect(type="authorized")
        # It says nothing more, and time stands still.
        said, code = ending.read_out()
        assert (code, said[-1]["code"]) == (4401, "unauthorized")
        assert house.server.seen_by(brief).http.get("/api/simulation").status_code == 401
        house.operator.run_until(10)
        assert renewed.expect(type="event", id=1)
        # Another account's token is no more than that account's.
        renewed.send(type="auth", token=house.tokens["bakery"])
        assert renewed.expect(type="error", id=1)["code"] == "forbidden"
        assert renewed.refused(type="subscribe", id=2, topic=f"delivery/{delivery}") == "forbidden"


def test_on_an_open_server_a_token_narrows_what_its_bearer_sees(servers):
    server = servers.start(TINY, "--paused", "--no-demand")
    delivery, other = server.order(ownerId="cafe"), server.order(ownerId="cafe")
    answer = server.http.post("/api/tokens", json={"role": "customer", "account": "cafe", "delivery": delivery})
    assert answer.status_code == 201, answer.text
    guest = server.seen_by(answer.json()["token"])
    assert guest.stage(delivery) == "Created"
    assert guest.http.get(f"/api/deliveries/{other}").status_code == 403
    assert guest.http.put("/api/simulation", json={"state": "running"}).status_code == 403
    assert server.seen_by("nonsense").http.get("/api/simulation").status_code == 401
