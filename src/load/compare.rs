//! Two tests side by side, by what `--json` wrote of each.

use serde_json::Value;

use super::record::Op;

/// One figure of both tests; none where a test has not got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub name: String,
    pub before: Option<f64>,
    pub after: Option<f64>,
}

impl Figure {
    /// After over before.
    pub fn ratio(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        (before > 0.0).then(|| after / before)
    }
}

const TIMES: [&str; 7] = ["p50Ms", "p90Ms", "p95Ms", "p99Ms", "p999Ms", "maxMs", "errors"];

/// Every figure that at least one of the summaries has, operation by operation and then stage
/// by stage, for stages that have the same name in both.
pub fn compare(before: &Value, after: &Value) -> Vec<Figure> {
    let mut figures = Vec::new();
    for op in Op::ALL.map(Op::as_str) {
        let path = format!("/ops/{op}");
        add(&mut figures, op, before.pointer(&path), after.pointer(&path));
    }
    let stages = |summary: &Value| summary["stages"].as_array().cloned().unwrap_or_default();
    let of_after = stages(after);
    for stage in stages(before) {
        let same = of_after.iter().find(|other| other["name"] == stage["name"]);
        let (Some(same), Some(name)) = (same, stage["name"].as_str()) else {
            continue;
        };
        figures.push(Figure {
            name: format!("stage {name}: accepted/s"),
            before: stage["acceptedPerSecond"].as_f64(),
            after: same["acceptedPerSecond"].as_f64(),
        });
        for time in ["p50Ms", "p99Ms"] {
            figures.push(Figure {
                name: format!("stage {name}: accept {time}"),
                before: stage["ops"]["accept"][time].as_f64(),
                after: same["ops"]["accept"][time].as_f64(),
            });
        }
    }
    figures.retain(|figure| figure.before.is_some() || figure.after.is_some());
    figures
}

fn add(figures: &mut Vec<Figure>, op: &str, before: Option<&Value>, after: Option<&Value>) {
    let of = |summary: Option<&Value>, key: &str| summary.and_then(|op| op[key].as_f64());
    let is_empty = |summary| of(summary, "count").unwrap_or(0.0) == 0.0;
    if is_empty(before) && is_empty(after) {
        return;
    }
    for key in ["count"].into_iter().chain(TIMES) {
        figures.push(Figure {
            name: format!("{op} {key}"),
            before: of(before, key),
            after: of(after, key),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_stand_side_by_side_and_what_one_has_not_is_absent() {
        let of = |p99: f64, stage: &str| {
            json!({
                "ops": {"accept": {"count": 10, "p99Ms": p99}, "frame": {"count": 0}},
                "stages": [{"name": stage, "acceptedPerSecond": 5.0, "ops": {"accept": {"p50Ms": 1.0}}}],
            })
        };
        let figures = compare(&of(10.0, "a"), &of(15.0, "a"));
        let p99 = figures
            .iter()
            .find(|figure| figure.name == "accept p99Ms")
            .expect("both have it");
        assert_eq!(p99.ratio(), Some(1.5));
        assert!(figures.iter().any(|figure| figure.name == "stage a: accepted/s"));
        assert!(!figures.iter().any(|figure| figure.name.starts_with("frame")));
        let others = compare(&of(10.0, "a"), &of(10.0, "b"));
        assert!(!others.iter().any(|figure| figure.name.starts_with("stage")));
    }
}
