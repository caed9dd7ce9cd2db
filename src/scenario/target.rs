//! `[target]`: how `skyhaul load` talks to a server that is none of this project's: its
//! routes, what they are told, and where in its answers stands what is wanted.

use std::time::Duration as Span;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::audience::span;
use super::diagnostic::{At, Log, Span as Place};
use super::fields::{Fields, Kind, List, Named, NamedEntry, Table};
use super::kinds::{Choice, Integer, Text};
use super::template::{Field, Filled, Piece, Template};
use super::times::{Duration, LONGEST};
use crate::sim::time::SimDuration;

/// Another server's interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub request: Route,
    /// Where its answer says what it calls the delivery, as a JSON pointer; without it the
    /// package is its name.
    pub id: Option<String>,
    /// `None` where only accepting can be looked at.
    pub status: Option<Status>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub method: &'static str,
    pub path: Template,
    /// Names in lower case.
    pub headers: Vec<(String, Template)>,
    pub body: Option<Template>,
}

/// How it is asked what became of a delivery, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub route: Route,
    /// JSON pointers.
    pub stage: String,
    /// When that stage was reached; when it was seen, where there is none.
    pub time: Option<String>,
    /// Stages; any other means that it is scheduled where there are none of these.
    pub scheduled: Vec<String>,
    /// That a drone, or whoever, has the package.
    pub picked_up: Vec<String>,
    pub completed: Vec<String>,
    pub failed: Vec<String>,
    /// Each delivery is asked for this often,
    pub every: Span,
    /// and so many at once.
    pub at_once: usize,
}

