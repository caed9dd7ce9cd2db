#!/usr/bin/env python3
"""How cost grows with drones, watchers and requests, each over three decades: docs/growth.svg.

    make growth

Each point is a run of its own. Costs are the processor time of the server alone (the clients
run beside it), from its own `/metrics`: of a tick, of a second of watching, of a request until
its workflow is done. What would be a straight line upwards costs the same each.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/skyhaul"
CITY = ROOT / "scenarios/san-francisco.toml"
MILLION = ROOT / "scenarios/capacity/million-drones.toml"
DRONES = [1_000, 10_000, 100_000, 1_000_000]
WATCHERS = [10, 100, 1_000, 10_000]
RATES = [20, 200, 2_000, 20_000]
SECONDS = 10


def metric(page, name):
    lines = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.MULTILINE)
    return sum(map(float, lines))


class Server:
    """The program with a world in memory, for as long as the block takes."""

    def __init__(self, scenario, *arguments):
        self.command = [PROGRAM, "serve", "--scenario", scenario, "--data", ":memory:", "--listen",
                        "127.0.0.1:0", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(map(str, self.command), stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"(http://[\d.:]+)", line):
                self.url = found[1]
                return self
        sys.exit("the server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def metrics(self):
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            return answer.read().decode()

    def cpu_s(self):
        return metric(self.metrics(), "process_cpu_seconds_total")


def scaled(drones):
    """The million's region with so many drones and customers."""
    text, times = MILLION.read_text(), drones / 1_000_000
    shrink = lambda found: f"{found[1]} = {max(1, round(times * int(found[2])))}"
    text = re.sub(r"^(count|chargers) = (\d+)", shrink, text, flags=re.MULTILINE)
    return re.sub(r'rate = "104/s"', f'rate = "{104 * times:.3f}/s"', text, count=1)


def of_drones(drones):
    """Milliseconds of processor time a tick of a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(scaled(drones))
        file.flush()
        with Server(file.name, "--speed", "1") as server:
            time.sleep(3)
            before, began = server.cpu_s(), time.monotonic()
            time.sleep(SECONDS)
            return 1e3 * (server.cpu_s() - before) / (time.monotonic() - began)


def load(folder, text, server, *arguments):
    file = Path(folder) / "load.toml"
    file.write_text(text)
    command = [PROGRAM, "load", file, "--target", server.url, "--json", *arguments]
    done = subprocess.run(map(str, command), stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1])


def city():
    text = CITY.read_text()
    return text.replace('land = "maps/', f'land = "{ROOT}/scenarios/maps/')


def of_watchers(watchers):
    """Milliseconds of processor time a second, with the city's own life."""
    audience = f"""
[audience]
sessions = {watchers}
ramp = "5s"
follow = {{ drone = 0.5, area = 0.5 }}

[load]
warmup = "8s"
drain = "0s"
stages = [{{ rate = "1/s", for = "{SECONDS}s" }}]
"""
    with tempfile.TemporaryDirectory() as folder, Server(CITY) as server:
        before = server.cpu_s()
        found = load(folder, city() + audience, server)
        seconds = SECONDS + 8
        return 1e3 * (server.cpu_s() - before) / seconds, found


def of_requests(rate):
    """Milliseconds of processor time a second of asking, workflows and flights included."""
    asked = f"""
[load]
drain = "5s"
stages = [{{ rate = "{rate}/s", for = "{SECONDS}s" }}]
"""
    with tempfile.TemporaryDirectory() as folder, Server(CITY, "--no-demand") as server:
        before = server.cpu_s()
        found = load(folder, city() + asked, server)
        return 1e3 * (server.cpu_s() - before) / SECONDS, found


def decade(value):
    return f"{value:,}".replace(",000,000", "M").replace(",000", "k")


def chart(left, title, unit, points):
    """One square of logarithmic axes."""
    width, height, bottom = 250, 250, 300
    lows = [math.floor(math.log10(min(values))) for values in zip(*points)]
    highs = [math.ceil(math.log10(max(values)) - 1e-9) for values in zip(*points)]
    highs = [max(high, low + 1) for low, high in zip(lows, highs)]
    x = lambda v: left + width * (math.log10(v) - lows[0]) / (highs[0] - lows[0])
    y = lambda v: bottom - height * (math.log10(v) - lows[1]) / (highs[1] - lows[1])
    parts = [f'<text class="title" x="{left}" y="30">{title}</text>']
    for power in range(lows[0], highs[0] + 1):
        at = x(10**power)
        parts.append(f'<path class="grid" d="M{at:.1f} {bottom}V{bottom - height}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{decade(10**power)}</text>')
    for power in range(lows[1], highs[1] + 1):
        at = y(10.0**power)
        shown = f"{10.0**power:g}"
        parts.append(f'<path class="grid" d="M{left} {at:.1f}H{left + width}"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{shown}{unit}</text>')
    line = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in points)
    parts.append(f'<path class="line" d="M{line}"/>')
    parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="4"/>' for a, b in points]
    return "".join(parts)


STYLE = """text{font:12px system-ui,sans-serif;fill:#5b6b7b}.title{font-size:14px;font-weight:600}
.grid{stroke:#d5dde5}.line{stroke:#1668c4;stroke-width:2;fill:none}circle{fill:#1668c4}
svg{background:#fff}"""


def main():
    curves = []
    for title, unit, measure, steps in [
        ("drones, 5 % in the air: a tick of 1 s", " ms", lambda n: (of_drones(n), None), DRONES),
        ("watchers: a second", " ms", of_watchers, WATCHERS),
        ("requests a second: a second", " ms", of_requests, RATES),
    ]:
        points = []
        for step in steps:
            cost, found = measure(step)
            void = f"  void: {found['voidReason']}" if found and found["void"] else ""
            print(f"{title}: {step:>9,} {cost:10.2f}{unit} of processor time{void}", flush=True)
            points.append((step, max(cost, 0.01)))
        curves.append((title, unit, points))
    charts = [chart(70 + 340 * number, *curve) for number, curve in enumerate(curves)]
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1030 340"><style>{STYLE}</style>'
           + "".join(charts) + "</svg>\n")
    (ROOT / "docs/growth.svg").write_text(svg)


if __name__ == "__main__":
    main()
