"""What one client may take: requests in a time (`--rate-limit`), and connections."""

import subprocess

import httpx
import pytest

from skyhaul import PROGRAM, TINY, eventually
from test_problems import problem


def test_each_client_may_ask_so_often_and_hears_when_again(servers):
    server = servers.start(TINY, "--no-demand", "--auth", "required", "--rate-limit", "1/h")
    cafe = server.seen_by(server.token("--role", "business", "--account", "cafe"))
    bakery = server.seen_by(server.token("--role", "business", "--account", "bakery"))
    assert cafe.http.get("/api/drones").status_code == 200
    for path in ["/api/drones", "/api/simulation", "/api/deliveries"]:
        answer = cafe.http.get(path)
        assert problem(answer, 429)["type"] == "urn:skyhaul:problem:too-many-requests"
        assert 3_000 < int(answer.headers["retry-after"]) <= 3_600
    refused = cafe.http.post("/api/deliveryrequests", json={"ownerId": "cafe"})
    problem(refused, 429)
    assert bakery.http.get("/api/drones").status_code == 200
    problem(server.http.get("/api/drones"), 401)
    problem(server.http.get("/api/drones"), 429)
    for path in ["/healthz", "/readyz", "/", "/openapi.json"]:
        assert cafe.http.get(path).status_code == 200


def test_nobody_is_limited_where_nobody_said_so(servers):
    server = servers.start(TINY, "--no-demand")
    assert {server.http.get("/api/drones").status_code for _ in range(300)} == {200}


def test_who_comes_when_every_place_is_taken_is_told_so(servers):
    server = servers.start(TINY, "--no-demand", "--max-connections", "2")
    with httpx.Client(base_url=server.http.base_url) as second:
        assert second.get("/healthz").status_code == 200
        answer = httpx.get(f"http://{server.address}/api/drones")
        problem(answer, 503)
        assert answer.headers["retry-after"] == "1" and answer.headers["connection"] == "close"
        assert second.get("/healthz").status_code == 200, "who is there is served"

    def there_is_a_place():
        return httpx.get(f"http://{server.address}/api/drones").status_code == 200

    eventually(there_is_a_place, "there is a place")


@pytest.mark.parametrize(
    "flags", [["--rate-limit", "20"], ["--rate-limit", "0/s"], ["--max-connections", "0"]], ids=" ".join
)
def test_a_limit_that_lets_nobody_in_is_refused(flags):
    ended = subprocess.run([PROGRAM, "serve", *flags], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and flags[1] in ended.stderr
