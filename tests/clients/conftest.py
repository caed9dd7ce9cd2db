"""Servers for the tests: each in a data folder of its own, gone at the end."""

from pathlib import Path

import pytest

# Helpers explain a failure as tests do.
pytest.register_assert_rewrite("mirror", "skyhaul", "window")

from skyhaul import BUSY, TINY, Server  # noqa: E402
from window import Window  # noqa: E402


class Servers:
    """Starts servers, and ends those that a test leaves running."""

    def __init__(self, folder):
        self.folder, self.running = Path(folder), []

    def start(self, scenario, *options):
        data = self.folder / f"world-{len(self.running)}"
        server = Server(scenario, data, *options)
        self.running.append(server)
        return server

    def close(self):
        for server in self.running:
            server.stop()


def servers_in(folder):
    servers = Servers(folder)
    yield servers
    servers.close()


@pytest.fixture
def servers(tmp_path):
    yield from servers_in(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    yield from servers_in(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def tiny(servers):
    """The smallest world, standing still at tick 0 and without customers of its own."""
    return servers.start(TINY, "--paused", "--no-demand")


@pytest.fixture
def busy(servers):
    """Two hubs, forty drones, wind and many customers, standing still at tick 0."""
    return servers.start(BUSY, "--paused")


@pytest.fixture(params=["json", "msgpack"])
def each_encoding(request, monkeypatch):
    """Once for each: all connections of the test speak it."""
    monkeypatch.setattr(Window, "encoding", request.param)
