"""Server-sent events, read by a plain HTTP client: the WebSocket's messages, resumed by their ids."""

import json
import signal
import subprocess

import pytest

from skyhaul import PATIENCE_SECONDS, PROGRAM, TINY, request
from window import Window


class Stream:
    """One connection, by the rules of the HTML standard's `EventSource`."""

    def __init__(self, server, *topics, last_event_id=None, **parameters):
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        query = [("topic", topic) for topic in topics] + list(parameters.items())
        self.last_event_id = last_event_id
        self.retries, self.ids = [], []
        self.context = server.http.stream("GET", "/api/stream", params=query, headers=headers)
        self.answer = self.context.__enter__()
        assert self.answer.status_code == 200, self.answer.read()
        assert self.answer.headers["content-type"].split(";")[0] == "text/event-stream"
        assert self.answer.headers["cache-control"] == "no-store"
        self.lines = self.answer.iter_lines()
        self.waiting = []
        self.welcome = self.expect(type="welcome")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.__exit__(None, None, None)

    def read(self):
        """The next event's message; None once the stream has ended."""
        name, data, identifier = "message", [], self.last_event_id
        for line in self.lines:
            if line == "":
                self.last_event_id = identifier
                if data:
                    message = json.loads("\n".join(data))
                    assert message["type"] == name, "the event's name is the message's type"
                    assert (message["type"] in ("event", "snapshot")) == (identifier in self.ids)
                    self.ids.clear()
                    return message
                name, data = "message", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                identifier = value
                self.ids.append(value)
            elif field == "retry":
                self.retries.append(int(value))
        return None

    def find(self, fits, what="a message"):
        for index, message in enumerate(self.waiting):
            if fits(message):
                return self.waiting.pop(index)
        while (message := self.read()) is not None:
            if fits(message):
                return message
            self.waiting.append(message)
        raise AssertionError(f"the stream ended before {what}")

    def expect(self, **fields):
        return self.find(lambda message: fields.items() <= message.items(), fields)


def told(message):
    """What a message says, whatever subscription it came by."""
    return {key: value for key, value in message.items() if key != "id"}


def test_a_stream_tells_what_the_window_tells(tiny):
    delivery = tiny.order()
    topic = f"delivery/{delivery}"
    with Stream(tiny, "fleet", topic, maxHz=10) as stream, Window(tiny) as window:
        window.subscribe(1, topic)
        assert stream.retries == [1000]
        assert stream.welcome["epoch"] == window.welcome["epoch"]
        assert [stream.expect(type="subscribed", id=id)["recovered"] for id in (1, 2)] == [False, False]
        assert "delivery" in stream.expect(type="snapshot", id=2)
        assert "fleet" in stream.expect(type="snapshot", id=1)
        tiny.control(state="running", speed="max")
        of_window, of_stream = [], []
        for source, id, events in ((window, 1, of_window), (stream, 2, of_stream)):
            while not events or events[-1]["event"]["kind"] != "Completed":
                events.append(source.expect(type="event", id=id))
        assert [told(event) for event in of_stream] == [told(event) for event in of_window]
        assert [event["seq"] for event in of_stream] == list(range(of_stream[0]["seq"], of_stream[-1]["seq"] + 1))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_who_comes_back_with_the_last_id_goes_on(servers, end):
    server = servers.start(TINY, "--paused", "--no-demand")
    topics = [f"delivery/{server.order()}", "area", f"delivery/{server.order()}"]
    area = {"bbox": "-122.5,37.7,-122.3,37.8"}
    seen, last = {1: [], 3: []}, None
    ended = set()
    for life in range(3):
        # Cut after a few events, several times in each life of the server.
        for few in (1, 2, 3, 2):
            with Stream(server, *topics, last_event_id=last, **area) as stream:
                if last is None:
                    for id in seen:
                        stream.expect(type="snapshot", id=id)
                for id in seen:
                    assert stream.expect(type="subscribed", id=id)["recovered"] == (last is not None)
                server.control(state="running", speed=100)
                for _ in range(few):
                    if len(ended) == len(seen):
                        break
                    event = stream.find(lambda m: m["type"] == "event")
                    assert not any(m["type"] == "snapshot" for m in stream.waiting) or last is None
                    seen[event["id"]].append(event["seq"])
                    if event["event"]["kind"] in ("Completed", "Failed"):
                        ended.add(event["id"])
                last = stream.last_event_id
                server.control(state="paused")
        if life < 2:
            server.stop(end)
            server.start()
    for seqs in seen.values():
        assert len(seqs) > 3 and seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs


@pytest.mark.parametrize("last", ["e999.0", "{epoch}.99999", "{epoch}.1.1", "nonsense", "{epoch}.-"])
def test_an_id_from_elsewhere_begins_anew(tiny, last):
    last = last.format(epoch=tiny.clock["epoch"])
    with Stream(tiny, "drone/d-0", last_event_id=last) as stream:
        assert not stream.expect(type="subscribed")["recovered"]
        assert stream.expect(type="snapshot")["seq"] == 0


@pytest.mark.parametrize(
    ["query", "status", "wrong"],
    [
        ("", 422, ["?topic"]),
        ("?topic=weather&topic=area&maxHz=-1", 422, ["?maxHz", "?topic", "?bbox"]),
        ("?topic=area&bbox=1,2", 422, ["?bbox"]),
        ("?topic=fleet&topic=fleet", 422, ["?topic"]),
        ("?" + "&".join(f"topic=hub/h{n}" for n in range(65)), 404, []),
        ("?topic=fleet&topic=drone/d-99", 404, []),
        ("?topic=delivery/01890a5d-ac96-774b-bcce-b302099a8057", 404, []),
    ],
)
def test_what_cannot_be_followed_is_answered_before_a_stream_begins(tiny, query, status, wrong):
    answer = tiny.http.get(f"/api/stream{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and problem["detail"]
    assert sorted(error["pointer"] for error in problem["errors"]) == sorted(wrong)


def test_only_whose_it_is_may_follow(servers):
    server = servers.start(TINY, "--paused", "--no-demand", "--auth", "required")

    def token(role, account=None):
        of = ["--account", account] if account else []
        made = subprocess.run(
            [PROGRAM, "token", "--role", role, *of, "--data", server.data], capture_output=True, text=True, check=True
        )
        return made.stdout.splitlines()[-1]

    def ask(topic, **headers):
        with server.http.stream("GET", "/api/stream", params={"topic": topic}, headers=headers) as answer:
            return answer.status_code

    people = {"operator": None, "business": "cafe", "customer": "ada"}
    bearer = {role: {"Authorization": f"Bearer {token(role, account)}"} for role, account in people.items()}
    answer = server.http.post("/api/deliveryrequests", json=request(ownerId="cafe"), headers=bearer["operator"])
    delivery = f"delivery/{answer.json()['deliveryId']}"
    assert ask("fleet") == 401
    assert ask("fleet", Authorization="Bearer nonsense") == 401
    assert ask("fleet", **bearer["operator"]) == 200
    assert ask(delivery, **bearer["business"]) == 200
    assert ask(delivery, **bearer["customer"]) == 403
    for topic in ("fleet", "events", "drone/d-0"):
        assert ask(topic, **bearer["business"]) == 403, topic


def test_a_server_that_ends_says_so(servers):
    server = servers.start(TINY, "--paused", "--no-demand")
    with Stream(server, "events") as stream:
        stream.expect(type="snapshot")
        server.process.send_signal(signal.SIGTERM)
        assert stream.expect(type="bye")["code"] == "server_shutdown"
        assert stream.read() is None
    assert server.process.wait(PATIENCE_SECONDS) == 0
