"""What was shown once is shown for ever: after a kill, after a restart, and as history.

Before and after are compared whole: every route, every delivery, every list, every topic.
"""

import json
import signal
import subprocess

from mirror import (
    CROWD,
    ENDED,
    MIXED,
    OF_A_DELIVERY,
    SUMMARIES,
    deliveries,
    events_since,
    metrics,
    owners,
    place_orders,
    snapshot,
)
from skyhaul import PROGRAM, eventually
from window import Window

#: Measurements of the world; others are of the process, and begin anew with it.
OF_THE_WORLD = (
    "skyhaul_deliveries{",
    "skyhaul_airborne_drones",
    "skyhaul_actors",
    "skyhaul_alarms",
    "skyhaul_dead_letters",
    "skyhaul_breaker_state",
    "skyhaul_event_log_last",
    "skyhaul_published_tick",
)
LISTS = ("drones", "hubs", "deliveries", "deliveryhistory", "supervisor/workflows", "supervisor/deadletters")


def everything(server):
    """All that can be asked about the world, by how it was asked."""
    shown = {"clock": {name: server.clock[name] for name in ("state", "tick", "simTime", "digest", "epoch")}}
    shown |= {name: server.pages(f"/api/{name}", 1000) for name in LISTS}
    shown["geojson"], shown["zones"] = server.get("/api/drones.geojson"), server.get("/api/zones")
    for id in deliveries(server):
        shown |= {path.format(id): server.get(path.format(id)) for path in OF_A_DELIVERY}
    for account in owners(server):
        shown[f"account {account}"] = server.get(f"/api/accounts/{account}"), server.get(f"/api/account/{account}")
        for path in SUMMARIES:
            asked = {"ownerId": account, "year": 2026, "month": 6}
            shown[f"{path} of {account}"] = server.http.get(path, params=asked).json()
    shown |= {name: value for name, value in metrics(server).items() if name.startswith(OF_THE_WORLD)}
    with Window(server) as window:
        fleet = snapshot(window, "fleet")["fleet"]
        shown["fleet"] = {name: fleet[name] for name in ("drones", "byStatus", "deliveries", "etaError")}
        shown["events"] = events_since(window, "events", 0)
        for id in deliveries(server):
            shown[f"events of {id}"] = events_since(window, f"delivery/{id}", 0)
    return shown


def assert_same(before, after):
    assert before.keys() == after.keys()
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert not changed


def test_a_killed_server_comes_back_with_all_it_had_shown(servers):
    server = servers.start(MIXED, "--paused")
    place_orders(server, *({"ownerId": "acme", "confirmationRequired": kind} for kind in ("Picture", "None")))
    server.run_until(9000)
    before = everything(server)
    assert len(before["deliveries"]) > 40 and len(before["events"]) > 300
    for how in (signal.SIGKILL, signal.SIGTERM):
        server.stop(how)
        server.start()
        assert_same(before, everything(server))


def test_a_world_killed_again_and_again_lives_the_life_of_one_that_never_was(servers):
    """Killed in full flight; at the end its digest is that of a run without a server."""
    run = subprocess.run([PROGRAM, "run", MIXED, "--until", "20m", "--json"], capture_output=True, text=True, check=True)
    report = json.loads(run.stdout.splitlines()[-1])
    server = servers.start(MIXED, "--paused")
    for tick in (900, 3333, 7000):
        server.control(state="running", speed=300)
        eventually(lambda: server.clock["tick"] > tick, f"past tick {tick}")
        server.stop(signal.SIGKILL)
        server.start()
    assert server.clock["tick"] < report["ticks"]
    if server.clock["state"] != "paused":
        server.control(state="paused")
    assert server.run_until(report["ticks"])["digest"] == report["digest"]
    assert len(deliveries(server)) == report["deliveries"]["requested"]


def test_a_listener_goes_on_over_a_kill_where_it_was(servers):
    """The same epoch, the next number, not one event twice or missing."""
    server = servers.start(MIXED, "--paused")
    server.run_until(4000)
    with Window(server) as window:
        epoch, heard = window.welcome["epoch"], events_since(window, "events", 0)
    server.stop(signal.SIGKILL)
    server.start()
    server.run_until(6000)
    with Window(server) as window:
        assert window.welcome["epoch"] == epoch, "no committed event was lost, so it is the same story"
        missed = events_since(window, "events", len(heard))
        assert missed and heard + missed == events_since(window, "events", 0)


def test_a_delivery_that_left_memory_is_answered_as_before(servers):
    server = servers.start(CROWD, "--paused")
    server.run_until(150)
    ended = [id for id, delivery in deliveries(server).items() if delivery["stage"] in ENDED]
    stages = {server.stage(id) for id in ended}
    assert stages == {"Completed", "Failed"}
    chosen = ended[:40] + ended[-40:]

    def shown():
        answers = {path.format(id): server.get(path.format(id)) for id in chosen for path in OF_A_DELIVERY}
        with Window(server) as window:
            for id in chosen:
                told = snapshot(window, f"delivery/{id}")
                answers[f"snapshot of {id}"] = told["seq"], told["delivery"]
        return answers

    before = shown()
    server.run_while(lambda: counted(server, "_in_memory") == counted(server, "{"), "all are in memory", 350)
    assert_same(before, shown())
    known = deliveries(server)
    assert len(known) == counted(server, "{") and known.keys() >= set(chosen), "lists hold what is in the store"
    server.stop(signal.SIGKILL)
    server.start()
    assert_same(before, shown())
    assert deliveries(server) == known


def counted(server, which):
    return sum(metrics(server, f"skyhaul_deliveries{which}").values())
