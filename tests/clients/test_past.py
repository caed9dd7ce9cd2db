"""Moments of the past, as an outside client goes to them: each session by itself, in a world that
is recorded while it runs, and in a recording."""

import os
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import skyhaul
from skyhaul import BUSY, PROGRAM, eventually
from window import Picture, Window

WORLD = [-123, 37, -122, 38]


def everything(window, tick):
    """All rows of a full message at this tick, by drone."""
    full = window.find(
        lambda message: message["type"] == "positions" and message["full"] and message["tick"] == tick, tick
    )
    return {row[0]: row[1:] for row in full["drones"]}


def watch(server):
    window = Window(server)
    window.send(type="subscribe", id=1, topic="area", bbox=WORLD, maxHz=10)
    return window


def seek(window, clock):
    """The rows there, and what is said of the clock."""
    window.send(type="seek", simTime=clock["simTime"])
    assert window.expect(type="discontinuity")["tick"] == clock["tick"]
    told = window.expect(type="clock")
    return everything(window, clock["tick"]), told


def refused(window, code, **message):
    window.send(**message)
    error = window.expect(type="error")
    assert error["code"] == code, error
    return error["message"]


@pytest.fixture
def recorded(servers):
    """A world that is recorded, what was seen live at some ticks, and how the clock stood there."""
    server = servers.start(BUSY, "--paused")
    began = server.http.put("/api/recording", json={"state": "recording", "name": "demo"})
    assert began.status_code == 200, began.text
    live = []
    for tick in (600, 1800, 3000):
        clock = server.run_until(tick)
        with watch(server) as window:
            rows = Picture(window, 1, WORLD).reach(tick, full=True)
            live.append((clock, {drone: row[1:] for drone, row in rows.items()}))
    return server, live


def test_sessions_see_what_was_seen_live(recorded, each_encoding):
    server, live = recorded
    with watch(server) as ada, watch(server) as grace:
        for window, (clock, rows) in ((ada, live[0]), (grace, live[1]), (ada, live[1]), (grace, live[0])):
            seen, told = seek(window, clock)
            assert seen == rows
            assert told["live"] is False and told["from"] <= clock["simTime"] <= told["to"]
        assert server.clock["tick"] == 3000
        ada.send(type="live")
        assert everything(ada, 3000) == live[2][1]
        assert ada.expect(type="clock", live=True)
        # Whoever plays on comes to the present by themselves.
        grace.send(type="play", speed=1000)
        grace.expect(type="clock", live=True)
        assert everything(grace, 3000) == live[2][1]


def test_http_answers_of_the_past_as_the_session_hears_it(recorded):
    server, live = recorded
    with watch(server) as window:
        for clock, rows in live[:2]:
            seen, told = seek(window, clock)
            show = f"/shows/{told['show']}"
            drones = server.get(f"{show}/api/drones?limit=100")["items"]
            assert len(drones) == len(seen) == len(rows)
            for drone in drones:
                place = drone["location"]
                latitude, longitude, altitude, heading, speed, battery, status = seen[drone["id"]]
                assert (place["latitude"], place["longitude"], place["altitude"]) == (latitude, longitude, altitude)
                # Rows tell whole degrees.
                assert abs(drone["heading"] - heading) % 360 <= 0.5 or abs(drone["heading"] - heading) >= 359.5
                assert drone["status"] == status
            assert server.get(f"{show}/api/simulation")["digest"] == clock["digest"]
            flying = [drone["id"] for drone in drones if drone["deliveryId"]]
            for drone in flying:
                route = server.http.get(f"{show}/api/drones/{drone}/route")
                assert route.status_code in (200, 404), route.text
            assert any(
                server.http.get(f"{show}/api/drones/{drone}/route").status_code == 200 for drone in flying
            )
        assert server.clock["tick"] == 3000
        assert server.http.post(f"{show}/api/simulation/step", json={}).status_code == 409
        window.send(type="live")
        window.expect(type="clock", live=True)
        assert server.http.get(f"{show}/api/drones").status_code == 404


def test_what_is_not_there_is_refused_with_words(recorded, tiny):
    server, live = recorded
    with watch(server) as window:
        why = refused(window, "not_recorded", type="seek", simTime="2020-01-01T00:00:00Z")
        assert live[0][0]["simTime"][:10] in why
        refused(window, "bad_message", type="seek", simTime="yesterday")
        refused(window, "bad_message", type="play")
        with ExitStack() as stack:
            for _ in range(4):
                seek(stack.enter_context(watch(server)), live[0][0])
            assert "4 sessions" in refused(window, "too_many", type="seek", simTime=live[0][0]["simTime"])
    with Window(tiny) as window:
        assert "--record" in refused(window, "not_recorded", type="seek", simTime=tiny.clock["simTime"])


