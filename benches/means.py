#!/usr/bin/env python3
"""What each means of keeping drones apart does: the README's table, in one command.

    make build && python3 benches/means.py [PROGRAM] [SEEDS] [UNTIL]

Four times the same world, with no means, with tactical resolution, with ground delay, and with
both: San Francisco at lunch with three times the drones, pads and chargers, and so many orders
that they are in the air. Figures are means over the seeds.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/skyhaul")
SEEDS = sys.argv[2] if len(sys.argv) > 2 else "1..5"
UNTIL = sys.argv[3] if len(sys.argv) > 3 else "90m"
TIMES = 3
RATE = "1500/h"
TACTICAL = 'tactical = ["level", "slow", "hold"]\n'
GROUND_DELAY = 'strategic = "ground_delay"\n'
MEANS = {
    "none": "",
    "tactical": TACTICAL,
    "ground delay": GROUND_DELAY,
    "both": TACTICAL + GROUND_DELAY,
}


def crowded() -> str:
    text = (ROOT / "scenarios/san-francisco.toml").read_text()
    text = text.replace('land = "maps/', f'land = "{ROOT}/scenarios/maps/')
    text = re.sub(r'rate = "[^"]*"', f'rate = "{RATE}"', text, count=1)
    more = lambda found: f"{found[1]} = {TIMES * int(found[2])}"
    return re.sub(r"^(count|pads|chargers) = (\d+)", more, text, flags=re.MULTILINE)


def runs(means: str) -> list:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(crowded() + "\n[separation]\n" + means)
        file.flush()
        command = [PROGRAM, "run", file.name, "--seeds", SEEDS, "--until", UNTIL, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["seeds"]


def mean(of: list) -> float:
    known = [value for value in of if value is not None]
    return sum(known) / len(known) if known else 0.0


COLUMNS = [
    ("in the air", lambda run: run["airborneMean"], "{:.0f}"),
    ("conflicts /flight hour", lambda run: per_hour(run, "conflicts"), "{:.2f}"),
    ("losses /flight hour", lambda run: per_hour(run, "losses"), "{:.3f}"),
    ("around hubs", lambda run: per_hour(run, "terminalLosses"), "{:.3f}"),
    ("prevented", lambda run: 100 * (run["separation"]["preventionRate"] or 0), "{:.1f} %"),
    ("severity", lambda run: 100 * (run["separation"]["severity"] or 0), "{:.0f} %"),
    ("added, m/flight hour", lambda run: run["separation"]["addedMetresPerFlightHour"], "{:.0f}"),
    ("put off, s", lambda run: run["separation"]["meanDelaySeconds"], "{:.1f}"),
    ("to the door, s", lambda run: run["fulfilment"]["all"]["meanSeconds"], "{:.0f}"),
    ("completed", lambda run: run["deliveries"]["completed"], "{:.0f}"),
]


def per_hour(run: dict, name: str) -> float:
    separation = run["separation"]
    return separation[name] / separation["flightHours"]


print("| means | " + " | ".join(title for title, _, _ in COLUMNS) + " |")
print("| --- |" + " ---: |" * len(COLUMNS))
for name, keys in MEANS.items():
    found = runs(keys)
    cells = [form.format(mean([read(run) for run in found])) for _, read, form in COLUMNS]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
