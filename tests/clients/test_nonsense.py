"""Clients that speak nonsense, too much, or do not listen: they are told, nobody else is hurt."""

import base64
import json
import os
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from skyhaul import BUSY, PATIENCE_SECONDS, eventually
from window import Picture, Window

WORLD = [-122.45, 37.73, -122.38, 37.79]
LARGEST_FRAME = 64 * 1024


@pytest.fixture(scope="module")
def world(shared):
    return shared.start(BUSY, "--speed", "5")


@pytest.fixture
def window(world):
    with Window(world) as window:
        yield window


def test_every_mistake_has_its_code_and_the_connection_goes_on(window):
    window.subscribe(1, "fleet")
    mistakes = [
        ("unknown_type", {"type": "teleport", "id": 2}),
        ("unknown_topic", {"type": "subscribe", "id": 2, "topic": "weather"}),
        ("unknown_topic", {"type": "subscribe", "id": 2, "topic": "delivery"}),
        ("not_found", {"type": "subscribe", "id": 2, "topic": "drone/d-9999"}),
        ("not_found", {"type": "subscribe", "id": 2, "topic": "delivery/42"}),
        ("not_found", {"type": "subscribe", "id": 2, "topic": "hub/nowhere"}),
        ("duplicate_id", {"type": "subscribe", "id": 1, "topic": "drone/d-1"}),
        ("duplicate_topic", {"type": "subscribe", "id": 2, "topic": "fleet"}),
        ("unknown_id", {"type": "unsubscribe", "id": 9}),
        ("unknown_id", {"type": "update", "id": 9, "bbox": WORLD}),
        ("bad_message", {"type": "update", "id": 1, "bbox": WORLD}),
        ("bad_message", {"type": "subscribe", "id": 2}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area"}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area", "bbox": WORLD[:3]}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area", "bbox": WORLD[::-1]}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area", "bbox": [0, -91, 1, 0]}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area", "bbox": WORLD, "maxHz": 0}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "area", "bbox": WORLD, "maxHz": -1}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": 7}),
        ("bad_message", {"type": "subscribe", "id": 2, "topic": "drone/d-1", "since": "always"}),
    ]
    for code, message in mistakes:
        assert window.refused(**message) == code, message
    window.ping()
    window.subscribe(2, "drone/d-1")


@pytest.mark.parametrize(
    "frame",
    [
        "garbage",
        "",
        "[]",
        "7",
        "null",
        "{}",
        '{"type":7}',
        '{"type":"ping"',
        '{"type":"subscribe","id":-1,"topic":"fleet"}',
        '{"type":"subscribe","id":1e99,"topic":"fleet"}',
        '{"type":"subscribe","id":"one","topic":"fleet"}',
        '{"type":"subscribe","id":1,"topic":"area","bbox":[1e999,0,0,0]}',
        "[" * 10_000,
        '{"type":"ping","sent":' + "[" * 10_000,
        b"\x00\xff binary \x80",
        b'{"type":"ping","sent":1}',
    ],
    ids=lambda frame: repr(frame[:24]),
)
def test_what_is_no_message_is_answered_and_the_connection_goes_on(window, frame):
    window.socket.send(frame)
    assert window.expect(type="error")["code"] in ("bad_message", "unknown_type")
    window.ping()


def test_a_message_in_fragments_is_a_message(window):
    window.socket.send(iter(['{"type":"pi', 'ng","sent', '":5}']))
    assert window.expect(type="pong") == {"type": "pong", "sent": 5}


def test_who_says_too_much_at_once_is_told_so_and_not_thrown_out(window):
    window.subscribe(1, "fleet")
    for number in range(2000):
        window.send(type="ping", sent=number)
    answers = [answer_of_a_ping(window) for _ in range(2000)]
    assert set(answers) == {"pong", "rate_limited"}, "each is answered"

    def answers_again():
        window.send(type="ping", sent=2000)
        return answer_of_a_ping(window) == "pong"

    eventually(answers_again, "pings are answered again")
    assert window.expect(type="fleet", id=1)


def answer_of_a_ping(window):
    answer = window.find(lambda message: message["type"] in ("pong", "error"))
    return answer.get("code", "pong")


def test_what_is_unsubscribed_is_silent_and_can_be_had_again(window):
    window.subscribe(1, "area", bbox=WORLD)
    Picture(window, 1).next()
    window.send(type="unsubscribe", id=1)
    window.ping()
    window.drop(1)
    assert window.subscribe(1, "area", bbox=WORLD)["bbox"]
    assert Picture(window, 1).next()["full"]