def test_a_recording_is_begun_and_ended_by_name(recorded):
    server, live = recorded
    told = server.get("/api/recording")
    assert (told["state"], told["name"], told["gaps"], told["failure"]) == ("recording", "demo", 0, None)
    assert server.get("/api/timeline")["to"] == live[2][0]["simTime"]
    for body, status in (
        ({"state": "recording", "name": "other"}, 409),
        ({"state": "recording", "name": "demo"}, 200),
        ({"state": "recording", "name": "a/b"}, 422),
        ({"state": "recording", "name": ".hidden"}, 422),
        ({"state": "on"}, 422),
        ({}, 422),
        ({"state": "off"}, 200),
        ({"state": "off"}, 200),
        ({"state": "recording", "name": "demo"}, 409),
    ):
        assert server.http.put("/api/recording", json=body).status_code == status, body
    told = server.get("/api/recording")
    path = Path(told["file"])
    assert (told["state"], path.name) == ("off", "demo.mcap")
    assert path.is_relative_to(server.data) and path.stat().st_size >= told["bytes"] > 0
    assert server.http.get("/api/timeline").status_code == 404
    done = subprocess.run(
        [PROGRAM, "export", path, "--format", "csv", "--out", "-"], capture_output=True, text=True
    )
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr


def test_what_ended_while_somebody_looked_at_the_past_is_found_there(servers):
    server = servers.start(BUSY, "--paused")
    server.http.put("/api/recording", json={"state": "recording"})
    delivery = server.order()
    then = server.run_until(600)
    with watch(server) as window:
        seek(window, then)
        server.run_while(lambda: server.stage(delivery) != "Completed", "it is under way", 600)
        # By then it has left what the world has in memory, and the recording's states.
        later = server.run_until(server.clock["tick"] + 7200)
        seek(window, later)
        window.send(type="subscribe", id=2, topic=f"delivery/{delivery}")
        assert window.expect(type="snapshot", id=2)["delivery"]["stage"] == "Completed"


def test_who_goes_to_before_their_order_follows_it_again_from_when_it_is_there(servers):
    server = servers.start(BUSY, "--paused", "--no-demand", "--auth", "required")
    operator = server.seen_by(server.token("--role", "operator"))
    cafe = server.token("--role", "business", "--account", "cafe")
    assert operator.http.put("/api/recording", json={"state": "recording"}).status_code == 200
    before = operator.run_until(100)
    delivery = server.seen_by(cafe).order(ownerId="cafe")
    operator.run_until(300)
    with Window(server, additional_headers={"Authorization": f"Bearer {cafe}"}) as window:
        window.send(type="subscribe", id=1, topic=f"delivery/{delivery}")
        told = window.expect(type="snapshot", id=1)["delivery"]
        window.send(type="seek", simTime=before["simTime"])
        assert window.expect(type="discontinuity")["tick"] == before["tick"]
        window.send(type="live")
        assert window.expect(type="snapshot", id=1)["delivery"] == told
        assert not [message for message in window.waiting if message["type"] == "error"]


LIMITED = """#!/usr/bin/env python3
import os, resource, signal, sys
words = sys.argv[1:]
words[words.index("--data") + 1] = ":memory:"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
os.execv({program!r}, [{program!r}, *words])
"""


def test_a_disk_that_fills_ends_the_recording_and_not_the_world(servers, tmp_path, monkeypatch):
    """No file may become larger than some, which is what a full disk looks like from inside."""
    program = tmp_path / "limited"
    program.write_text(LIMITED.format(program=os.fspath(PROGRAM)))
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(skyhaul, "PROGRAM", program)
    server = servers.start(BUSY, "--paused", "--recordings", tmp_path)
    server.http.put("/api/recording", json={"state": "recording", "name": "full"})
    server.control(speed="max", state="running")
    eventually(lambda: server.get("/api/recording")["state"] == "failed", "the disk is full")
    told = server.get("/api/recording")
    assert told["failure"], told
    tick = server.clock["tick"]
    eventually(lambda: server.clock["tick"] > tick + 100, "the world goes on")
    assert "skyhaul_recording_state 2" in server.http.get("/metrics").text
    eventually(lambda: "the recording ended" in Path(server.log.name).read_text(), "the log says so")
    with Window(server) as window:
        refused(window, "not_recorded", type="seek", simTime=server.clock["simTime"])
    done = subprocess.run(
        [PROGRAM, "export", told["file"], "--format", "csv", "--out", "-"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.count("\n") > 100, done.stderr
    # Another may be begun.
    again = server.http.put("/api/recording", json={"state": "recording", "name": "again"})
    assert again.json()["state"] == "recording", again.text
