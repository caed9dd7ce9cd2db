"""A WebSocket client of the program: subscriptions, and the picture that deltas add up to."""

import json
import time

import msgpack
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from skyhaul import PATIENCE_SECONDS


class Window:
    """One connection. Messages that nobody asked for yet wait in order of arrival."""

    #: `json` or `msgpack`, as the fixture `each_encoding` has it.
    encoding = "json"

    def __init__(self, server, welcomed=True, **options):
        options = {"subprotocols": [f"skyhaul.v1.{self.encoding}"], "max_size": None, "max_queue": None} | options
        self.server = server
        self.entered = connect(f"ws://{server.address}/ws", compression=None, **options)
        self.socket = self.entered.__enter__()
        self.waiting = []
        self.welcome = self.expect(type="welcome") if welcomed else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.entered.__exit__(None, None, None)

    def send(self, **message):
        if self.encoding == "json":
            self.socket.send(json.dumps(message))
        else:
            self.socket.send(msgpack.packb(message))

    def receive(self, timeout):
        frame = self.socket.recv(timeout=timeout)
        assert isinstance(frame, str) == (self.encoding == "json"), "frames are of the encoding asked for"
        return json.loads(frame) if self.encoding == "json" else msgpack.unpackb(frame)

    def expect(self, **fields):
        """The first message with these fields; those before it stay waiting."""
        return self.find(lambda message: fields.items() <= message.items(), fields)

    def find(self, fits, what="a message"):
        for index, message in enumerate(self.waiting):
            if fits(message):
                return self.waiting.pop(index)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                message = self.receive(deadline - time.monotonic())
            except TimeoutError:
                raise AssertionError(f"never came: {what}; waiting: {self.waiting[-3:]}") from None
            if fits(message):
                return message
            self.waiting.append(message)

    def subscribe(self, id, topic, **more):
        self.send(type="subscribe", id=id, topic=topic, **more)
        return self.answer(id, "subscribed")

    def answer(self, id, wanted):
        """What the program says to a request with this id, which must be of the wanted type."""
        found = self.find(
            lambda message: message.get("id") == id and message["type"] in (wanted, "error"),
            f"{wanted} {id}",
        )
        assert found["type"] == wanted, found
        return found

    def read_out(self):
        """All that is said up to the close, and its code."""
        said, self.waiting = self.waiting, []
        try:
            while True:
                said.append(self.receive(PATIENCE_SECONDS))
        except ConnectionClosed as closed:
            return said, closed.rcvd.code

    def refused(self, **message):
        """Sends what must be refused, and returns the error's code."""
        self.send(**message)
        error = self.expect(type="error")
        assert error.get("id") == message.get("id"), error
        assert error["message"], "an error says what is wrong"
        return error["code"]

    def ping(self):
        """Comes back when the program has read all that was sent before."""
        self.send(type="ping", sent=time.monotonic_ns())
        return self.expect(type="pong")

    def drop(self, id):
        """Forgets what waits for a subscription."""
        self.waiting = [message for message in self.waiting if message.get("id") != id]


ON_THE_GROUND = {"parked", "charging", "grounded", "lost"}


class Picture:
    """What one subscription shows, kept up to date from full messages and deltas."""

    def __init__(self, window, id, asked=None):
        self.window, self.id, self.asked = window, id, asked
        self.rows, self.tick, self.messages = {}, -1, []

    def next(self):
        """Takes in the next positions message, and returns it."""
        message = self.window.expect(type="positions", id=self.id)
        ids = [row[0] for row in message["drones"]]
        assert len(set(ids)) == len(ids), "a drone has one row a message"
        assert not set(ids) & set(message["gone"]), "a drone is here or gone"
        assert message["tick"] >= self.tick, "time goes forward"
        if message["full"]:
            self.rows = {}
        else:
            assert self.messages, "the first message is full"
            assert set(message["gone"]) <= set(self.rows), "only what was here can be gone"
        self.rows |= {row[0]: row for row in message["drones"]}
        for drone in message["gone"]:
            self.rows.pop(drone, None)
        self.tick = message["tick"]
        self.messages.append(message)
        return message

    def reach(self, tick, full=False):
        """The rows once they are those of a tick at which time stands still.

        A newcomer may see the beat before that first. `full` asks once more for everything.
        """
        while self.tick < tick:
            self.next()
        assert self.tick == tick
        if full and not self.messages[-1]["full"]:
            self.window.send(type="update", id=self.id, bbox=self.asked)
            while not self.next()["full"]:
                pass
        return self.rows


def inside(row, bbox):
    west, south, east, north = bbox
    return south <= row[1] <= north and west <= row[2] <= east
