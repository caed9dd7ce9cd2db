//! Line charts over a test's time, as SVG that stands in a page by itself.

use std::fmt::Write;

/// A line; holes where nothing was measured.
pub struct Series<'a> {
    pub name: &'a str,
    /// By time in seconds.
    pub points: Vec<(f64, Option<f64>)>,
}

pub struct Chart<'a> {
    pub title: &'a str,
    /// After the numbers on the scale.
    pub unit: &'a str,
    pub series: Vec<Series<'a>>,
    /// Where one stage ends and the next begins, and its name.
    pub stages: &'a [(f64, String)],
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 26.0;
/// Of a letter of a stage's name, about.
const LETTER: f64 = 6.5;
/// Lines of the scale, about.
const STEPS: f64 = 5.0;

impl Chart<'_> {
    /// Nothing where nothing was measured.
    pub fn svg(&self) -> Option<String> {
        let values = || self.series.iter().flat_map(|series| &series.points);
        let highest = values().filter_map(|(_, value)| *value).reduce(f64::max)?;
        let latest = values().map(|(at, _)| *at).fold(0.0, f64::max).max(1.0);
        let scale = Scale {
            latest,
            step: step(highest / STEPS),
            top: (highest / step(highest / STEPS)).ceil().max(1.0) * step(highest / STEPS),
        };
        let mut svg = format!(
            r#"<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{0}</title><text class="title" x="0" y="14">{0}</text>"#,
            escaped(self.title)
        );
        self.grid(&scale, &mut svg);
        for (number, series) in self.series.iter().enumerate() {
            line(series, &scale, number, &mut svg);
        }
        svg += "</svg>";
        self.legend(&mut svg);
        svg += "</figure>";
        Some(svg)
    }

    fn grid(&self, scale: &Scale, svg: &mut String) {
        let right = WIDTH - RIGHT;
        for index in 0..=(scale.top / scale.step).round() as u32 {
            let value = f64::from(index) * scale.step;
            let (y, label) = (scale.y(value), number(value));
            let unit = escaped(self.unit);
            let _string = write!(
                svg,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text class="scale" x="{:.1}" y="{:.1}">{label}{unit}</text>"#,
                LEFT - 6.0,
                y + 4.0,
            );
        }
        let floor = HEIGHT - BOTTOM;
        let seconds = step(scale.latest / STEPS);
        for index in 0..=(scale.latest / seconds).floor() as u32 {
            let at = f64::from(index) * seconds;
            let (x, label) = (scale.x(at), number(at));
            let _string = write!(
                svg,
                r#"<text class="time" x="{x:.1}" y="{:.1}">{label} s</text>"#,
                floor + 18.0
            );
        }
        let ends = self.stages.iter().skip(1).map(|(at, _)| *at);
        for ((at, name), end) in self.stages.iter().zip(ends.chain([scale.latest])) {
            let (x, room) = (scale.x(*at), scale.x(end) - scale.x(*at));
            let letters = name.chars().count() as f64;
            let name = escaped(name);
            let _string = write!(
                svg,
                r#"<path class="stage" d="M{x:.1} {TOP}V{floor}"><title>{name}</title></path>"#
            );
            if letters * LETTER < room {
                let _string = write!(
                    svg,
                    r#"<text class="name" x="{:.1}" y="{:.1}">{name}</text>"#,
                    x + 3.0,
                    TOP - 3.0
                );
            }
        }
    }

    fn legend(&self, svg: &mut String) {
        *svg += "<figcaption>";
        for (number, series) in self.series.iter().enumerate() {
            let name = escaped(series.name);
            let _string = write!(svg, r#"<span class="line{number}">{name}</span> "#);
        }
        *svg += "</figcaption>";
    }
}

struct Scale {
    latest: f64,
    step: f64,
    top: f64,
}

impl Scale {
    fn x(&self, at: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * at / self.latest
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top
    }
}

fn line(series: &Series<'_>, scale: &Scale, number: usize, svg: &mut String) {
    let mut path = String::new();
    let mut is_drawn = false;
    for (at, value) in &series.points {
        let Some(value) = value else {
            is_drawn = false;
            continue;
        };
        let (x, y) = (scale.x(*at), scale.y(*value));
        // A line of no length is a dot, where nothing before and behind was measured.
        let _string = match is_drawn {
            true => write!(path, "L{x:.1} {y:.1}"),
            false => write!(path, "M{x:.1} {y:.1}h0"),
        };
        is_drawn = true;
    }
    let _string = write!(svg, r#"<path class="line line{number}" d="{path}"/>"#);
}

/// The next of 1, 2 and 5 times a power of ten.
pub fn step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let power = libm::pow(10.0, libm::log10(least).floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps
        .into_iter()
        .find(|step| step * power >= least * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// As short as it can be read.
pub fn number(value: f64) -> String {
    let (divided, suffix) = match value.abs() {
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match divided.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{divided:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text}{suffix}")
}

/// The same of a time, in seconds where there are many.
pub fn ms(value: f64) -> String {
    match value.abs() {
        long if long >= 1e4 => format!("{} s", number(value / 1e3)),
        _ => format!("{} ms", number(value)),
    }
}

/// Fit to stand between tags and in attributes, of HTML and of XML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no way to write the others.
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, Option<f64>)>) -> Option<String> {
        let series = Series {
            name: "p99 <b>",
            points,
        };
        let chart = Chart {
            title: "Latency & more",
            unit: " ms",
            series: vec![series],
            stages: &[(2.0, "ramp".to_owned())],
        };
        chart.svg()
    }

    #[test]
    fn a_line_runs_from_corner_to_corner_and_has_holes_where_nothing_was_measured() {
        let svg = chart(vec![
            (0.0, Some(0.0)),
            (1.0, None),
            (2.0, Some(50.0)),
            (4.0, Some(100.0)),
        ]);
        let svg = svg.expect("there is something to draw");
        assert!(
            svg.contains(r#"d="M76.0 214.0h0M352.0 122.0h0L628.0 30.0""#),
            "{svg}"
        );
        assert!(
            svg.contains(">100 ms</text>") && svg.contains(">20 ms</text>"),
            "{svg}"
        );
        assert!(
            svg.contains("Latency &amp; more") && !svg.contains("<b>"),
            "{svg}"
        );
        assert_eq!(escaped("a \"b\" & <c>\n"), "a &quot;b&quot; &amp; &lt;c&gt; ");
        assert_eq!(chart(vec![(1.0, None)]), None);
        assert!(
            chart(vec![(1.0, Some(0.0))]).is_some(),
            "nothing but zeros is something"
        );
    }

    #[test]
    fn scales_have_round_steps_and_short_numbers() {
        for (least, expected) in [
            (0.7, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (23.0, 50.0),
            (0.003, 0.005),
            (0.0, 1.0),
        ] {
            assert!((step(least) - expected).abs() < 1e-12, "{least}: {}", step(least));
        }
        for (value, expected) in [
            (0.0, "0"),
            (0.05, "0.05"),
            (12.5, "12.5"),
            (100.0, "100"),
            (9_999.0, "9999"),
            (30_000.0, "30k"),
            (2_500_000.0, "2.5M"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(
            [ms(0.25), ms(9_999.0), ms(33_200.0)],
            ["0.25 ms", "9999 ms", "33.2 s"]
        );
    }
}
