//! Results in files: a report for people, JUnit for CI, HdrHistogram's interval log and samples
//! for one's own analysis.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::Failure;
use crate::cli::recording::{not_both, not_onto};
use crate::cli::unfinished::Unfinished;
use crate::load::{self, Machine, Op, Outcome, escaped};

#[derive(clap::Args)]
pub(super) struct Files {
    /// Write a report to this file: one HTML page with tables and charts, and nothing beside it
    #[arg(long, value_name = "OUT.html", env = "SKYHAUL_REPORT")]
    report: Option<PathBuf>,
    /// Write the objectives to this file, as JUnit XML
    #[arg(long, value_name = "OUT.xml", env = "SKYHAUL_JUNIT")]
    junit: Option<PathBuf>,
    /// Write the histograms to this file: an HdrHistogram log in µs, an interval a stage, a tag an operation
    #[arg(long, value_name = "OUT.hlog", env = "SKYHAUL_HLOG")]
    hlog: Option<PathBuf>,
    /// Write what each second was like to this file, a JSON object a line
    #[arg(long, value_name = "OUT.ndjson", env = "SKYHAUL_SAMPLES")]
    samples: Option<PathBuf>,
    /// Write every request to this file, a JSON object a line
    #[arg(long, value_name = "OUT.ndjson", env = "SKYHAUL_REQUESTS")]
    pub requests: Option<PathBuf>,
}

type Write1 = fn(&Outcome, &mut dyn Write) -> io::Result<()>;

/// The files that were asked for, open, each with what writes it.
pub(super) struct Open(Vec<(Unfinished, File, Write1)>);

impl Files {
    /// Nothing that is read is written over, and nothing that is written.
    pub fn check(&self, scenario: &Path) -> Result<(), Failure> {
        let asked = [
            ("--report", &self.report),
            ("--junit", &self.junit),
            ("--hlog", &self.hlog),
            ("--samples", &self.samples),
            ("--requests", &self.requests),
        ];
        let mut taken: Vec<(&str, PathBuf)> = Vec::new();
        for (flag, path) in asked {
            let Some(path) = path else { continue };
            let before = taken.len();
            for place in Unfinished::at(path).places() {
                not_onto(scenario, place, flag)?;
                for (other, its) in &taken[..before] {
                    not_both((other, its), (flag, place))?;
                }
                taken.push((flag, place.to_owned()));
            }
        }
        Ok(())
    }

    /// Before the test, so that nobody waits for a result that has no place.
    pub fn create(&self) -> Result<Open, Failure> {
        let asked: [(&Option<PathBuf>, Write1); 4] = [
            (&self.report, report),
            (&self.junit, junit),
            (&self.hlog, hlog),
            (&self.samples, samples),
        ];
        let mut open = Vec::new();
        for (path, write) in asked {
            let Some(path) = path else { continue };
            let unfinished = Unfinished::at(path);
            let file = unfinished.create().map_err(|error| {
                Failure::bad_input(
                    format!("{} cannot be written: {error}", path.display()),
                    "give another file",
                )
            })?;
            open.push((unfinished, file, write));
        }
        Ok(Open(open))
    }
}

impl Open {
    pub fn write(self, outcome: &Outcome) -> Result<(), Failure> {
        let mut all = Ok(());
        for (unfinished, file, write) in self.0 {
            let mut out = BufWriter::new(file);
            let written = write(outcome, &mut out).and_then(|()| out.flush());
            let written = written.map_err(|error| unwritten(unfinished.name(), &error));
            // The others are written all the same.
            all = all.and(written.and_then(|()| unfinished.finish()));
        }
        all
    }
}

pub(super) fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(
        format!("{} cannot be written: {error}", path.display()),
        "make room, or give another file",
    )
}

fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(load::html(outcome, &Machine::here()).as_bytes())
}

/// One test case an objective, and one for whether the run counts at all.
fn junit(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let summary = &outcome.summary;
    let seconds: f64 = summary.stages.iter().map(|stage| stage.seconds).sum();
    let reasons: Vec<&str> = [&summary.stopped, &summary.void_reason]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    let whole = (!reasons.is_empty()).then(|| reasons.join("; "));
    let missed = summary.slo.iter().filter(|verdict| !verdict.met).count();
    let (tests, failures) = (summary.slo.len() + 1, missed + usize::from(whole.is_some()));
    let suite = escaped(&summary.scenario);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites tests="{tests}" failures="{failures}">"#)?;
    writeln!(
        out,
        r#"  <testsuite name="{suite}" tests="{tests}" failures="{failures}" time="{seconds}">"#
    )?;
    case(out, &suite, "the run counts", whole.as_deref())?;
    for verdict in &summary.slo {
        let found = verdict.found();
        case(out, &suite, &verdict.wanted(), (!verdict.met).then_some(&found))?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn case(out: &mut dyn Write, suite: &str, name: &str, failure: Option<&str>) -> io::Result<()> {
    let name = escaped(name);
    write!(out, r#"    <testcase classname="{suite}" name="{name}""#)?;
    match failure {
        None => writeln!(out, "/>"),
        Some(why) => writeln!(out, r#"><failure message="{}"/></testcase>"#, escaped(why)),
    }
}

fn hlog(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    let mut serializer = V2DeflateSerializer::new();
    let failed = |error: &dyn std::fmt::Debug| io::Error::other(format!("{error:?}"));
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("skyhaul load: microseconds; an interval is a stage, a tag an operation")
        .begin_log_with(&mut out, &mut serializer)?;
    let mut began = Duration::ZERO;
    for (number, stage) in outcome.summary.stages.iter().enumerate() {
        let lasted = Duration::from_secs_f64(stage.seconds);
        for op in Op::ALL {
            let histogram = outcome.recorder.of(op).by_stage[number].histogram();
            if !histogram.is_empty() {
                log.write_histogram(histogram, began, lasted, Tag::new(op.as_str()))
                    .map_err(|error| failed(&error))?;
            }
        }
        began += lasted;
    }
    Ok(())
}

fn samples(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    for second in &outcome.seconds {
        serde_json::to_writer(&mut *out, second)?;
        writeln!(out)?;
    }
    Ok(())
}
