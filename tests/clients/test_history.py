"""Delivery history for analysis: a day as Parquet, read by what analysts read it with."""

import io

import pyarrow.parquet as parquet
import pytest

from skyhaul import BUSY

DAY = "2026-06-01"


@pytest.fixture(scope="module")
def world(shared):
    server = shared.start(BUSY, "--paused")
    server.run_until(9000)
    return server


def test_a_day_as_parquet_holds_what_history_tells(world):
    answer = world.http.get("/api/deliveryhistory.parquet", params={"date": DAY})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = parquet.read_table(io.BytesIO(answer.content))
    rows = {row["delivery_id"]: row for row in table.to_pylist()}
    told = world.pages("/api/deliveryhistory", 50)
    assert len(told) > 20 and rows.keys() == {item["delivery"]["id"] for item in told}
    for item in told:
        row, delivery = rows[item["delivery"]["id"]], item["delivery"]
        assert row["account_id"] == delivery["owner"]["accountId"]
        assert (row["stage"], row["drone_id"]) == (delivery["stage"], delivery["droneId"])
        assert (row["carrier"], row["price"]) == (delivery["carrier"], delivery.get("price"))
        assert row["pickup_latitude"] == delivery["pickup"]["latitude"]
        assert row["energy_wh"] == pytest.approx(item["energyWh"], abs=1e-3)
        kinds = [(event["seq"], event["kind"], event["stage"]) for event in item["events"]]
        assert [(event["seq"], event["kind"], event["stage"]) for event in row["events"]] == kinds
        assert row["ended"] >= row["accepted"] and row["ended"].date().isoformat() == DAY
        ended = row["events"][-1]
        assert ended["time"] == row["ended"]
        assert ended["latitude"] == item["events"][-1]["location"]["latitude"]


def test_history_is_in_order_of_ends_and_pages_are_stable(world):
    ends = [item["events"][-1]["simTime"] for item in world.pages("/api/deliveryhistory", 7)]
    assert ends == sorted(ends)
    assert ends == [item["events"][-1]["simTime"] for item in world.pages("/api/deliveryhistory", 1000)]
