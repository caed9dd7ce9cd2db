//! From a URL to an open store: whose it is, its format, and starting over.

use std::sync::Arc;

use super::line::Line;
use super::link::Link;
use super::location::Location;
use super::schema::{self, Held};
use super::trouble::Trouble;
use super::{PostgresStore, TO_MOVE_MUCH, undo};
use crate::store::rules::new_epoch;
use crate::store::{Epoch, Identity, SNAPSHOT_FORMATS, StoreError};

/// Opens the store in the database of this URL, for this process alone; the tables are made
/// where there are none.
///
/// With `fresh` the store's own tables are replaced by those of an empty one whose epoch is
/// above the old; others are never touched.
///
/// # Errors
/// `BadLocation`, `Locked`, `OtherWorld`, `NewerFormat`, `OtherSnapshot`, `NotAStore`, `Unwritable`,
/// `Corrupt`, and the retryable ones.
pub fn open(url: &str, identity: &Identity, fresh: bool) -> Result<PostgresStore, StoreError> {
    let line = Arc::new(Line::new(Location::parse(url)?)?);
    let opened = line.link().and_then(|mut link| {
        let place = &line.location.words;
        let (epoch, opening) = line.wait(TO_MOVE_MUCH, move_in(&mut link, place, identity, fresh))?;
        Ok((link, epoch, opening))
    });
    let (link, epoch, opening) = opened.map_err(|trouble| line.told(trouble))?;
    Ok(PostgresStore {
        line,
        link: Some(link),
        identity: *identity,
        epoch,
        opening,
    })
}

/// Makes sure that this world's store is there, in the newest format; answers with its epoch
/// and which opening this is.
async fn move_in(
    link: &mut Link,
    place: &str,
    identity: &Identity,
    fresh: bool,
) -> Result<(Epoch, i64), Trouble> {
    let client = link.client();
    match schema::read_format(client, place).await? {
        None => schema::create(client, identity, new_epoch()).await?,
        Some(_) if fresh => {
            let epoch = match schema::read_world(client).await {
                Ok(held) => new_epoch().max(held.epoch.next()),
                Err(trouble) => match trouble.told(place) {
                    error @ StoreError::Corrupt { .. } => {
                        tracing::warn!(%error, "the old store's epoch cannot be read, the new one's is the time of day");
                        new_epoch()
                    }
                    error => return Err(error.into()),
                },
            };
            schema::create(client, identity, epoch).await?;
        }
        Some(found) => {
            check(link, place, identity, found).await?;
            schema::migrate(link.client(), found).await?;
            undo::put_back(link).await?;
        }
    }
    let client = link.client();
    let opening = schema::count_opening(client).await?;
    let epoch = schema::read_world(client).await?.epoch;
    link.get_ready().await?;
    Ok((epoch, opening))
}

/// Before anything is rewritten.
async fn check(link: &Link, place: &str, identity: &Identity, found: i64) -> Result<(), Trouble> {
    let place = || place.to_owned();
    if found > schema::FORMAT {
        return Err(StoreError::NewerFormat {
            place: place(),
            found,
            known: schema::FORMAT,
        }
        .into());
    }
    let Held { identity: held, .. } = schema::read_world(link.client()).await?;
    if held != *identity {
        return Err(StoreError::OtherWorld {
            place: place(),
            held,
            asked: *identity,
        }
        .into());
    }
    match schema::read_snapshot_format(link.client()).await? {
        Some(found) if !SNAPSHOT_FORMATS.contains(&found) => Err(StoreError::OtherSnapshot {
            place: place(),
            found,
        }
        .into()),
        _ => Ok(()),
    }
}
