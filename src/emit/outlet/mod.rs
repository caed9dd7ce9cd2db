//! Where records go: one file a kind of destination.

mod destination;
mod http;
mod mqtt;
mod nats;
mod ndjson;

pub use destination::{BadDestination, Destination};

use super::tally::Sent;
use super::{Record, What};

/// Nobody is there, or nobody lets us in.
#[derive(Debug, thiserror::Error)]
#[error("{to} cannot be used: {why}")]
pub struct Unreachable {
    /// Without what could be a password.
    pub to: String,
    pub why: String,
}

/// Nobody takes records any more.
pub struct Broken;

pub enum Outlet {
    Ndjson(ndjson::Lines),
    Http(http::Poster),
    Mqtt(mqtt::Publisher),
    Nats(nats::Publisher),
}

impl Outlet {
    pub async fn open(to: &Destination, what: What, batch: usize) -> Result<Self, Unreachable> {
        let opened = match to {
            Destination::Ndjson(place) => ndjson::Lines::open(place).map(Outlet::Ndjson),
            Destination::Http(target) => http::Poster::open(target, what, batch).await.map(Outlet::Http),
            Destination::Mqtt(broker) => mqtt::Publisher::open(broker).await.map(Outlet::Mqtt),
            Destination::Nats(broker) => nats::Publisher::open(broker).await.map(Outlet::Nats),
        };
        opened.map_err(|why| Unreachable {
            to: to.to_string(),
            why,
        })
    }

    /// Answers when there is room for more.
    pub async fn send(&mut self, records: Vec<Record>) -> Result<Sent, Broken> {
        match self {
            Outlet::Ndjson(lines) => lines.send(&records).await,
            Outlet::Http(poster) => Ok(poster.send(records).await),
            Outlet::Mqtt(publisher) => publisher.send(records).await,
            Outlet::Nats(publisher) => publisher.send(records).await,
        }
    }

    /// Answers when all is on its way.
    pub async fn close(self) -> Result<Sent, Broken> {
        match self {
            Outlet::Ndjson(lines) => lines.close().await,
            Outlet::Http(_) => Ok(Sent::default()),
            Outlet::Mqtt(publisher) => publisher.close().await,
            Outlet::Nats(publisher) => publisher.close().await,
        }
    }
}
