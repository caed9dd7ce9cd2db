"""What steps that fail leave behind: seen from outside, and held to what is promised of them.

A circuit breaker that opens, waits and lets one try; undoing from the back; and keys that
mean one order whatever happens in between.
"""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from mirror import all_events, deliveries, drones, metrics
from skyhaul import TINY, request

#: Tiny, with a single drone where a test wants it, and workflows that soon give up.
QUICK = """
[workflow]
retries = 2
backoff = "500ms"
backoff_max = "1s"
breaker_failures = 4
breaker_pause = "10s"
"""


def fault(at, kind, target, duration):
    return f'\n[[fault]]\nat = "{at}"\nkind = "{kind}"\ntarget = "{target}"\nduration = "{duration}"\n'


@pytest.fixture
def world(servers, tmp_path):
    """Starts a world made of tiny's text and more."""

    def start(*more, change=lambda text: text, options=("--paused",)):
        file = tmp_path / "broken.toml"
        file.write_text(change(TINY.read_text()) + QUICK + "".join(more))
        return servers.start(file, *options)

    return start


def breaker_as_shown(server):
    """The breaker's state, on which all places agree."""
    [breaker] = server.get("/api/supervisor/health")["breakers"]
    counted = metrics(server, "skyhaul_breaker_state")
    assert sum(counted.values()) == 1
    assert counted[f'skyhaul_breaker_state{{breaker="{breaker["name"]}",state="{breaker["state"]}"}}'] == 1
    return breaker["state"]


def test_a_breaker_opens_waits_lets_one_try_and_closes_when_that_works(world):
    """The carrier is down for a while; all its customers' parcels are too heavy for drones."""
    busy = lambda text: text.replace('rate = "8/h"', 'rate = "2/s"').replace(
        "payload = { min = 0.2, max = 1.0 }", "payload = { min = 20.0, max = 30.0 }"
    )
    server = world(fault("5s", "carrier_down", "third_party", "32s"), change=busy)
    server.run_until(45)
    assert breaker_as_shown(server) == "closed"
    for tick in range(60, 800, 20):
        server.run_until(tick)
        changes = [it["event"]["state"] for it in all_events(server) if it["event"]["kind"] == "BreakerChanged"]
        assert breaker_as_shown(server) == (changes or ["closed"])[-1]
    log = all_events(server)
    changes = [(it["tick"], it["event"]["state"]) for it in log if it["event"]["kind"] == "BreakerChanged"]
    states = [state for _, state in changes]
    assert states[:3] == ["open", "half_open", "open"], "one try while it is down, and left alone again"
    assert states[-2:] == ["half_open", "closed"], "one try that works"
    assert 50 <= changes[0][0] <= 100, "a few failures are enough"
    given = [it["tick"] for it in log if it["event"]["kind"] == "HandedToCarrier"]
    for (since, state), (until, _) in pairwise(changes):
        if state == "open":
            assert until - since == pytest.approx(100, abs=1), "left alone for as long as the scenario says"
            assert not [tick for tick in given if since < tick < until]
        if state == "half_open":
            assert sum(since <= tick < until for tick in given) <= 1, "one request may try"
    assert min(given) < changes[0][0] < changes[-1][0] <= max(given), "as before, once it is over"
    reasons = Counter(it["event"]["reason"] for it in log if it["event"]["kind"] == "Failed")
    assert reasons.keys() == {"step_unavailable"}, "whom the carrier could not be asked for"


@pytest.mark.parametrize("stuck", ["drone", "package"])
def test_what_was_done_last_is_undone_first(world, stuck):
    """The last step fails. The drone is given back before the package is.

    So where the package's undoing fails, the only drone is free for the next request already;
    where the drone's does, the drone stays taken.
    """
    one = lambda text: text.replace("count = 3", "count = 1")
    server = world(
        fault("100ms", "step_fail", "delivery", "60s"),
        fault("1500ms", "step_fail", stuck, "60s"),
        change=one,
        options=("--paused", "--no-demand"),
    )
    server.run_until(10)
    server.control(state="running", speed=1)
    first, second = server.order(), server.order()
    server.control(state="paused")
    asked = f"/api/deliveryrequests/{first}"
    seen = []

    def going_on():
        flow = server.get(asked)
        if flow["state"] == "Compensating":
            seen.append(flow["step"])
        return flow["state"] != "DeadLettered"

    server.run_while(going_on, "not a dead letter", 3)
    assert server.get(asked)["step"] == stuck and set(seen) == {stuck}
    assert [it["deliveryId"] for it in server.get("/api/supervisor/deadletters")["items"]] == [first]
    assert metrics(server)["skyhaul_dead_letters"] == 1
    server.run_until(server.clock["tick"] + 2)
    waiting = server.get(f"/api/deliveryrequests/{second}")["state"] == "AwaitingDrone"
    assert waiting == (stuck == "drone")


def test_a_key_is_one_order_over_kills_and_at_the_same_time(servers):
    """Twenty keys, each sent by four at once, before and after a kill and after delivery."""
    server = servers.start(TINY, "--no-demand", "--speed", "50")

    def order(key):
        answer = server.http.post("/api/deliveryrequests", json=request(), headers={"Idempotency-Key": f"order-{key}"})
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/api/deliveryrequests/{answer.json()['deliveryId']}"
        return key, answer.json()

    def send_all():
        keys = [key for key in range(20) for _ in range(4)]
        with ThreadPoolExecutor(8) as senders:
            answers = list(senders.map(order, keys))
        first = dict(answers)
        assert all(answer == first[key] for key, answer in answers)
        return first

    before = send_all()
    assert len({answer["deliveryId"] for answer in before.values()}) == 20
    server.stop(signal.SIGKILL)
    server.start()
    assert send_all() == before
    server.control(state="paused")
    server.run_while(lambda: deliveries(server, stage="Created"), "some wait", 3000)
    server.control(state="running")
    assert send_all() == before
    server.control(state="paused")
    assert deliveries(server).keys() == {answer["deliveryId"] for answer in before.values()}
    sent = Counter(it["event"]["deliveryId"] for it in all_events(server) if it["event"]["kind"] == "TakenOff")
    flown = {id for id, delivery in deliveries(server).items() if delivery["droneId"]}
    assert flown and sent == Counter(flown), "never two drones for one request"
    carrying = [drone["deliveryId"] for drone in drones(server).values() if drone["deliveryId"]]
    assert len(carrying) == len(set(carrying))
