#!/usr/bin/env python3
"""Whether `skyhaul load` finds what another tool finds of the same server.

    make agree

Serves the smoke scenario, and asks it for deliveries at one rate by turns: with `skyhaul load`, and
with h2load, which is written in C by others and tells of each request in microseconds. Three turns
each; the table has the medians of p50 to p99 side by side. h2load counts from when a request was
sent, so the rates are those at which nobody has to wait for a connection.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("SKYHAUL_PROGRAM", ROOT / "target/release/skyhaul"))
UNPACKED = ROOT / "target/h2load/usr"
LISTEN = "127.0.0.1:8096"
QUANTILES = (0.5, 0.9, 0.95, 0.99)
CONNECTIONS = 20
SECONDS = 8
TURNS = 3
ORDER = {
    "ownerId": "agreement", "pickupLocation": "Ferry Building", "dropOffLocation": "Dolores Park",
    "packageInfo": {"packageId": "agreement", "size": "Small", "weight": 1.0},
    "confirmationRequired": "None", "deadline": "", "expedited": False,
}


def scenario(folder, rate):
    """The smoke world with this load alone."""
    text = (ROOT / "scenarios/capacity/smoke.toml").read_text().partition("[audience]")[0]
    text = text.replace('"../maps', f'"{ROOT}/scenarios/maps')
    text += f'[load]\nwarmup = "2s"\nconnections = {CONNECTIONS}\n'
    text += f'stages = [{{ rate = "{rate}/s", for = "{SECONDS}s" }}]\n'
    path = folder / f"{rate}.toml"
    path.write_text(text)
    return path


def served(path):
    server = subprocess.Popen(
        [PROGRAM, "serve", "--scenario", path, "--data", ":memory:", "--no-demand", "--listen", LISTEN],
        env={**os.environ, "RUST_LOG": "warn"},
    )
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://{LISTEN}/readyz", timeout=1)
            return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    sys.exit("the server does not start")


def ours(path):
    """Milliseconds at each quantile."""
    done = subprocess.run(
        [PROGRAM, "load", path, "--target", f"http://{LISTEN}", "--accept-only", "--json"],
        capture_output=True, text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    accept = found["ops"]["accept"]
    if accept["errors"] or found["void"]:
        print(f"# {accept['errors']} errors, {found.get('voidReason', 'not void')}", file=sys.stderr)
    return [accept[f"p{quantile * 100:g}Ms"] for quantile in QUANTILES]


def theirs(tool, folder, rate):
    """The same; the first two seconds are not counted, in which connections come one by one."""
    body, log = folder / "order.json", folder / "h2load.log"
    body.write_text(json.dumps(ORDER))
    log.unlink(missing_ok=True)
    each = rate / CONNECTIONS
    # The phases of the connections are spread over the time between two requests of one.
    stagger_ms = round(1000 / CONNECTIONS) + 1
    command = [
        *tool, "--h1", "-c", CONNECTIONS, "-n", rate * (SECONDS + 2), f"--rps={each:g}", "-r", 1,
        f"--rate-period={stagger_ms}ms", "-d", body, "-H", "content-type: application/json",
        f"--log-file={log}", f"http://{LISTEN}/api/deliveryrequests",
    ]
    subprocess.run(
        [str(word) for word in command], stdout=subprocess.DEVNULL, check=True, env=environment()
    )
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    refused = sum(status != "202" for _, status, *_ in rows)
    if refused:
        print(f"# h2load: {refused} of {len(rows)} were not accepted", file=sys.stderr)
    begun = min(int(start) for start, *_ in rows)
    took = sorted(int(micros) for start, _, micros, *_ in rows if int(start) - begun >= 2_000_000)
    return [took[min(int(len(took) * quantile), len(took) - 1)] / 1e3 for quantile in QUANTILES]


def environment():
    libraries = ":".join(str(path) for path in UNPACKED.glob("lib/*"))
    return {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None


def main():
    unpacked = UNPACKED / "bin/h2load"
    tool = [str(unpacked)] if unpacked.exists() else [shutil.which("h2load")]
    if not tool[0]:
        sys.exit("missing: h2load (apt-get install nghttp2-client)")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--turns", type=int, default=TURNS)
    arguments.add_argument("rates", nargs="*", type=int)
    given = arguments.parse_args()
    rates = given.rates or [200, 1_000, 4_000]
    print("| rate | | p50 | p90 | p95 | p99 |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rate in rates:
            path = scenario(folder, rate)
            server = served(path)
            try:
                turns = [(ours(path), theirs(tool, folder, rate)) for _ in range(given.turns)]
            finally:
                server.terminate()
                server.wait()
            medians = [[statistics.median(values) for values in zip(*side)] for side in zip(*turns)]
            for name, figures in zip(("skyhaul load", "h2load"), medians):
                cells = " | ".join(f"{figure:.2f} ms" for figure in figures)
                print(f"| {rate:,}/s | {name} | {cells} |")
            ratios = " | ".join(f"× {a / b:.2f}" for a, b in zip(*medians))
            print(f"| | ratio | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
