//! Several policies and seeds in one go: the shapes, the figures, and that each run is the run
//! that it would have been alone.

use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use serde_json::Value;

use crate::support::program::{Ended, run, skyhaul};
use crate::support::worlds::shipped;

/// In the tiny world with more customers than its three drones have time for.
fn run_with(arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("busy.toml");
    let tiny = std::fs::read_to_string(shipped("tiny")).unwrap();
    assert!(tiny.contains("8/h"));
    std::fs::write(&scenario, tiny.replace("8/h", "60/h")).unwrap();
    let scenario = scenario.to_str().expect("UTF-8");
    let always = ["run", scenario, "--until", "15m"];
    run(&skyhaul(), always.iter().chain(arguments))
}

fn digest(summary: &Value) -> &str {
    summary["digest"].as_str().expect("a digest")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn policies_and_seeds_are_compared_pair_by_pair_and_written_as_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs.parquet");
    let out = out.to_str().unwrap();
    let policies = ["--policy", "earliest-pickup", "--policy", "batch"];
    let seeds = ["--seeds", "5..7", "--threads", "2", "--json", "--out", out];
    let ended = run_with(&[policies.as_slice(), &seeds].concat());
    let results = ended.json();
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);

    let of = |policy: usize| results["policies"][policy]["seeds"].as_array().unwrap();
    let seeds = |policy| of(policy).iter().map(|run| run["seed"].as_u64().unwrap());
    for (index, name) in ["earliest-pickup", "batch"].iter().enumerate() {
        assert_eq!(results["policies"][index]["policy"], *name);
        assert_eq!(seeds(index).collect::<Vec<_>>(), [5, 6, 7]);
        assert!(of(index).iter().all(|run| run["policy"] == *name));
    }
    let alone = run_with(&["--policy", "batch", "--seed", "6", "--json"]).json();
    assert_eq!(digest(&of(1)[1]), digest(&alone));
    assert_eq!(of(1)[1]["deliveries"], alone["deliveries"]);

    let difference = &results["comparison"]["differences"][0];
    assert_eq!(difference["policy"], "batch");
    assert_eq!(difference["against"], "earliest-pickup");
    let waits = |policy: usize| {
        of(policy)
            .iter()
            .map(|run| number(&run["fulfilment"]["all"]["meanSeconds"]))
    };
    let differences: Vec<f64> = waits(1)
        .zip(waits(0))
        .map(|(batch, usual)| batch - usual)
        .collect();
    let mean = differences.iter().sum::<f64>() / 3.0;
    let figure = &difference["metrics"]["fulfilmentMeanSeconds"];
    assert!((number(&figure["mean"]) - mean).abs() < 1e-9, "{figure}");
    assert_eq!(figure["runs"], 3);
    let squares: f64 = differences.iter().map(|one| (one - mean) * (one - mean)).sum();
    // Student's t of two degrees of freedom, from a printed table.
    let half = 4.302_653 * (squares / 2.0 / 3.0).sqrt();
    assert!((number(&figure["high"]) - mean - half).abs() < 1e-3, "{figure}");
    assert!((mean - number(&figure["low"]) - half).abs() < 1e-3, "{figure}");

    check_parquet(Path::new(out), &results);
}

fn check_parquet(path: &Path, results: &Value) {
    let file = std::fs::File::open(path).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6);
    for (number, row) in rows.iter().enumerate() {
        let run = &results["policies"][number / 3]["seeds"][number % 3];
        assert_eq!(row.get_string(2).unwrap(), run["policy"].as_str().unwrap());
        assert_eq!(row.get_ulong(1).unwrap(), run["seed"].as_u64().unwrap());
        assert_eq!(row.get_string(row.len() - 2).unwrap(), digest(run));
        let deliveries = row.get_list(row.len() - 1).unwrap();
        assert_eq!(
            deliveries.len() as u64,
            run["deliveries"]["requested"].as_u64().unwrap()
        );
    }
}

#[test]
fn several_of_one_kind_have_their_own_shape() {
    let policies = run_with(&["--policy", "nearest", "--policy", "batch", "--json"]).json();
    let named: Vec<_> = policies["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["policy"])
        .collect();
    assert_eq!(named, ["nearest", "batch"]);
    assert_eq!(policies["policies"][0]["seed"], 1, "the scenario's");
    let figure = &policies["comparison"]["differences"][0]["metrics"]["completed"];
    assert_eq!((&figure["runs"], &figure["low"]), (&Value::from(1), &Value::Null));

    let seeds = run_with(&["--seeds", "1..2", "--json"]).json();
    assert_eq!(seeds["seeds"][1]["seed"], 2);
    assert_ne!(digest(&seeds["seeds"][0]), digest(&seeds["seeds"][1]));
    assert_eq!(seeds["comparison"]["differences"], Value::Array(Vec::new()));
    assert_eq!(seeds["comparison"]["means"][0]["metrics"]["completed"]["runs"], 2);

    let alone = run_with(&["--policy", "earliest-pickup", "--json"]).json();
    assert_eq!(
        digest(&alone),
        digest(&seeds["seeds"][0]),
        "one run is one object"
    );
}

#[test]
fn people_get_one_table() {
    let ended = run_with(&["--policy", "nearest", "--policy", "batch", "--seeds", "1..2"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    for words in ["seeds 1 to 2", "against nearest", "to the door, mean s", " ± "] {
        assert!(ended.stdout.contains(words), "{words}:\n{}", ended.stdout);
    }
}
