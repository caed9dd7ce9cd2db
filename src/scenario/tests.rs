//! Scenario files as their writers meet them: what is accepted, and what is said of mistakes.

use std::path::{Path, PathBuf};

use super::*;

const SHIPPED: [&str; 1] = ["tiny.toml"];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

#[test]
fn shipped_scenarios_load_without_a_warning() {
    for name in SHIPPED {
        let scenario = load(&shipped(name)).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        assert_eq!(scenario.warnings, [], "{name}");
        println!(
            "{name} {:?}",
            estimate(&scenario.world).map(|c| (c.offered_per_s * 3600.0, c.served_per_s * 3600.0))
        );
    }
}
