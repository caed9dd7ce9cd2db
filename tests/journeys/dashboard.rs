//! The dashboard in `docs/` asks for nothing that the server does not tell.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::client::parcel;
use crate::support::server::{Running, lively};
use crate::support::worlds::tiny;

/// Names of metrics in an expression.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("skyhaul_") || word.starts_with("process_"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_panel_shows_metrics_that_there_are() {
    let server = Running::start(tiny(), lively()).await;
    let operator = server.client();
    // Quotes are measured once something was delivered.
    operator
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    operator.run_to(12_000).await;
    let (_, page) = operator.get("/metrics").await;
    let page = page.as_str().expect("text");
    let told: BTreeSet<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let dashboard: Value = serde_json::from_str(include_str!("../../docs/grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut asked = 0;
    for target in panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
    {
        let expression = target["expr"].as_str().expect("an expression");
        for name in names(expression) {
            asked += 1;
            assert!(told.contains(name), "{name} of {expression} is not in /metrics");
        }
    }
    assert!(asked > 30, "{asked}");
    for (name, least) in [
        ("process_cpu_seconds_total", 0.01),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 5.0),
        ("process_threads", 2.0),
    ] {
        let line = page.lines().find(|line| line.starts_with(name));
        let value: f64 = line
            .and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .expect(name);
        assert!(value >= least, "{name} {value}");
    }
    server.stop().await;
}
