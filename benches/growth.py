#!/usr/bin/env python3
"""How cost grows with drones, watchers and requests, each over three decades: docs/growth.svg.

    make growth                                      # some six minutes, on a machine with nothing else to do
    python3 benches/growth.py [--short] [--out FILE.svg]   # two decades and shorter, to see that it works

Each point is a run of its own. Costs are the processor time of the server alone (the clients
run beside it), from its own `/metrics`: of a tick, of a second of watching, of a second of asking
with its workflows and flights. Dashed is what costs the same each as at the last point. The
picture says where and when, how busy the machine was by others, and which points are of a
generator that could not keep up (hollow).
"""

import argparse
import json
import math
import os
import re
import statistics
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
# Where even the highest rate finds drones: a city's own would all be out within seconds.
REGION = ROOT / "scenarios/capacity/guide-requirement.toml"
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

    def settle(self):
        """Until it keeps its own time."""
        for _ in range(120):
            before = self.ticks()
            time.sleep(1)
            if self.ticks() > before:
                break
        time.sleep(3)

    def ticks(self):
        return metric(self.metrics(), "skyhaul_ticks_total")

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
        # As many ticks as it takes for the clock that counts hundredths of a second.
        with Server(file.name, "--speed", str(min(1_000_000 // drones, 100))) as server:
            server.settle()
            spent, ticks = server.cpu_s(), server.ticks()
            time.sleep(SECONDS)
            return 1e3 * (server.cpu_s() - spent) / (server.ticks() - ticks)


def load(folder, text, server):
    """Its seconds, and its summary."""
    file, samples = Path(folder) / "load.toml", Path(folder) / "samples"
    file.write_text(text)
    command = [PROGRAM, "load", file, "--target", server.url, "--json", "--samples", samples]
    done = subprocess.run(map(str, command), stdout=subprocess.PIPE, text=True, check=False)
    seconds = [json.loads(line) for line in samples.read_text().splitlines()]
    return seconds, json.loads(done.stdout.splitlines()[-1])


def anywhere(file):
    """The scenario's text, to be read in any folder, without its own load."""
    text = re.sub(r"^\[(audience|load)\]\n(?:.*\n)*?(?=^\[|\Z)", "", file.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^\[\[slo\]\]\n(?:.*\n)*?(?=^\[|\Z)", "", text, flags=re.MULTILINE)
    return re.sub(r'"(?:\.\./)?maps/', f'"{ROOT}/scenarios/maps/', text)


def city():
    return anywhere(CITY)


def region():
    return anywhere(REGION)


def of_watchers(watchers):
    """Milliseconds of processor time a second once all of them are there, with the city's own life."""
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
        seconds, found = load(folder, city() + audience, server)
        spent = [second["target"]["cpuShare"] for second in seconds if second["stage"] and second["target"]]
        return 1e3 * statistics.mean(spent), found


def of_requests(rate):
    """Milliseconds of processor time a second of asking, until all workflows are done."""
    asked = f"""
[load]
drain = "20s"
stages = [{{ rate = "{rate}/s", for = "{SECONDS}s" }}]
"""
    with tempfile.TemporaryDirectory() as folder, Server(REGION, "--no-demand") as server:
        server.settle()
        before, began = server.cpu_s(), time.monotonic()
        time.sleep(5)
        idle = (server.cpu_s() - before) / (time.monotonic() - began)
        before, began = server.cpu_s(), time.monotonic()
        _, found = load(folder, region() + asked, server)
        spent = server.cpu_s() - before - idle * (time.monotonic() - began)
        return 1e3 * spent / SECONDS, found


def decade(value):
    return f"{value:,}".replace(",000,000", "M").replace(",000", "k")


def chart(left, title, unit, points):
    """One square of logarithmic axes."""
    width, height, bottom = 250, 250, 300
    lows = [math.floor(math.log10(min(values))) for values in list(zip(*points))[:2]]
    highs = [math.ceil(math.log10(max(values)) - 1e-9) for values in list(zip(*points))[:2]]
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
    last_x, last_y, _ = points[-1]
    first_x = max(points[0][0], last_x * 10.0 ** lows[1] / last_y)
    each = [(first_x, last_y * first_x / last_x), (last_x, last_y)]
    path = lambda ends: "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in ends)
    parts.append(f'<path class="each" d="M{path(each)}"/>')
    parts.append(f'<path class="line" d="M{path([point[:2] for point in points])}"/>')
    for at, cost, is_void in points:
        kind = "void" if is_void else "known"
        parts.append(f'<circle class="{kind}" cx="{x(at):.1f}" cy="{y(cost):.1f}" r="4"><title>{at:,}: {cost:.2f}{unit}</title></circle>')
    return "".join(parts)


def where(is_short):
    """The machine, the day, and how busy others keep it."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    short = "; shortened" if is_short else ""
    return (f"{cpu[1] if cpu else 'some processor'}, {os.cpu_count()} cores, clients on the same, "
            f"{time.strftime('%-d %B %Y', time.gmtime())}, load average before {os.getloadavg()[1]:.1f}{short}. "
            "Dashed: the same cost each. Hollow: the generator came late.")


STYLE = """text{font:12px system-ui,sans-serif;fill:#5b6b7b}.title{font-size:14px;font-weight:600}
.grid{stroke:#d5dde5}.line{stroke:#1668c4;stroke-width:2;fill:none}circle{stroke:#1668c4;stroke-width:2}.known{fill:#1668c4}.void{fill:#fff}
.each{stroke:#5b6b7b;stroke-dasharray:4 4;fill:none}"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--short", action="store_true")
    arguments.add_argument("--out", type=Path, default=ROOT / "docs/growth.svg")
    given = arguments.parse_args()
    curves, said = [], where(given.short)
    for title, unit, measure, steps in [
        ("drones, 5 % in the air: a tick of 1 s", " ms", lambda n: (of_drones(n), None), DRONES),
        ("watchers: a second", " ms", of_watchers, WATCHERS),
        ("requests a second: a second", " ms", of_requests, RATES),
    ]:
        points = []
        for step in steps[:3] if given.short else steps:
            cost, found = measure(step)
            is_void = bool(found and found["void"])
            void = f"  void: {found['voidReason']}" if is_void else ""
            print(f"{title}: {step:>9,} {cost:10.2f}{unit} of processor time{void}", flush=True)
            points.append((step, max(cost, 0.01), is_void))
        curves.append((title, unit, points))
    charts = [chart(70 + 340 * number, *curve) for number, curve in enumerate(curves)]
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1030 365"><style>{STYLE}</style>'
           '<rect width="1030" height="365" fill="#fff"/>'
           + "".join(charts) + f'<text x="20" y="352">{said}</text></svg>\n')
    given.out.write_text(svg)


if __name__ == "__main__":
    main()
