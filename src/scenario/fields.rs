//! Tables and their keys, described where they are read.
//!
//! A table is a function over [`Fields`] that asks for each of its keys once: name,
//! sentence, kind, and whether it must be there. The same function reads a file and,
//! run without one, writes the JSON Schema, so that the two cannot drift apart. Such a
//! function must therefore ask for all its keys before it looks at any answer.

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{At, Log, Span, counted};

/// What a value may be.
pub(super) trait Kind {
    type Out;
    fn schema(&self) -> Value;
    /// `None` where the value is wrong; the log then says how.
    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Self::Out>;
}

/// The keys of one table, read or described.
pub(super) struct Fields<'a> {
    source: Source<'a>,
    span: Span,
    keys: Vec<&'static str>,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    log: &'a mut Log,
}

enum Source<'a> {
    Table(&'a DeTable<'a>),
    /// Nothing is read: only the schema is wanted.
    Description,
}

impl<'a> Fields<'a> {
    /// Where the table stands: its header, or its opening brace.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    pub fn log(&mut self) -> &mut Log {
        self.log
    }

    /// Whether the file has the key, right or wrong.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The keys that the file has, right or wrong.
    pub fn given(&self) -> Vec<String> {
        match self.source {
            Source::Table(table) => table.keys().map(|key| key.get_ref().to_string()).collect(),
            Source::Description => Vec::new(),
        }
    }

    /// A key that must be there.
    pub fn required<K: Kind>(&mut self, name: &'static str, doc: &str, kind: K) -> Option<At<K::Out>> {
        self.required.push(name);
        self.describe(name, doc, &kind, None);
        let Some((value, span)) = self.find(name) else {
            if let Source::Table(_) = self.source {
                let remedy = format!("add {name}: {doc}");
                self.log
                    .missing(&self.span, format!("`{name}` is missing"), remedy);
            }
            return None;
        };
        self.read(name, &kind, value, span)
    }

    /// A key that may be left out.
    pub fn optional<K: Kind>(&mut self, name: &'static str, doc: &str, kind: K) -> Option<At<K::Out>> {
        self.describe(name, doc, &kind, None);
        let (value, span) = self.find(name)?;
        self.read(name, &kind, value, span)
    }

    /// A key that means `default` (in TOML) where it is left out. A wrong value is
    /// logged and read as the default, so that the rest of the file is checked too.
    pub fn or<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &str,
        kind: K,
        default: &'static str,
    ) -> At<K::Out> {
        let parsed = DeValue::parse(default).expect("a default is TOML");
        self.describe(name, doc, &kind, Some(to_json(parsed.get_ref())));
        let given = match self.find(name) {
            Some((value, span)) => self.read(name, &kind, value, span),
            None => None,
        };
        given.unwrap_or_else(|| At {
            value: kind
                .read(name, parsed.get_ref(), &self.span, &mut Log::default())
                .expect("a default is of its kind"),
            span: self.span.clone(),
        })
    }

    fn describe<K: Kind>(&mut self, name: &'static str, doc: &str, kind: &K, default: Option<Value>) {
        self.keys.push(name);
        if let Source::Description = self.source {
            let mut schema = kind.schema();
            schema["description"] = json!(doc);
            if let Some(default) = default {
                schema["default"] = default;
            }
            self.properties.insert(name.to_owned(), schema);
        }
    }

    fn find(&self, name: &str) -> Option<(&'a DeValue<'a>, Span)> {
        match self.source {
            Source::Table(table) => table.get(name).map(|value| (value.get_ref(), value.span())),
            Source::Description => None,
        }
    }

    fn read<K: Kind>(&mut self, name: &str, kind: &K, value: &DeValue<'_>, span: Span) -> Option<At<K::Out>> {
        let read = kind.read(name, value, &span, self.log)?;
        Some(At { value: read, span })
    }

    fn refuse_unknown_keys(&mut self) {
        let Source::Table(table) = self.source else {
            return;
        };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if self.keys.contains(&name) {
                continue;
            }
            let remedy = suggest(name, self.keys.iter().copied());
            self.log
                .error(&key.span(), format!("unknown key `{name}`"), remedy);
        }
    }
}

/// The one that is meant, most likely.
pub(super) fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    const ALIKE: f64 = 0.8;
    let likeness = |name: &str| strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase());
    known
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// "did you mean …", or all there is to choose from.
pub(super) fn suggest<'n>(wrong: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    match nearest(wrong, known.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let names: Vec<String> = known.map(|name| format!("`{name}`")).collect();
            if names.is_empty() {
                "there is none to choose from".to_owned()
            } else {
                format!("known: {}", names.join(", "))
            }
        }
    }
}