const METHODS: [(&str, &str); 4] = [
    ("GET", "GET"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
];

/// `None` where it is wrong.
pub(super) fn target(f: &mut Fields<'_>) -> Option<Mapping> {
    let headers = f.optional(
        "headers",
        "said with every request, beside `host`; with none called authorization, what --token gave goes there",
        Named(Filled { knows: |field| matches!(field, Field::Token | Field::Run) }),
    );
    let request = f.required("request", "what asks for a delivery", Table(request));
    let status = f.optional(
        "status",
        "how it is asked what became of a delivery; without it only accepting is measured",
        Table(status),
    );
    let headers = headers_of(f, headers)?;
    let (mut request, id) = request?.value?;
    request
        .headers
        .splice(0..0, missing_from(&request.headers, &headers));
    let status = match status {
        None => None,
        Some(status) => {
            let mut status = status.value?;
            let route = &mut status.route;
            route.headers.splice(0..0, missing_from(&route.headers, &headers));
            Some(status)
        }
    };
    Some(Mapping { request, id, status })
}

/// Those of all requests that a route has none of its own for.
fn missing_from(own: &[(String, Template)], all: &[(String, Template)]) -> Vec<(String, Template)> {
    let is_missing = |(name, _): &&(String, Template)| own.iter().all(|(own, _)| own != name);
    all.iter().filter(is_missing).cloned().collect()
}

fn of_request(field: Field) -> bool {
    field != Field::Id
}

fn request(f: &mut Fields<'_>) -> Option<(Route, Option<String>)> {
    let method = f.or("method", "how it is sent", Choice(&METHODS), "\"POST\"");
    let path = f.required(
        "path",
        "where it goes, after what --target names",
        Filled { knows: of_request },
    );
    let headers = f.optional(
        "headers",
        "said with it, instead of or beside those of all requests",
        Named(Filled { knows: of_request }),
    );
    let body = f.optional(
        "body",
        "what it says: text, with fields of the order in braces, escaped for JSON",
        Filled { knows: of_request },
    );
    let id = f.optional("id", "where its answer says what the delivery is called", Pointer);
    let headers = headers_of(f, headers);
    let path = path.and_then(|path| path_of(f, path));
    let route = Route {
        method: method.value,
        path: path?,
        headers: headers?,
        body: body.map(|body| body.value),
    };
    Some((route, id.map(|id| id.value)))
}

fn status(f: &mut Fields<'_>) -> Option<Status> {
    let of_delivery = |field| matches!(field, Field::Id | Field::Run);
    let path = f.required(
        "path",
        "where a delivery, {id}, is asked for",
        Filled { knows: of_delivery },
    );
    let stage = f.required("stage", "where its answer says how far the delivery is", Pointer);
    let time = f.optional(
        "time",
        "where it says since when, as RFC 3339, or in seconds or milliseconds since 1970; both clocks must agree",
        Pointer,
    );
    let words = || List {
        of: Text,
        at_least: 1,
    };
    let scheduled = f.optional(
        "scheduled",
        "stages that mean that somebody is to carry it; any stage does, without",
        words(),
    );
    let picked_up = f.optional(
        "picked_up",
        "stages that mean that it has been collected",
        words(),
    );
    let completed = f.required("completed", "stages that mean that it has arrived", words());
    let failed = f.optional("failed", "stages that mean that it came to nothing", words());
    let every = f.or(
        "every",
        "how often each delivery is asked for",
        Duration(SimDuration(10_000)..=LONGEST),
        "\"1s\"",
    );
    let at_once = f.or(
        "at_once",
        "the most that are asked for at once",
        Integer(1..=1_000),
        "16",
    );
    let list = |words: Option<At<Vec<At<String>>>>| -> Vec<String> {
        let words = words.map(|words| words.value).unwrap_or_default();
        words.into_iter().map(|word| word.value).collect()
    };
    let route = Route {
        method: "GET",
        path: path_of(f, path?)?,
        headers: Vec::new(),
        body: None,
    };
    Some(Status {
        route,
        stage: stage?.value,
        time: time.map(|time| time.value),
        scheduled: list(scheduled),
        picked_up: list(picked_up),
        completed: list(Some(completed?)),
        failed: list(failed),
        every: span(every.value),
        at_once: usize::try_from(at_once.value).unwrap_or(usize::MAX),
    })
}

fn path_of(f: &mut Fields<'_>, path: At<Template>) -> Option<Template> {
    let begins_well = matches!(path.value.0.first(), Some(Piece::Text(text)) if text.starts_with('/'));
    let is_visible = |piece: &Piece| match piece {
        Piece::Text(text) => text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'),
        Piece::Field(_) => true,
    };
    if begins_well && path.value.0.iter().all(is_visible) {
        return Some(path.value);
    }
    f.log().error(
        &path.span,
        "`path` is no path",
        "begin it with a slash, and write what is neither letter nor sign as %20",
    );
    None
}

fn headers_of(
    f: &mut Fields<'_>,
    written: Option<At<Vec<NamedEntry<Template>>>>,
) -> Option<Vec<(String, Template)>> {
    /// The load sets these itself.
    const OURS: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];
    let (mut headers, mut are_right) = (Vec::new(), true);
    for (name, value) in written.map(|written| written.value).unwrap_or_default() {
        let lower = name.value.to_ascii_lowercase();
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let wrong = if OURS.contains(&lower.as_str()) {
            format!("`{}` is said by the load itself", name.value)
        } else if lower.is_empty() || !lower.bytes().all(is_sign) {
            format!("`{}` is no name of a header", name.value)
        } else if value.value.has_control() {
            format!("the value of `{}` has more than one line", name.value)
        } else {
            headers.push((lower, value.value));
            continue;
        };
        f.log().error(&name.span, wrong, "leave it out, or correct it");
        are_right = false;
    }
    are_right.then_some(headers)
}

/// A JSON pointer (RFC 6901).
struct Pointer;

impl Kind for Pointer {
    type Out = String;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^/"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, place: &Place, log: &mut Log) -> Option<String> {
        let text = Text.read(name, value, place, log)?;
        if text.starts_with('/') {
            return Some(text);
        }
        log.error(
            place,
            format!("`{name}` is \"{text}\", which is no JSON pointer"),
            "begin it with a slash, as in \"/job/id\"",
        );
        None
    }
}