def test_sixty_four_topics_are_enough_for_one_connection(window):
    topics = [f"drone/d-{number}" for number in range(40)]
    topics += ["fleet", "area", "hub/mission", "hub/potrero"]
    deliveries = []
    while len(topics) < 64:
        deliveries.append(window.server.order())
        topics.append(f"delivery/{deliveries[-1]}")
    for id, topic in enumerate(topics):
        window.subscribe(id, topic, **({"bbox": WORLD} if topic == "area" else {}))
    late = f"delivery/{window.server.order()}"
    assert window.refused(type="subscribe", id=64, topic=late) == "too_many"
    window.send(type="unsubscribe", id=0)
    window.ping()
    window.subscribe(64, late)


def closed_with(window, sending=None):
    """The code that the program closes the connection with, while or after it is sent something."""
    with pytest.raises(ConnectionClosed) as closed:
        if sending is not None:
            window.socket.send(sending)
        while True:
            window.socket.recv(timeout=PATIENCE_SECONDS)
    return closed.value.rcvd.code


def test_a_frame_of_64_kib_is_read_and_one_byte_more_closes_with_1009(window):
    ping = json.dumps({"type": "ping", "sent": 8})
    window.socket.send(ping.ljust(LARGEST_FRAME))
    assert window.expect(type="pong")["sent"] == 8
    assert closed_with(window, ping.ljust(LARGEST_FRAME + 1)) == 1009


def test_a_message_of_too_many_fragments_closes_with_1009(window):
    assert closed_with(window, iter(["x" * 8192] * 9)) == 1009


def test_broken_utf_8_closes_with_1007(window):
    window.socket.send(b'{"type":"ping","sent":"\xc3\x28"}', text=True)
    assert closed_with(window) == 1007


def test_a_client_may_offer_sub_protocols_or_none(world):
    with Window(world, subprotocols=["skyhaul.v1.json", "other"]) as window:
        assert window.socket.subprotocol == "skyhaul.v1.json"
    with Window(world, subprotocols=None) as window:
        assert window.socket.subprotocol is None
        window.ping()
    with pytest.raises(InvalidStatus) as refused:
        Window(world, subprotocols=["other"])
    assert refused.value.response.status_code == 400


def test_pages_from_elsewhere_may_not_connect(world):
    address = f"ws://{world.address}/ws"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin="https://elsewhere.example").__enter__()
    assert refused.value.response.status_code == 403
    with connect(address, origin=f"http://{world.address}") as near:
        assert json.loads(near.recv())["type"] == "welcome"


def test_the_route_without_an_upgrade_is_a_problem_like_others(world):
    answer = world.http.get("/ws")
    assert answer.status_code in (400, 426)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


def deaf_client(address):
    """Connects, subscribes to everything, and never reads a byte after that."""
    host, port = address.split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect((host, int(port)))
    key = base64.b64encode(os.urandom(16)).decode()
    deaf.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    for id, topic in enumerate(["area", "fleet", *(f"drone/d-{n}" for n in range(40))]):
        body = json.dumps(
            {"type": "subscribe", "id": id, "topic": topic, "maxHz": 10}
            | ({"bbox": WORLD} if topic == "area" else {})
        ).encode()
        mask = b"\0\0\0\0"
        length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2)
        deaf.sendall(b"\x81" + length + mask + body)
    return deaf


def test_clients_that_never_read_hurt_nobody_else(servers):
    server = servers.start(BUSY, "--speed", "20")
    deaf = [deaf_client(server.address) for _ in range(20)]
    with Window(server) as window:
        window.subscribe(1, "area", bbox=WORLD, maxHz=10)
        picture = Picture(window, 1)
        for _ in range(60):
            picture.next()
        ticks = [message["tick"] for message in picture.messages]
        assert ticks == sorted(set(ticks)), "each beat shows more"
        assert [message["full"] for message in picture.messages[1:]].count(True) == 0, "none skipped"
        assert not any(message["type"] == "pressure" for message in window.waiting)
        tick = server.clock["tick"] + 500
        server.run_until(tick)
        assert picture.reach(tick).keys() == {f"d-{number}" for number in range(40)}
    for each in deaf:
        each.close()
