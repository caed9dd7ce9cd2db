"""Recordings with other people's tools: the public MCAP reader, protobuf, Parquet, JSON, XML."""

import json
import resource
import signal
import subprocess
import xml.etree.ElementTree as xml
from datetime import UTC, datetime
from functools import partial

import pyarrow.parquet
import pytest
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory

from skyhaul import BUSY, PROGRAM, eventually

WRAP = 2**32
FORMATS = ["csv", "geojson", "czml", "parquet"]
#: A column of the message, the parts of its unit, and whether its last step is made again.
COLUMNS = {
    "latitude": (1e7, True),
    "longitude": (1e7, True),
    "height": (100, True),
    "heading": (100, False),
    "ground_speed": (1000, False),
    "vertical_speed": (1000, False),
    "battery": (1e5, True),
    "payload": (1e4, False),
}


def skyhaul(*words):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "busy.mcap"
    status, out, errors = skyhaul("run", BUSY, "--until", "10m", "--json", "--record", path)
    assert status == 0, errors
    return path, json.loads(out.splitlines()[-1])


def wrapped(value):
    return (value + WRAP // 2) % WRAP - WRAP // 2


def frames(path):
    """The rows of each recorded moment, by the rule that the description tells."""
    before = {}
    with open(path, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        for _, _, _, message in reader.iter_decoded_messages(topics=["positions"]):
            now, number, rows = {}, 0, []
            for index, step in enumerate(message.drone):
                number += step
                values, steps = ({}, {}) if message.anew else before.get(number, ({}, {}))
                is_first = not any(values.values()) and not any(steps.values())
                new, moved = {}, {}
                for name, (_, is_steady) in COLUMNS.items():
                    predicted = values.get(name, 0) + (steps.get(name, 0) if is_steady else 0)
                    new[name] = wrapped(predicted + getattr(message, name)[index])
                    moved[name] = 0 if is_first else wrapped(new[name] - values.get(name, 0))
                now[number] = new, moved
                rows.append((number, {name: new[name] / COLUMNS[name][0] for name in COLUMNS}))
            before = now
            yield message.sim_time_us / 1e6, rows


def test_the_public_reader_finds_all_that_happened(recording):
    path, summary = recording
    with open(path, "rb") as file:
        reader = make_reader(file)
        scenario = next(message for _, _, message in reader.iter_messages(topics=["scenario"]))
        events = [json.loads(message.data) for _, _, message in reader.iter_messages(topics=["events"])]
        channels = {channel.topic for channel in reader.get_summary().channels.values()}
    assert json.loads(scenario.data)["name"] == summary["scenario"]
    assert {"commands", "events", "positions", "keyframes"} <= channels
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    completed = [event for event in events if event["event"]["kind"] == "Completed"]
    assert len(completed) == summary["deliveries"]["completed"] > 0


def test_a_recorded_run_is_the_same_run(recording):
    _, summary = recording
    status, out, _ = skyhaul("run", BUSY, "--until", "10m", "--json")
    assert status == 0
    assert json.loads(out.splitlines()[-1])["digest"] == summary["digest"]


def test_what_python_reads_is_what_is_exported(recording, tmp_path):
    path, _ = recording
    status, _, errors = skyhaul("export", path, "--format", "parquet", "--out", tmp_path / "rows.parquet")
    assert status == 0, errors
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    read = [(at, number, row) for at, rows in frames(path) for number, row in rows]
    assert len(table) == len(read) > 1000
    for exported, (at, number, row) in zip(table, read):
        assert exported["drone"] == f"d-{number}"
        assert exported["elapsed_s"] == pytest.approx(at)
        assert exported["latitude"] == pytest.approx(row["latitude"], abs=1e-9)
        assert exported["height_m"] == pytest.approx(row["height"])
        assert exported["battery"] == pytest.approx(row["battery"])


def test_exports_are_filtered_and_open_elsewhere(recording, tmp_path):
    path, _ = recording
    drone = f"d-{next(rows[0][0] for _, rows in frames(path) if rows)}"

    def export(form, *words):
        out = tmp_path / f"out.{form}"
        status, _, errors = skyhaul("export", path, "--format", form, "--out", out, *words)
        assert status == 0, errors
        return out.read_text()

    lines = export("csv", "--drone", drone, "--from", "00:01:00", "--to", "00:05:00").splitlines()
    rows = [line.split(",") for line in lines[1:]]
    assert rows and all(row[2] == drone and 60 <= float(row[1]) <= 300 for row in rows)
    tracks = json.loads(export("geojson", "--hz", "0.1"))
    lines = [f for f in tracks["features"] if f["geometry"]["type"] == "LineString"]
    assert lines
    for line in lines:
        times = [position[3] for position in line["geometry"]["coordinates"]]
        assert times == sorted(times) and times[0] > 1e12
    packets = json.loads(export("czml", "--drone", drone))
    assert packets[0]["id"] == "document" and packets[0]["version"] == "1.0"
    assert all(len(packet["position"]["cartographicDegrees"]) % 4 == 0 for packet in packets[1:])
    track = xml.fromstring(export("gpx", "--drone", drone))
    points = track.findall(".//{http://www.topografix.com/GPX/1/1}trkpt")
    assert points


def test_files_that_cannot_be_read_are_refused_in_a_line(recording, tmp_path):
    path, _ = recording
    whole = path.read_bytes()

    def export(data, *words):
        file = tmp_path / "file.mcap"
        file.write_bytes(data)
        return skyhaul("export", file, "--format", "csv", "--out", tmp_path / "out.csv", *words)

    spoilt = bytearray(whole)
    # In many places: an export reads no more than it needs.
    for index in range(len(whole) // 10, len(whole) * 9 // 10, 500):
        spoilt[index] ^= 0x55
    for data in [b"", b"not a recording", bytes(spoilt)]:
        status, _, errors = export(data)
        assert status == 2 and errors.startswith("error: ") and "remedy: " in errors
        assert len(errors.splitlines()) == 2
    status, _, errors = export(whole[: len(whole) * 2 // 3])
    assert status == 0 and "warning: " in errors
    status, _, errors = export(whole, "--from", "05:00:00")
    assert status == 2 and "ends at" in errors
    status, _, errors = skyhaul("export", path, "--format", "gpx", "--out", tmp_path / "all.gpx")
    assert status == 2 and "--drone" in errors


def test_a_branch_without_a_change_is_the_run_and_with_one_is_not(recording, tmp_path):
    path, summary = recording

    def fork(*words):
        status, out, errors = skyhaul("fork", path, "--at", "00:05:00", "-o", tmp_path / "branch.mcap", "--json", *words)
        assert status == 0, errors
        return json.loads(out.splitlines()[-1])

    same = fork()
    assert same["digest"] == summary["digest"]
    assert same["deliveries"] == summary["deliveries"]
    branch = dict(frames(tmp_path / "branch.mcap"))
    original = dict(frames(path))
    assert min(branch) == 300 and all(branch[at] == original[at] for at in branch)
    other = fork("--set", "demand.rate=2000/h")
    assert other["digest"] != summary["digest"]
    assert other["deliveries"]["requested"] > summary["deliveries"]["requested"]
    assert dict(frames(tmp_path / "branch.mcap"))[300] == original[300]
    status, _, errors = skyhaul("fork", path, "--at", "00:05:00", "-o", tmp_path / "x.mcap", "--set", "tick=2s")
    assert status == 2 and "demand" in errors


def test_a_server_that_is_killed_leaves_what_it_recorded(servers, tmp_path):
    path = tmp_path / "served.mcap"
    server = servers.start(BUSY, "--record", path, "--speed", "20")
    eventually(lambda: server.http.get("/api/simulation").json()["tick"] > 1200, "two minutes go by")
    server.stop(signal.SIGKILL)
    status, out, errors = skyhaul("export", path, "--format", "csv", "--out", "-")
    assert status == 0 and "warning: " in errors
    assert any(float(line.split(",")[1]) > 60 for line in out.splitlines()[1:])


def test_an_export_that_fails_leaves_nothing_behind(recording, tmp_path):
    path, _ = recording
    for form in FORMATS:
        out = tmp_path / f"out.{form}"
        for words in [["--from", "05:00:00"], ["--delivery", "00000000-0000-7000-8000-000000000000"]]:
            status, _, errors = skyhaul("export", path, "--format", form, "--out", out, *words)
            assert status == 2 and len(errors.splitlines()) == 2, errors
        assert list(tmp_path.iterdir()) == []
    out = tmp_path / "out.csv"
    out.write_text("what was there before")
    status, _, errors = skyhaul("export", path, "--format", "csv", "--out", out, "--from", "05:00:00")
    assert status == 2 and out.read_text() == "what was there before"
    status, _, errors = skyhaul("export", path, "--format", "csv", "--out", "/dev/full")
    assert status == 1 and "No space left" in errors and "remedy: make room" in errors
    branch = tmp_path / "branch.mcap"
    assert skyhaul("fork", path, "--at", "00:05:00", "-o", branch, "--json")[0] == 0
    status, _, errors = skyhaul("export", branch, "--format", "csv", "--out", tmp_path / "b.csv", "--to", "00:04:00")
    assert status == 2 and "begins at 00:05:00" in errors


def test_a_disk_that_fills_ends_a_recorded_run_in_words_and_keeps_what_was_written(recording, tmp_path):
    whole, _ = recording
    path = tmp_path / "short.mcap"
    room = whole.stat().st_size // 2

    def short_of_room(*words, room=room):
        # As a full disk, to the one who writes.
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
        done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, preexec_fn=limit)
        assert done.returncode == 1
        return done.stderr.splitlines()[-2:]

    error, remedy = short_of_room("run", BUSY, "--until", "10m", "--record", path)
    assert error.startswith(f"error: {path} cannot be written any more: ") and remedy.startswith("remedy: make room")
    for words in [["export", whole, "--format", form, "--out"] for form in FORMATS] + [["fork", whole, "--at", "00:05:00", "-o"]]:
        out = tmp_path / "half"
        error, remedy = short_of_room(*words, out, room=20_000)
        assert error.startswith(f"error: {out}") and "File too large" in error and "make room" in remedy
        assert list(tmp_path.iterdir()) == [path]
    status, out, errors = skyhaul("export", path, "--format", "csv", "--out", "-")
    assert status == 0 and "warning: " in errors
    lines = out.splitlines()
    assert len(lines) > 100
    status, same, _ = skyhaul("export", whole, "--format", "csv", "--out", "-", "--to", "00:03:00")
    assert status == 0 and same.splitlines()[:100] == lines[:100]


def test_a_recording_is_played_at_speeds_that_can_be_watched_and_within_itself(recording, tmp_path):
    path, _ = recording
    for speed in ["0.05", "-0.01", "1001", "-5000", "0", "fast"]:
        status, _, errors = skyhaul("replay", path, f"--speed={speed}")
        assert status == 2 and "from 0.1 to 1000" in errors, errors
    branch = tmp_path / "branch.mcap"
    assert skyhaul("fork", path, "--at", "00:05:00", "-o", branch)[0] == 0
    status, _, errors = skyhaul("replay", branch, "--to", "00:04:00")
    assert status == 2 and "begins at 00:05:00" in errors


def test_followed_drones_are_channels_that_foxglove_draws(tmp_path):
    high = tmp_path / "high.toml"
    high.write_text(BUSY.read_text().replace("[area]\n", "[area]\nground = 120\ngeoid = -32\n"))
    path, plain, branch = tmp_path / "followed.mcap", tmp_path / "plain.mcap", tmp_path / "branch.mcap"
    wanted = {f"d-{number}" for number in range(0, 40, 2)}

    def record(out, *words):
        status, _, errors = skyhaul("run", high, "--until", "5m", "--record", out, *words)
        assert status == 0, errors

    def fixes_of(file):
        with open(file, "rb") as data:
            reader = make_reader(data, decoder_factories=[DecoderFactory()])
            channels = {channel.topic for channel in reader.get_summary().channels.values()}
            topics = [topic for topic in channels if "/" in topic]
            messages = list(reader.iter_decoded_messages(topics=topics))
        assert set(topics) == {f"/drones/{drone}/location" for drone in wanted}
        fixes = {}
        for schema, channel, message, fix in messages:
            assert (schema.name, schema.encoding) == ("foxglove.LocationFix", "protobuf")
            assert channel.topic == f"/drones/{fix.frame_id}/location"
            assert message.log_time == fix.timestamp.seconds * 10**9 + fix.timestamp.nanos
            assert list(fix.position_covariance) == [0] * 9 and fix.position_covariance_type == fix.KNOWN
            at = message.log_time / 1e9 - datetime(2026, 6, 1, 18, tzinfo=UTC).timestamp()
            fixes[fix.frame_id, round(at, 6)] = (fix.latitude, fix.longitude, fix.altitude)
        assert len(fixes) == len(messages)
        return fixes

    record(path, "--record-foxglove", ",".join(sorted(wanted)))
    fixes = fixes_of(path)
    places = {
        (f"d-{number}", at): (row["latitude"], row["longitude"], row["height"] + 120 - 32)
        for at, rows in frames(path)
        for number, row in rows
        if f"d-{number}" in wanted
    }
    assert fixes.keys() == places.keys() and len({drone for drone, _ in fixes}) > 2 and len(fixes) > 200
    assert all(fixes[key] == pytest.approx(places[key], abs=1e-9) for key in fixes)

    record(plain)
    of_both = [skyhaul("export", file, "--format", "csv", "--out", "-") for file in (path, plain)]
    assert of_both[0] == of_both[1] and of_both[0][0] == 0
    status, found, errors = skyhaul("compare", path, plain, "--json")
    assert status == 0 and json.loads(found)["partsAtSeconds"] is None, errors
    path.with_suffix(".cut").write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    status, out, errors = skyhaul("export", path.with_suffix(".cut"), "--format", "csv", "--out", "-")
    assert status == 0 and "warning: " in errors and of_both[0][1].startswith(out) and len(out) > 1000

    assert skyhaul("fork", path, "--at", "00:03:00", "-o", branch)[0] == 0
    assert fixes_of(branch) == {key: fix for key, fix in fixes.items() if key[1] >= 180}


def test_only_drones_that_there_are_can_be_followed(servers, tmp_path):
    path = tmp_path / "followed.mcap"
    follow = ["--record-foxglove", "d-0,d-40"]
    for command in [["run", BUSY], ["serve", "--scenario", BUSY, "--data", ":memory:", "--listen", "127.0.0.1:0"]]:
        status, _, errors = skyhaul(*command, "--record", path, *follow)
        assert status == 2 and errors.splitlines()[-2:] == [
            "error: --record-foxglove: the scenario has no drone d-40",
            "remedy: its drones are d-0 to d-39",
        ]
        assert not path.exists()
    status, _, errors = skyhaul("run", BUSY, "--record-foxglove", "d-0")
    assert status == 2 and "--record" in errors
    server = servers.start(BUSY, "--paused", "--record-foxglove", "d-0,d-39", "--recordings", tmp_path)
    for state in ["recording", "off"]:
        answer = server.http.put("/api/recording", json={"state": state, "name": "later"})
        assert answer.is_success, answer.text
    with open(tmp_path / "later.mcap", "rb") as file:
        channels = {channel.topic for channel in make_reader(file).get_summary().channels.values()}
    assert {topic for topic in channels if "/" in topic} == {"/drones/d-0/location", "/drones/d-39/location"}


def test_two_recordings_are_held_against_each_other(recording, tmp_path):
    path, summary = recording
    branch = tmp_path / "branch.mcap"

    def compare(*words):
        fork = ["fork", path, "--at", "00:05:00", "-o", branch, "--json", *words]
        status, out, errors = skyhaul(*fork)
        assert status == 0, errors
        status, table, errors = skyhaul("compare", path, branch, "--json")
        assert status == 0, errors
        return json.loads(out.splitlines()[-1]), json.loads(table)

    def measure(found, name):
        return next(measure for measure in found["measures"] if measure["name"] == name)

    def agrees(found, side, summary):
        for name in ["requested", "completed", "failed", "cancelled", "thirdParty", "inProgress"]:
            assert measure(found, name)["values"][side] == summary["deliveries"][name], name
        assert measure(found, "totalWh")["values"][side] == pytest.approx(summary["energy"]["totalWh"])
        for name in ["conflicts", "losses", "terminalLosses", "preventionRate", "severity"]:
            assert measure(found, name)["values"][side] == pytest.approx(summary["separation"][name]), name
        added = summary["separation"]["addedMetresPerFlightHour"]
        assert measure(found, "addedMetresPerFlightHour")["values"][side] == pytest.approx(added)
        assert measure(found, "quoteErrorP50")["values"][side] == pytest.approx(summary["eta"]["quoteErrorP50"])
        assert measure(found, "lateShare")["values"][side] == pytest.approx(summary["eta"]["lateShare"])

    same, found = compare()
    assert found["partsAtSeconds"] is None and found["fromSeconds"] == 0 and found["toSeconds"] == 600
    agrees(found, 0, summary)
    agrees(found, 1, same)
    assert all(measure["difference"] in (0, None) for measure in found["measures"])
    other, found = compare("--set", "demand.rate=2000/h")
    assert 300 < found["partsAtSeconds"] < 330
    agrees(found, 0, summary)
    agrees(found, 1, other)
    more = measure(found, "requested")
    assert more["difference"] == more["values"][1] - more["values"][0] > 0
    status, table, _ = skyhaul("compare", path, branch)
    assert status == 0 and "they differ from 00:05:" in table and "losses of separation" in table
    status, _, errors = skyhaul("compare", path, BUSY)
    assert status == 2 and str(BUSY) in errors and "no MCAP file" in errors


def test_a_table_without_rows_has_its_columns(recording, tmp_path):
    path, _ = recording
    out = tmp_path / "none.csv"
    status, _, errors = skyhaul("export", path, "--format", "csv", "--out", out, "--bbox", "0,0,1,1")
    assert status == 0, errors
    assert out.read_text().startswith("time,elapsed_s,drone,latitude,longitude,height_m,heading_deg,")
    assert len(out.read_text().splitlines()) == 1


def test_a_drone_that_there_is_not_is_refused_in_words(recording, tmp_path):
    path, _ = recording
    out = tmp_path / "nobody.csv"
    status, _, errors = skyhaul("export", path, "--format", "csv", "--out", out, "--drone", "d-9999")
    assert status == 2 and "no drone d-9999" in errors, errors
    assert not list(tmp_path.iterdir())


def test_who_reads_no_further_ends_an_export_quietly(recording):
    path, _ = recording
    command = f"'{PROGRAM}' export '{path}' --format csv --out - | head -n 2"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_values_that_make_no_scenario_are_refused_by_their_names(recording, tmp_path):
    path, _ = recording
    out = tmp_path / "branch.mcap"
    status, _, errors = skyhaul("fork", path, "--at", "00:05:00", "--set", "demand.rate=many", "-o", out)
    assert status == 2 and "rate" in errors and "scenario:" not in errors, errors
    assert not out.exists()
