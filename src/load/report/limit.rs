//! The search for the limit, in the report: its levels, what held, and the law through them.

use std::fmt::Write;

use super::chart::{escaped, ms, number, step};
use crate::load::limit::{Fitted, Limit, Step};
use crate::load::scaling::Law;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 44.0;
/// Lines of each scale, about.
const STEPS: f64 = 5.0;
/// Pieces of the law's curve.
const PIECES: u32 = 80;

pub(super) fn section(limit: &Limit) -> String {
    let mut text = "<h2>The limit</h2><dl>".to_owned();
    let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{}/s", number(rate)));
    let mut facts = vec![
        ("held", rate(limit.held_per_second)),
        ("did not", rate(limit.broke_per_second)),
    ];
    facts.extend(limit.why.iter().map(|why| ("why", why.clone())));
    facts.extend(limit.gave_out.iter().map(|what| ("gave out", what.clone())));
    facts.push(("safe", rate(limit.safe_per_second)));
    facts.extend(limit.fit.iter().flat_map(law));
    facts.extend(
        limit
            .no_fit
            .iter()
            .map(|why| ("scalability", format!("no fit: {why}"))),
    );
    for (name, value) in facts {
        let _string = write!(text, "<dt>{name}<dd>{}", escaped(&value));
    }
    text + "</dl>" + &chart(limit) + &levels(&limit.levels)
}

fn law(fit: &Fitted) -> Vec<(&'static str, String)> {
    let between = |interval: &crate::load::Interval| {
        let [value, low, high] = [interval.value, interval.low, interval.high].map(number);
        format!("{value}/s ({low} to {high})")
    };
    let mut facts = vec![("knee, with its 95 % interval", between(&fit.knee_per_second))];
    facts.extend(fit.peak_per_second.iter().map(|peak| ("peak", between(peak))));
    let parameters = format!(
        "contention {:.4}, coherency {:.6}, R² {:.3}",
        fit.contention, fit.coherency, fit.r_squared
    );
    facts.push(("scalability law", parameters));
    facts
}

fn levels(levels: &[Step]) -> String {
    let mut table = "<table><tr><th>asked<th>accepted<th>scheduled<th>p50<th>p99<th>under way\
                     <th>target's cores<th></tr>"
        .to_owned();
    for level in levels {
        let or_none = |value: Option<f64>, unit| match value {
            Some(value) => format!("{}{unit}", number(value)),
            None => "–".to_owned(),
        };
        let time = |time: Option<f64>| time.map_or("–".to_owned(), ms);
        let (class, end) = match &level.broke {
            None => ("good", "held".to_owned()),
            Some(why) => ("bad", escaped(why)),
        };
        let _string = write!(
            table,
            "<tr><td>{}/s<td>{}/s<td>{}<td>{}<td>{}<td>{}<td>{}<td class=\"{class}\">{end}</tr>",
            number(level.asked_per_second),
            number(level.accepted_per_second),
            or_none(level.scheduled_per_second, "/s"),
            time(level.p50_ms),
            time(level.p99_ms),
            or_none(level.concurrency, ""),
            or_none(level.target_cpu_share, ""),
        );
    }
    table + "</table>"
}

/// Requests under way across, accepted a second upwards; each with the step of its scale.
struct Axes {
    right: f64,
    top: f64,
    across: f64,
    up: f64,
}

impl Axes {
    /// `None` where there is nothing to show.
    fn around(points: &[(f64, &Step)]) -> Option<Self> {
        let widest = points.iter().map(|(at, _)| *at).fold(0.0, f64::max);
        let rates = points.iter().map(|(_, level)| level.accepted_per_second);
        let highest = rates.fold(0.0, f64::max);
        let (across, up) = (step(widest / STEPS), step(highest / STEPS));
        (widest > 0.0 && highest > 0.0).then(|| Axes {
            right: (widest / across).ceil() * across,
            top: (highest / up).ceil() * up,
            across,
            up,
        })
    }

    fn x(&self, under_way: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * under_way / self.right
    }

    fn y(&self, per_second: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * per_second / self.top
    }

