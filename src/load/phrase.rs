//! Templates filled in: what is alike in many requests is made once, before the test; what is
//! each request's own is put between when it is sent.

use std::io::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::target::Target;
use crate::scenario::{Field, Piece, Route, Template};

/// Letters, digits and what RFC 3986 leaves unreserved.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where a field stands, and so how it is written there.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Path,
    Header,
    /// Of JSON, in quotes or not.
    Body,
}

impl Place {
    fn write(self, value: &str, out: &mut Vec<u8>) {
        match self {
            Place::Path => percent_encode(value.as_bytes(), UNRESERVED)
                .for_each(|part| out.extend_from_slice(part.as_bytes())),
            // No value ends a header's line.
            Place::Header => out.extend(value.bytes().map(|byte| match byte {
                b' '..=b'~' => byte,
                _ => b'?',
            })),
            Place::Body => {
                let quoted = serde_json::to_string(value).expect("text is JSON");
                out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            }
        }
    }
}

/// What each request fills in for itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Bytes(Vec<u8>),
    Number,
    Package,
    Now,
}

/// A part of a request, ready but for what is its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Phrase(Vec<Part>);

impl Phrase {
    pub fn text(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Part::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.0.push(Part::Bytes(bytes.to_vec())),
        }
    }

    pub fn part(&mut self, part: Part) {
        self.0.push(part);
    }

    /// Adds a template, with what `value` knows of its fields.
    pub fn fill(&mut self, template: &Template, place: Place, value: &dyn Fn(Field) -> String) {
        for piece in &template.0 {
            match piece {
                Piece::Text(text) => self.text(text.as_bytes()),
                Piece::Field(Field::Number) => self.part(Part::Number),
                Piece::Field(Field::Package) => self.part(Part::Package),
                Piece::Field(Field::Now) => self.part(Part::Now),
                Piece::Field(other) => {
                    let mut written = Vec::new();
                    place.write(&value(*other), &mut written);
                    self.text(&written);
                }
            }
        }
    }

    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        for part in &self.0 {
            let written = match part {
                Part::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                Part::Number => write!(out, "{number}"),
                Part::Package => write!(out, "load-{:08x}", number as u32),
                Part::Now => write!(out, "{}", jiff::Timestamp::now()),
            };
            written.expect("there is always room in memory");
        }
    }
}

/// The package of a request.
pub(super) fn package(number: u64) -> String {
    format!("load-{:08x}", number as u32)
}

/// All of a request before its body's length, in a route's words.
pub(super) fn head(target: &Target, route: &Route, value: &dyn Fn(Field) -> String) -> Phrase {
    let mut head = Phrase::default();
    head.text(format!("{} {}", route.method, target.prefix()).as_bytes());
    head.fill(&route.path, Place::Path, value);
    head.text(b" HTTP/1.1\r\n");
    head.text(&target.host_line());
    let has = |name: &str| route.headers.iter().any(|(there, _)| there == name);
    let shows_token = route.headers.iter().any(|(_, value)| value.has(Field::Token));
    if !shows_token && !has("authorization") {
        head.text(&target.bearer_line());
    }
    if route.body.is_some() && !has("content-type") {
        head.text(b"content-type: application/json\r\n");
    }
    for (name, template) in &route.headers {
        head.text(format!("{name}: ").as_bytes());
        head.fill(template, Place::Header, value);
        head.text(b"\r\n");
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_written_as_its_place_needs_it() {
        let template = Template::parse("<{owner}>{number}").expect("both are fields");
        let written = |place| {
            let mut phrase = Phrase::default();
            phrase.fill(&template, place, &|_| "a \"b\"\n".to_owned());
            let mut out = Vec::new();
            phrase.write(7, &mut out);
            String::from_utf8(out).expect("it is text")
        };
        assert_eq!(written(Place::Path), "<a%20%22b%22%0A>7");
        assert_eq!(written(Place::Header), "<a \"b\"?>7");
        assert_eq!(written(Place::Body), "<a \\\"b\\\"\\n>7");
    }
}
