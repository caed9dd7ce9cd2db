//! What is wrong with a scenario, where, and what would be right.
//!
//! A [`Log`] collects mistakes by their place in the source; lines and columns are
//! counted once, when it is closed.

use std::fmt;
use std::ops::Range;

/// One mistake or doubt, as `skyhaul check` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Diagnostic {
            file,
            line,
            column,
            message,
            remedy,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}; {remedy}")
    }
}

/// Byte range in the source.
pub(super) type Span = Range<usize>;

/// A value and where the file says it.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    offset: usize,
    severity: Severity,
    message: String,
    remedy: String,
    /// Left out when the file has syntax errors, which may be its cause.
    may_follow_from_syntax: bool,
}

impl Log {
    pub fn error(&mut self, span: &Span, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(span, Severity::Error, message.into(), remedy.into(), false);
    }

    pub fn warn(&mut self, span: &Span, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(span, Severity::Warning, message.into(), remedy.into(), false);
    }

    /// Something that is not there.
    pub fn missing(&mut self, span: &Span, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(span, Severity::Error, message.into(), remedy.into(), true);
    }

    fn push(
        &mut self,
        span: &Span,
        severity: Severity,
        message: String,
        remedy: String,
        may_follow_from_syntax: bool,
    ) {
        self.entries.push(Entry {
            offset: span.start,
            severity,
            message,
            remedy,
            may_follow_from_syntax,
        });
    }

    pub fn error_count(&self) -> usize {
        let errors = self
            .entries
            .iter()
            .filter(|entry| entry.severity == Severity::Error);
        errors.count()
    }

    /// All entries in the order of the file. Where a line has a syntax error, that is
    /// the only one told of it, since whatever else seems wrong there may follow from it.
    pub fn into_diagnostics(self, file: &str, source: &str, syntax: &[toml::de::Error]) -> Vec<Diagnostic> {
        let lines = LineIndex::new(source);
        let mut all = Vec::new();
        let mut broken_lines = Vec::new();
        for error in syntax {
            let (line, column) = lines.position(error.span().map_or(0, |span| span.start));
            broken_lines.push(line);
            all.push(Diagnostic {
                file: file.to_owned(),
                line,
                column,
                severity: Severity::Error,
                message: format!("not valid TOML: {}", single_line(error.message())),
                remedy: "write `key = value`, `[table]` or `[[list]]`, each on its own line, text in quotes"
                    .to_owned(),
            });
        }
        for entry in self.entries {
            let (line, column) = lines.position(entry.offset);
            let doubtful = entry.may_follow_from_syntax && !syntax.is_empty();
            if doubtful || broken_lines.contains(&line) {
                continue;
            }
            all.push(Diagnostic {
                file: file.to_owned(),
                line,
                column,
                severity: entry.severity,
                message: single_line(&entry.message),
                remedy: single_line(&entry.remedy),
            });
        }
        all.sort_by_key(|entry| (entry.line, entry.column, entry.severity));
        all
    }
}

/// "1 wind", "2 winds", "2 entries"
pub fn counted(count: usize, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

/// A diagnostic is one line, whatever keys and names it quotes.
fn single_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Where the lines of a source begin.
pub(super) struct LineIndex<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub fn new(source: &'a str) -> Self {
        let after_newlines = source.match_indices('\n').map(|(at, _)| at + 1);
        LineIndex {
            source,
            starts: std::iter::once(0).chain(after_newlines).collect(),
        }
    }

    /// Line and column, both from 1, of a byte offset; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.source.bytes().take(offset).skip(start);
        let characters = before.filter(|byte| (byte & 0xc0) != 0x80).count();
        let byte_order_mark = usize::from(line == 1 && offset > 0 && self.source.starts_with('\u{feff}'));
        (line, characters - byte_order_mark + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = "\u{feff}a = 1\nbé = \"ü\"\r\n";
        let lines = LineIndex::new(source);
        let at = |text: &str| lines.position(source.find(text).unwrap());
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("1"), (1, 5));
        assert_eq!(at("bé"), (2, 1));
        assert_eq!(at("\"ü\""), (2, 6));
        assert_eq!(lines.position(source.len()), (3, 1));
    }
}