    fn draw(&self, svg: &mut String) {
        for index in 0..=(self.top / self.up).round() as u32 {
            let rate = f64::from(index) * self.up;
            let (y, right) = (self.y(rate), WIDTH - RIGHT);
            let _string = write!(
                svg,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text class="scale" x="{:.1}" y="{:.1}">{}/s</text>"#,
                LEFT - 6.0,
                y + 4.0,
                number(rate),
            );
        }
        for index in 0..=(self.right / self.across).round() as u32 {
            let at = f64::from(index) * self.across;
            let (x, y, label) = (self.x(at), HEIGHT - BOTTOM + 18.0, number(at));
            let _string = write!(svg, r#"<text class="time" x="{x:.1}" y="{y:.1}">{label}</text>"#);
        }
    }

    fn draw_law(&self, fit: &Fitted, svg: &mut String) {
        let law = Law {
            alone_per_s: fit.alone_per_second,
            contention: fit.contention,
            coherency: fit.coherency,
        };
        let ends = (1..=PIECES).map(|piece| {
            let at = self.right * f64::from(piece) / f64::from(PIECES);
            let rate = law.throughput_per_s(at).min(self.top);
            format!("{:.1} {:.1}", self.x(at), self.y(rate))
        });
        let path = ends.collect::<Vec<_>>().join("L");
        let _string = write!(svg, r#"<path class="line line1" d="M{path}"/>"#);
    }
}

/// Throughput over concurrency, level by level, with the law through those that held.
fn chart(limit: &Limit) -> String {
    let known = limit.levels.iter();
    let points: Vec<(f64, &Step)> = known
        .filter_map(|level| Some((level.concurrency?, level)))
        .collect();
    let Some(axes) = Axes::around(&points) else {
        return String::new();
    };
    let title = "Accepted a second, by requests under way";
    let mut svg = format!(
        r#"<div class="charts"><figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title><text class="title" x="0" y="14">{title}</text>"#
    );
    axes.draw(&mut svg);
    if let Some(fit) = &limit.fit {
        axes.draw_law(fit, &mut svg);
    }
    for (at, level) in points {
        let class = if level.broke.is_none() { "dot" } else { "broke" };
        let _string = write!(
            svg,
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="4"><title>{}/s asked</title></circle>"#,
            axes.x(at),
            axes.y(level.accepted_per_second),
            number(level.asked_per_second)
        );
    }
    let legend = "filled: held; hollow: did not; the line: the law that fits";
    svg + "</svg><figcaption>" + legend + "</figcaption></figure></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(asked_per_second: f64, concurrency: f64, broke: Option<&str>) -> Step {
        Step {
            asked_per_second,
            accepted_per_second: asked_per_second,
            scheduled_per_second: None,
            p50_ms: Some(1.0),
            p99_ms: Some(2.0),
            concurrency: Some(concurrency),
            target_cpu_share: None,
            broke: broke.map(str::to_owned),
        }
    }

    #[test]
    fn a_search_is_shown_with_what_held_what_did_not_and_why() {
        let limit = Limit {
            held_per_second: Some(200.0),
            broke_per_second: Some(300.0),
            why: Some("p99 < 5 ms: 9 ms".to_owned()),
            gave_out: None,
            safe_per_second: Some(140.0),
            fit: None,
            no_fit: Some("too few levels".to_owned()),
            levels: vec![
                level(200.0, 4.0, None),
                level(300.0, 8.0, Some("p99 < 5 ms: 9 ms")),
            ],
        };
        let shown = section(&limit);
        for part in [
            "<dt>held<dd>200/s",
            "<dt>did not<dd>300/s",
            "<dt>why<dd>p99 &lt; 5 ms: 9 ms",
            "<dt>safe<dd>140/s",
            "no fit: too few levels",
            r#"<td class="good">held"#,
            r#"<td class="bad">p99 &lt; 5 ms: 9 ms"#,
            // Half as many under way, and two thirds as much.
            r#"<circle class="dot" cx="346.0" cy="112.0""#,
            r#"<circle class="broke" cx="616.0" cy="30.0""#,
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        let nothing = Limit {
            levels: Vec::new(),
            ..limit
        };
        assert!(!section(&nothing).contains("<svg"));
    }
}
