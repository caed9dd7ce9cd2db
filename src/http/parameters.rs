//! What stands in the address: ids in the path, filters and pages in the query.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;

use super::failure::Failure;
use super::fields::{Complaint, Complaints};
use crate::sim::geo::BoundingBox;
use crate::wire::discreet::discreet;

const DEFAULT_LIMIT: usize = 100;
pub const MAX_LIMIT: usize = 1_000;
/// Characters of a parameter's name that are quoted.
const LONGEST_NAME: usize = 40;

/// The id in the path; `None` where it is not even well-formed, which is for the caller
/// the same as one that does not exist.
pub struct PathId<T>(pub Option<T>);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(PathId(text.ok().and_then(|Path(text)| text.parse().ok())))
    }
}

/// That there is no query: in a request of our own a misspelt parameter must not be passed over
/// in silence, also where there is none to misspell. The reference's clients may say what they like.
pub struct NoParameters;

impl<S: Send + Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if parts.uri.query().is_none_or(str::is_empty) {
            return Ok(NoParameters);
        }
        let parameters = Parameters::from_request_parts(parts, state).await?;
        parameters.finish().map(|()| NoParameters)
    }
}

/// The query, and what is wrong with it so far. Of a parameter that is given twice the last
/// counts, where not all do; one that nobody asks for is a mistake, unless it is passed over.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    asked: Vec<&'static str>,
    complaints: Complaints,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = query.map_err(|_| {
            let mut complaints = Complaints::default();
            complaints.add("?", "is not a query string");
            complaints.into_failure()
        })?;
        Ok(Parameters {
            pairs,
            asked: Vec::new(),
            complaints: Complaints::default(),
        })
    }
}

impl Parameters {
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        self.asked.push(key);
        let (_, text) = self.pairs.iter().rev().find(|(name, _)| name == key)?;
        self.complaints.note(|| format!("?{key}"), read(text))
    }

    /// As [`Parameters::optional`], and complained of where it is missing.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        if !self.pairs.iter().any(|(name, _)| name == key) {
            return self.note(key, Err("is missing".into()));
        }
        self.optional(key, read)
    }

    /// All values of this name, in order.
    pub fn all(&mut self, key: &'static str) -> Vec<String> {
        self.asked.push(key);
        let named = self.pairs.iter().filter(|(name, _)| name == key);
        named.map(|(_, text)| text.clone()).collect()
    }

    /// The value, or `None` once its complaint is noted.
    pub fn note<T>(&mut self, key: &str, read: Result<T, Complaint>) -> Option<T> {
        self.complaints.note(|| format!("?{key}"), read)
    }

    pub fn limit(&mut self) -> usize {
        let read = |text: &str| match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
            _ => Err(format!("must be a number from 1 to {MAX_LIMIT}").into()),
        };
        self.optional("limit", read).unwrap_or(DEFAULT_LIMIT)
    }

    pub fn bounds(&mut self) -> Option<BoundingBox> {
        self.optional("bbox", bounding_box)
    }

    /// As [`Parameters::finish`] on a route of the reference: what its clients say besides is
    /// passed over.
    pub fn finish_as_reference(mut self) -> Result<(), Failure> {
        self.pass_over_others();
        self.finish()
    }

    /// The same, where the reference wants such mistakes to be a bad request.
    pub fn finish_as_bad_request(self) -> Result<(), Failure> {
        self.finish_as_reference().map_err(|failure| match failure {
            Failure::WrongFields(errors) => Failure::BadQuery(errors),
            other => other,
        })
    }

    /// What was not asked for is no mistake here.
    pub fn pass_over_others(&mut self) {
        let asked = &self.asked;
        self.pairs.retain(|(name, _)| asked.contains(&name.as_str()));
    }

    /// Tells of everything that was wrong, once all is read.
    pub fn finish(mut self) -> Result<(), Failure> {
        for (name, _) in &self.pairs {
            if !self.asked.contains(&name.as_str()) {
                let known = match &self.asked[..] {
                    [] => "is not known here; this route has no parameters".into(),
                    asked => format!("is not known here; known: {}", asked.join(", ")),
                };
                let name: String = discreet(name).chars().take(LONGEST_NAME).collect();
                self.complaints.add(format!("?{name}"), known);
            }
        }
        if self.complaints.is_empty() {
            Ok(())
        } else {
            Err(self.complaints.into_failure())
        }
    }
}

fn bounding_box(text: &str) -> Result<BoundingBox, Complaint> {
    const SHAPE: &str = "must be west,south,east,north in degrees";
    let mut degrees = [0.0; 4];
    let mut parts = text.split(',');
    for degree in &mut degrees {
        let part = parts.next().ok_or(SHAPE)?;
        *degree = part.trim().parse().map_err(|_| SHAPE)?;
    }
    if parts.next().is_some() {
        return Err(SHAPE.into());
    }
    let [west, south, east, north] = degrees;
    let on_globe = [west, east].iter().all(|lon| (-180.0..=180.0).contains(lon))
        && [south, north].iter().all(|lat| (-90.0..=90.0).contains(lat));
    if !on_globe {
        return Err("must lie within longitudes -180 to 180 and latitudes -90 to 90".into());
    }
    if west > east || south > north {
        return Err("must have west before east and south before north".into());
    }
    Ok(BoundingBox {
        west,
        south,
        east,
        north,
    })
}

/// The value of this name, spelt exactly.
pub fn one_of<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Complaint> {
    let found = all.iter().find(|value| name(**value) == text);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|value| name(*value)).collect();
        format!("must be one of {}", names.join(", ")).into()
    })
}