/// A table whose keys the function reads. It always makes its value, with holes where the
/// file is wrong, so that what is right takes part in later checks.
pub(super) struct Table<T>(pub fn(&mut Fields<'_>) -> T);

impl<T> Kind for Table<T> {
    type Out = T;

    fn schema(&self) -> Value {
        let mut log = Log::default();
        let mut fields = Fields {
            source: Source::Description,
            span: 0..0,
            keys: Vec::new(),
            properties: Map::new(),
            required: Vec::new(),
            log: &mut log,
        };
        (self.0)(&mut fields);
        let mut schema = json!({
            "type": "object",
            "properties": fields.properties,
            "additionalProperties": false,
        });
        if !fields.required.is_empty() {
            schema["required"] = json!(fields.required);
        }
        schema
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<T> {
        let DeValue::Table(table) = value else {
            let remedy = format!("write it as `[{name}]` or `{name} = {{ … }}`");
            log.error(
                span,
                format!("`{name}` is {}, not a table", kind_of(value)),
                remedy,
            );
            return None;
        };
        Some(read_table(table, span.clone(), log, self.0))
    }
}

/// Reads a whole document with the function of its outermost table.
pub(super) fn read_table<T>(
    table: &DeTable<'_>,
    span: Span,
    log: &mut Log,
    read: fn(&mut Fields<'_>) -> T,
) -> T {
    let mut fields = Fields {
        source: Source::Table(table),
        span,
        keys: Vec::new(),
        properties: Map::new(),
        required: Vec::new(),
        log,
    };
    let value = read(&mut fields);
    fields.refuse_unknown_keys();
    value
}

/// What a table means where the file leaves it out, if it has no required key.
pub(super) fn defaults_of<T>(read: fn(&mut Fields<'_>) -> T) -> T {
    read_table(&DeTable::default(), 0..0, &mut Log::default(), read)
}

/// `[[name]]`: any number of tables (or other values) of one kind.
pub(super) struct List<K> {
    pub of: K,
    pub at_least: usize,
}

impl<K: Kind> Kind for List<K> {
    type Out = Vec<At<K::Out>>;

    fn schema(&self) -> Value {
        let mut schema = json!({"type": "array", "items": self.of.schema()});
        if self.at_least > 0 {
            schema["minItems"] = json!(self.at_least);
        }
        schema
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Self::Out> {
        let DeValue::Array(items) = value else {
            let remedy = match value {
                DeValue::Table(_) => format!("write `[[{name}]]` with double brackets"),
                _ => format!("write `{name} = [ … ]`"),
            };
            log.error(
                span,
                format!("`{name}` is {}, not a list", kind_of(value)),
                remedy,
            );
            return None;
        };
        if items.len() < self.at_least {
            let remedy = format!("give at least {}", self.at_least);
            let entries = counted(items.len(), "entry");
            log.error(span, format!("`{name}` has {entries}"), remedy);
            return None;
        }
        let mut list = Vec::new();
        for item in items.iter() {
            let span = item.span();
            if let Some(value) = self.of.read(name, item.get_ref(), &span, log) {
                list.push(At { value, span });
            }
        }
        Some(list)
    }
}

/// `[name.KEY]`: tables by names that the file chooses.
pub(super) struct Named<K>(pub K);

/// An entry of [`Named`]: its name and its value.
pub(super) type NamedEntry<T> = (At<String>, At<T>);

impl<K: Kind> Kind for Named<K> {
    type Out = Vec<NamedEntry<K::Out>>;

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": self.0.schema()})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Self::Out> {
        let DeValue::Table(table) = value else {
            let remedy = format!("write `[{name}.NAME]`");
            log.error(
                span,
                format!("`{name}` is {}, not a table", kind_of(value)),
                remedy,
            );
            return None;
        };
        let mut entries = Vec::new();
        for (key, value) in table {
            let full_name = format!("{name}.{}", key.get_ref());
            if let Some(read) = self.0.read(&full_name, value.get_ref(), &value.span(), log) {
                let key = At {
                    value: key.get_ref().to_string(),
                    span: key.span(),
                };
                entries.push((
                    key,
                    At {
                        value: read,
                        span: value.span(),
                    },
                ));
            }
        }
        Some(entries)
    }
}

/// What a value is, in words.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The JSON that a schema compares a TOML value with.
pub(super) fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or(Value::Null, |number| json!(number))
        }
        DeValue::Float(number) => number
            .as_str()
            .parse::<f64>()
            .map_or(Value::Null, |number| json!(number)),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Datetime(moment) => json!(moment.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), to_json(Spanned::get_ref(value))))
            .collect(),
    }
}
