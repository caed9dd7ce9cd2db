//! Reads fields and remembers everything that is wrong with them, so that a client hears
//! of all its mistakes at once.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::failure::Failure;
use crate::sim::geo::LatLon;
use crate::sim::order::Stop;
use crate::wire::api::problem::FieldProblem;

/// What is wrong with one value.
pub type Complaint = Cow<'static, str>;

/// Mistakes that are named one by one: more than any request has fields, and few enough for an
/// answer that is not many times as long as the body.
const MOST_NAMED: usize = 100;

/// All that is wrong with one request.
#[derive(Default)]
pub struct Complaints {
    named: Vec<FieldProblem>,
    /// How many there are beyond these.
    more: usize,
}

impl Complaints {
    pub fn add(&mut self, pointer: impl Into<String>, complaint: impl Into<Complaint>) {
        if self.named.len() == MOST_NAMED {
            self.more += 1;
            return;
        }
        self.named.push(FieldProblem {
            pointer: pointer.into(),
            detail: complaint.into().into_owned(),
        });
    }

    /// The value, or `None` once its complaint is noted.
    pub fn note<T>(&mut self, pointer: impl FnOnce() -> String, read: Result<T, Complaint>) -> Option<T> {
        read.map_err(|complaint| self.add(pointer(), complaint)).ok()
    }

    pub fn into_failure(mut self) -> Failure {
        if self.more > 0 {
            self.named.push(FieldProblem {
                pointer: String::new(),
                detail: format!("and {} more mistakes", self.more),
            });
        }
        Failure::WrongFields(self.named)
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// An object of the body. Null counts as missing, and fields that nobody asks for as
/// not there.
pub struct Fields<'v, 'c> {
    at: &'static str,
    object: Option<&'v Map<String, Value>>,
    complaints: &'c mut Complaints,
}

impl<'v, 'c> Fields<'v, 'c> {
    /// The body itself; one that is no object is complained of, and reads as an empty one.
    pub fn of_body(body: &'v Value, complaints: &'c mut Complaints) -> Self {
        let object = body.as_object();
        if object.is_none() {
            complaints.add("", "must be an object");
        }
        Fields {
            at: "",
            object,
            complaints,
        }
    }

    /// A required object inside this one, which stands at `pointer`; reads as an empty
    /// one where it is missing, so that its own required fields are named too.
    pub fn object(&mut self, key: &str, pointer: &'static str) -> Fields<'v, '_> {
        let object = self.required(key, |value| {
            value.as_object().ok_or(Complaint::Borrowed("must be an object"))
        });
        Fields {
            at: pointer,
            object,
            complaints: self.complaints,
        }
    }

    pub fn required<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'v Value) -> Result<T, Complaint>,
    ) -> Option<T> {
        match self.get(key) {
            Some(value) => self.note(key, read(value)),
            None => self.note(key, Err(Complaint::Borrowed("is missing"))),
        }
    }

    /// `None` where it is missing or wrong; the latter is noted.
    pub fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'v Value) -> Result<T, Complaint>,
    ) -> Option<T> {
        self.get(key).and_then(|value| self.note(key, read(value)))
    }

    /// Complains of every other field: in a request of our own a misspelt one must not be
    /// passed over in silence.
    pub fn nothing_but(&mut self, known: &[&str]) {
        for key in self.object.into_iter().flat_map(Map::keys) {
            if !known.contains(&key.as_str()) {
                let complaint = format!("is not a field of this request; it has {}", known.join(", "));
                self.complaints.add(pointer(self.at, key), complaint);
            }
        }
    }

    /// The reference's `{altitude, latitude, longitude}` inside this one; without an altitude it is
    /// on the ground.
    pub fn location(&mut self, key: &str, pointer: &'static str) -> Option<Stop> {
        self.object(key, pointer).coordinates()
    }

    pub fn optional_location(&mut self, key: &str, pointer: &'static str) -> Option<Stop> {
        self.get(key)?;
        self.location(key, pointer)
    }

    /// This object as a location.
    pub fn coordinates(&mut self) -> Option<Stop> {
        let within = |limit: f64, range: &'static str| {
            move |value: &Value| -> Result<f64, Complaint> {
                let number = value.as_f64().filter(|number| number.abs() <= limit);
                number.ok_or(Complaint::Borrowed(range))
            }
        };
        let lat = self.required("latitude", within(90.0, "must be a number from -90 to 90"));
        let lon = self.required("longitude", within(180.0, "must be a number from -180 to 180"));
        let altitude_m = self.optional("altitude", within(100_000.0, "must be a number of metres"));
        Some(Stop {
            location: LatLon { lat: lat?, lon: lon? },
            altitude_m: altitude_m.unwrap_or(0.0),
        })
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        self.object?.get(key).filter(|value| !value.is_null())
    }

    fn note<T>(&mut self, key: &str, read: Result<T, Complaint>) -> Option<T> {
        let at = self.at;
        self.complaints.note(|| pointer(at, key), read)
    }
}

/// The JSON pointer (RFC 6901) of what has this key in what is at another.
pub fn pointer(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Free text up to this many characters.
pub fn text(value: &Value, most: usize) -> Result<&str, Complaint> {
    at_most(value.as_str().ok_or("must be a string")?, most)
}

/// The same of what is a text already.
pub fn at_most(text: &str, most: usize) -> Result<&str, Complaint> {
    // No character takes less than a byte, so that most texts need no counting.
    if text.len() > most && text.chars().count() > most {
        return Err(format!("must have at most {most} characters").into());
    }
    Ok(text)
}

/// A client's own name for something: not empty, without control characters.
pub fn name(value: &Value) -> Result<&str, Complaint> {
    named(value.as_str().ok_or("must be a string")?)
}

/// The same of what is a text already.
pub fn named(text: &str) -> Result<&str, Complaint> {
    let name = at_most(text, 256)?;
    if name.is_empty() {
        return Err("must not be empty".into());
    }
    if name.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(name)
}

pub fn boolean(value: &Value) -> Result<bool, Complaint> {
    value.as_bool().ok_or("must be true or false".into())
}

/// An enum's value by its name in any case, or by its place in the list.
pub fn name_or_number<T: Copy>(value: &Value, names: &[(&str, T)]) -> Result<T, Complaint> {
    let found = match value {
        Value::String(text) => by_name(text, names),
        Value::Number(number) => number
            .as_u64()
            .and_then(|place| Some(names.get(usize::try_from(place).ok()?)?.1)),
        _ => None,
    };
    found.ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        format!("must be one of {}", names.join(", ")).into()
    })
}

pub fn by_name<T: Copy>(text: &str, names: &[(&str, T)]) -> Option<T> {
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}
