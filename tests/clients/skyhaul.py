"""Starts the program and speaks HTTP with it, as an outside user's script would.

Knows the command line and the simulation control of the contract; the WebSocket is in
`window.py`. Nothing here knows how the program is built.
"""

import copy
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

HERE = Path(__file__).parent
TINY = HERE.parent.parent / "scenarios/tiny.toml"
SAN_FRANCISCO = HERE.parent.parent / "scenarios/san-francisco.toml"
BUSY = HERE / "worlds/busy.toml"
PROGRAM = os.environ.get("SKYHAUL_PROGRAM", HERE.parent.parent / "target/release/skyhaul")

#: Generous, because a busy machine is slow and a hung program is slower.
PATIENCE_SECONDS = 60


def eventually(question, what):
    """Asks until the answer is truthy, and gives it back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running `skyhaul serve` and its HTTP client."""

    def __init__(self, scenario, data, *options):
        self.scenario, self.data, self.options = scenario, data, options
        self.start()

    def start(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.http = httpx.Client(base_url=f"http://{self.address}", timeout=PATIENCE_SECONDS)
        self.log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--scenario", self.scenario, "--listen", self.address]
            + ["--data", self.data, *self.options],
            stdout=self.log,
            stderr=self.log,
        )
        eventually(self.ready, "the server is ready")

    def ready(self):
        status = self.process.poll()
        assert status is None, f"serve ended with {status}: {Path(self.log.name).read_text()}"
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, how=signal.SIGTERM):
        """Ends the process and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE_SECONDS)
        self.http.close()
        self.log.close()
        return status

    def token(self, *flags):
        """What `skyhaul token` prints on its last line for this server's data folder."""
        command = [PROGRAM, "token", "--data", self.data, *flags]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return made.stdout.splitlines()[-1]

    def seen_by(self, token):
        """The same server, to somebody who shows this token over HTTP."""
        other = copy.copy(self)
        bearer = {"Authorization": f"Bearer {token}"}
        other.http = httpx.Client(base_url=self.http.base_url, timeout=PATIENCE_SECONDS, headers=bearer)
        return other

    def get(self, path, **parameters):
        answer = self.http.get(path, params=parameters or None)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def pages(self, path, limit, **parameters):
        """All items of a list, fetched a page at a time."""
        items, cursor = [], {}
        while True:
            page = self.get(path, limit=limit, **parameters, **cursor)
            assert set(page) == {"items", "next"} and len(page["items"]) <= limit
            items += page["items"]
            if page["next"] is None:
                return items
            assert len(page["items"]) == limit, "only the last page may be short"
            cursor = {"cursor": page["next"]}

    def control(self, **wishes):
        answer = self.http.put("/api/simulation", json=wishes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def clock(self):
        return self.get("/api/simulation")

    def run_until(self, tick, speed="max"):
        """Lets time pass up to a tick, and stands still there."""
        self.control(pauseAtTick=tick, speed=speed, state="running")
        return self.arrive(tick)

    def arrive(self, tick):
        """Waits for the pause that was asked for at a tick."""
        eventually(lambda: self.clock["state"] == "paused", f"paused at tick {tick}")
        clock = self.clock
        assert clock["tick"] == tick
        return clock

    def run_while(self, question, what, stride=100):
        """Lets time pass a stride at a time for as long as the answer is truthy."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while question():
            assert time.monotonic() < deadline, f"still true: {what}"
            self.run_until(self.clock["tick"] + stride)

    def order(self, **changes):
        """Requests a delivery of 1 lb and returns its id."""
        answer = self.http.post("/api/deliveryrequests", json=request(**changes))
        assert answer.status_code == 202, answer.text
        return answer.json()["deliveryId"]

    def stage(self, delivery):
        return self.get(f"/api/deliveries/{delivery}/status")["stage"]


def request(**changes):
    """The reference's second request, of 1 lb and between two known places."""
    return {
        "confirmationRequired": "None",
        "deadline": "",
        "deliveryId": "mydelivery",
        "dropOffLocation": "Dolores Park",
        "expedited": True,
        "ownerId": "myowner",
        "packageInfo": {"packageId": "mypackage", "size": "Small", "tag": "mytag", "weight": 1},
        "pickupLocation": "General Hospital",
        "pickupTime": "2019-05-08T20:00:00.000Z",
    } | changes
