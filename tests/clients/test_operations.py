"""What operators and their tools look at: the description, health, metrics, and the end."""

import re
import signal
import subprocess

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from skyhaul import BUSY, PROGRAM, request
from window import Window

#: Routes of the contract that this version has, beside those that need an id.
READS = [
    "/api/probe",
    "/api/deliveries",
    "/api/drones",
    "/api/drones.geojson",
    "/api/hubs",
    "/api/zones",
    "/api/simulation",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
]
OTHERS = [
    ("post", "/api/deliveryrequests"),
    ("get", "/api/deliveryrequests/{id}"),
    ("get", "/api/deliveries/{id}"),
    ("get", "/api/deliveries/public/{id}"),
    ("get", "/api/deliveries/{id}/owner"),
    ("get", "/api/deliveries/{id}/status"),
    ("get", "/api/drones/{id}"),
    ("put", "/api/simulation"),
    ("post", "/api/simulation/step"),
]


@pytest.fixture(scope="module")
def world(shared):
    server = shared.start(BUSY, "--paused")
    server.run_until(3000)
    return server


class Description:
    """`/openapi.json`, which every answer is checked against."""

    def __init__(self, document):
        self.document = document
        resource = Resource(contents=document, specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:description", resource)

    def check(self, method, path, answer):
        """The status, the media type and the body are as documented."""
        status = str(answer.status_code)
        documented = self.document["paths"][path][method]["responses"][status]
        kind = answer.headers["content-type"].split(";")[0]
        assert kind in documented["content"], f"{method} {path} answers {kind}"
        if kind.endswith("json"):
            steps = ["paths", path, method, "responses", status, "content", kind, "schema"]
            pointer = "/".join(step.replace("/", "~1") for step in steps)
            schema = {"$ref": f"urn:description#/{pointer}"}
            Draft202012Validator(schema, registry=self.registry).validate(answer.json())


@pytest.fixture(scope="module")
def description(world):
    return Description(world.get("/openapi.json"))


def test_the_description_has_every_route_and_only_routes_that_answer(world, description):
    described = {
        (method, path)
        for path, methods in description.document["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert described >= {("get", path) for path in READS} | set(OTHERS)
    for method, path in described:
        answer = world.http.request(method.upper(), path.replace("{id}", "d-1"), content="")
        assert answer.status_code != 405, f"{method} {path}"
        if answer.status_code == 404:
            # The drone may be known and stand on the ground, where it has no route; and a live world
            # has no timeline.
            known = ("unknown-id", "not-in-the-air", "not-a-recording")
            assert answer.json()["type"].endswith(known), f"{method} {path}"
    assert description.document["openapi"].startswith("3.1")


@pytest.mark.parametrize("path", READS)
def test_reads_answer_as_described(world, description, path):
    answer = world.http.get(path)
    assert answer.status_code == 200
    description.check("get", path, answer)


def test_answers_about_one_thing_and_writes_are_as_described(world, description):
    id = world.order()
    for method, path in OTHERS:
        if method == "get":
            real = path.replace("{id}", "d-1" if "drones" in path else id)
            description.check(method, path, world.http.get(real))
            description.check(method, path, world.http.get(path.replace("{id}", "42")))
        else:
            fine = request() if "deliveryrequests" in path else {}
            for body, fits in [(fine, True), ([], False)]:
                answer = world.http.request(method, path, json=body)
                assert answer.is_success == fits
                description.check(method, path, answer)


def test_the_documentation_needs_nobody_else(world):
    page = world.http.get("/docs", follow_redirects=True)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    links = re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", page.text)
    assert links
    for link in links:
        if link.startswith("data:"):
            continue
        assert not re.match(r"(https?:)?//", link), f"{link} is on another machine"
        part = world.http.get(page.url.join(link))
        assert part.status_code == 200 and part.content


def test_the_front_page_loads_nothing_from_elsewhere(world):
    page = world.http.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r"""<(?:script|img|iframe)[^>]*src=["']([^"']+)""", page.text)
    loaded += re.findall(r"""<link[^>]*href=["']([^"']+)""", page.text)
    assert not [link for link in loaded if re.match(r"(https?:)?//", link)]


def test_health_says_alive_and_ready(world):
    for path in ("/healthz", "/readyz", "/api/probe"):
        assert world.http.get(path).status_code == 200
        assert world.http.head(path).status_code == 200


def test_metrics_are_open_metrics(world):
    with Window(world):
        answer = world.http.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert all(name.startswith(("skyhaul_", "process_")) for name in families)
    assert all(family.documentation for family in families.values())
    for wanted in ("tick_phase_seconds", "tick_slip_seconds", "real_time_factor", "rounds"):
        assert f"skyhaul_{wanted}" in families
    for wanted in ("carried_over_messages", "actors", "http_requests"):
        assert f"skyhaul_{wanted}" in families
    for wanted in ("queue", "session"):
        assert any(wanted in name for name in families), f"nothing about {wanted}s"
    kinds = {sample.labels["kind"] for sample in families["skyhaul_actors"].samples}
    assert {"drone", "delivery", "fleet", "scheduler"} <= kinds


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_end_is_announced_and_orderly(servers, how):
    server = servers.start(BUSY)
    with Window(server) as window:
        window.subscribe(1, "fleet")
        server.process.send_signal(how)
        assert window.expect(type="bye")["code"] == "server_shutdown"
        assert server.process.wait(30) == 0
        with pytest.raises(Exception) as closed:
            while True:
                window.socket.recv(timeout=5)
        assert closed.value.rcvd.code == 1001


def test_the_program_says_its_version(world):
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    with Window(world) as window:
        assert said.strip() == f"skyhaul {window.welcome['version']}"
        assert (window.welcome["protocol"], window.welcome["playback"]) == ("skyhaul.v1", False)


@pytest.mark.parametrize("path", ["/api/hubs", "/api/drones", "/api/deliveries"])
def test_a_list_is_the_same_in_pages_of_any_length(world, path):
    whole = world.get(f"{path}?limit=1000")
    assert whole["next"] is None and len(whole["items"]) > 1
    paged, cursor = [], ""
    while cursor is not None:
        page = world.get(f"{path}?limit=1{cursor and f'&cursor={cursor}'}")
        assert len(page["items"]) == 1
        paged += page["items"]
        cursor = page["next"]
    assert paged == whole["items"]


def test_who_is_told_to_end_as_soon_as_it_is_ready_ends_in_order(servers):
    server = servers.start(BUSY)
    for _ in range(10):
        assert server.stop() == 0, "a signal was not heard yet"
        server.start()
