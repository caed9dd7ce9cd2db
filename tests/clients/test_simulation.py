"""Control over the clock: pause, speed, single steps, and a pause at a tick."""

from datetime import datetime, timedelta

from skyhaul import BUSY, eventually, request
from test_problems import problem

FIELDS = {"state", "speed", "tick", "simTime", "realTimeFactor", "tickSlipMs", "digest", "epoch"}


def test_a_world_that_starts_paused_stands_still(tiny):
    clock = tiny.clock
    assert clock.keys() >= FIELDS
    assert (clock["state"], clock["tick"], clock["speed"]) == ("paused", 0, 1)
    assert clock["simTime"].startswith("2026-06-01T18:00:00") and clock["simTime"].endswith("Z")
    assert tiny.clock == clock


def test_steps_move_a_paused_world_by_so_many_ticks(tiny):
    start = datetime.fromisoformat(tiny.clock["simTime"])
    for body, tick in [(None, 1), ({}, 2), ({"ticks": 7}, 9), ({"ticks": 1}, 10)]:
        options = {} if body is None else {"json": body}
        clock = tiny.http.post("/api/simulation/step", **options)
        assert clock.status_code == 200
        assert (clock.json()["state"], clock.json()["tick"]) == ("paused", tick)
        assert tiny.clock["tick"] == tick
    passed = datetime.fromisoformat(tiny.clock["simTime"]) - start
    assert passed == timedelta(seconds=1)


def test_a_running_world_cannot_be_stepped(tiny):
    tiny.control(state="running")
    problem(tiny.http.post("/api/simulation/step"), 409)


def test_the_clock_runs_and_stops_when_told_to(tiny):
    assert tiny.control(state="running", speed=200)["state"] == "running"
    eventually(lambda: tiny.clock["tick"] > 100, "time passes")
    tiny.control(speed="max")
    assert tiny.clock["speed"] == "max"
    eventually(lambda: tiny.clock["tick"] > 2000, "and faster")
    stopped = tiny.control(state="paused")
    assert stopped["state"] == "paused"
    assert tiny.clock["tick"] == stopped["tick"], "the answer comes when the change is in force"
    tiny.control(speed=0.5)
    assert (tiny.clock["speed"], tiny.clock["state"]) == (0.5, "paused"), "a speed starts nothing"
    assert tiny.control(pauseAtTick=stopped["tick"] + 5)["state"] == "paused"


def test_who_sees_the_pause_sees_the_tick_that_it_is_at(busy):
    for tick in range(25, 2000, 25):
        busy.control(pauseAtTick=tick, speed="max", state="running")
        while (clock := busy.clock)["state"] != "paused":
            assert clock["tick"] <= tick
        assert clock["tick"] == tick
        assert clock["realTimeFactor"] == 0


def test_a_pause_in_the_past_is_refused(tiny):
    tiny.run_until(50)
    before = tiny.clock
    problem(tiny.http.put("/api/simulation", json={"pauseAtTick": 10, "state": "running"}), 409)
    assert tiny.clock == before


def test_a_paused_world_takes_orders_and_goes_on_with_them(tiny):
    orders = [tiny.order() for _ in range(3)]
    assert {tiny.get(f"/api/deliveryrequests/{id}")["state"] for id in orders} == {"Queued"}
    assert {tiny.stage(id) for id in orders} == {"Created"}
    assert tiny.clock["tick"] == 0
    tiny.run_while(lambda: {tiny.stage(id) for id in orders} != {"Completed"}, "deliveries are under way")


def test_the_same_world_has_the_same_digest_at_any_pace(servers):
    """The digest depends on the orders and their ticks, not on pauses, speed, or who looks."""

    def digest(*stops, speed):
        server = servers.start(BUSY, "--paused")
        for stop in stops:
            clock = server.run_until(stop, speed=speed)
            server.get("/api/drones")
        return clock["digest"]

    assert digest(1500, speed="max") == digest(3, 700, 1500, speed=300) != digest(1501, speed="max")


def test_an_order_changes_the_digest(servers):
    def digest(*owners):
        server = servers.start(BUSY, "--paused")
        for owner in owners:
            server.http.post("/api/deliveryrequests", json=request(ownerId=owner))
        return server.run_until(5)["digest"]

    assert digest() != digest("somebody")
