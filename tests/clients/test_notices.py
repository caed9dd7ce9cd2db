"""Whoever asked to be told about a delivery is told: by mail, by a signed web hook, whatever is
killed in between."""

import hashlib
import hmac
import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from skyhaul import TINY, eventually, free_port

SECRET = "a secret between the two of us"
EMAIL, SMS = "ada@example.com", "+14155550123"


class Letters(Message):
    """A mail server that keeps what it gets."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def handle_message(self, message):
        self.kept.append(message)


@pytest.fixture
def letters():
    yield from mail_server(free_port())


def mail_server(port):
    letters = Letters()
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    letters.address = f"smtp://127.0.0.1:{port}"
    yield letters
    controller.stop()


class Hook(ThreadingHTTPServer):
    """Takes web hooks, or answers what it is told to."""

    def __init__(self):
        hook = self
        self.calls, self.statuses = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = hook.statuses.pop(0) if hook.statuses else 204
                hook.calls.append((status, dict(self.headers), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/notices"

    def taken(self):
        return [json.loads(body) for status, _, body in self.calls if status < 300]


@pytest.fixture
def hook():
    hook = Hook()
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    yield hook
    hook.shutdown()
    hook.server_close()


def ask_to_be_told(server, **who):
    id = server.order()
    answer = server.http.post(f"/api/deliveries/{id}/notifymerequests", json=who)
    assert answer.status_code == 204, answer.text
    return id


def complete(server, id):
    server.control(state="running", speed="max")
    eventually(lambda: server.stage(id) == "Completed", "delivered")


def test_a_mail_tells_of_the_way_and_of_the_arrival(servers, letters):
    mail = ("--mail-server", letters.address, "--mail-from", "Skyhaul <drones@example.com>")
    server = servers.start(TINY, "--no-demand", *mail)
    id = ask_to_be_told(server, emailAddress=EMAIL)
    complete(server, id)
    eventually(lambda: len(letters.kept) == 2, "two mails")
    way, arrival = sorted(letters.kept, key=lambda mail: mail["message-id"])
    assert way["subject"] == "Your delivery is on its way"
    assert arrival["subject"] == "Your delivery has arrived"
    for mail in (way, arrival):
        assert (mail["to"], mail["from"]) == (EMAIL, "Skyhaul <drones@example.com>")
        assert id in mail.get_payload()


def test_a_web_hook_is_signed_and_tried_again_until_it_is_taken(servers, hook, monkeypatch):
    monkeypatch.setenv("SKYHAUL_WEB_HOOK_SECRET", SECRET)
    hook.statuses = [500, 429, 401]
    server = servers.start(TINY, "--no-demand", "--web-hook", hook.address)
    id = ask_to_be_told(server, sms=SMS, emailAddress=EMAIL)
    complete(server, id)
    eventually(lambda: len(hook.taken()) == 4, "two moments, two ways each")
    told = {(said["kind"], said.get("sms"), said.get("email")) for said in hook.taken()}
    kinds = ("HeadedToDropoff", "Completed")
    assert told == {(kind, *who) for kind in kinds for who in ((SMS, None), (None, EMAIL))}
    assert {said["deliveryId"] for said in hook.taken()} == {id}
    assert len({said["id"] for said in hook.taken()}) == 4
    assert len(hook.calls) == 7, "three were refused first"
    for _, headers, body in hook.calls:
        headers = {name.lower(): value for name, value in headers.items()}
        time, signature = (part.split("=")[1] for part in headers["skyhaul-signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{time}.".encode() + body, hashlib.sha256)
        assert signature == expected.hexdigest()
        assert headers["skyhaul-notice"] == str(json.loads(body)["id"])
    assert SECRET not in Path(server.log.name).read_text()


def test_what_could_not_be_sent_is_sent_after_a_kill(servers):
    port = free_port()
    mail = ("--mail-server", f"smtp://127.0.0.1:{port}", "--mail-from", "drones@example.com")
    server = servers.start(TINY, "--no-demand", *mail)
    id = ask_to_be_told(server, emailAddress=EMAIL)
    complete(server, id)
    eventually(lambda: "was not delivered" in Path(server.log.name).read_text(), "tried in vain")
    server.stop(signal.SIGKILL)
    for letters in mail_server(port):
        server.start()
        eventually(lambda: len(letters.kept) >= 2, "both mails, at least once")
        assert {mail["subject"] for mail in letters.kept} == {
            "Your delivery is on its way",
            "Your delivery has arrived",
        }
    assert EMAIL not in Path(server.log.name).read_text(), "no address in a log"


def test_with_nothing_to_send_by_the_log_says_what_would_have_been_said(servers):
    server = servers.start(TINY, "--no-demand")
    id = ask_to_be_told(server, emailAddress=EMAIL, sms=SMS)
    complete(server, id)
    log = lambda: Path(server.log.name).read_text()  # noqa: E731
    eventually(lambda: log().count("nothing to send it with") == 4, "four lines")
    assert id in log() and EMAIL not in log() and SMS not in log()
