//! How a branch may differ from the world that it goes on from.

use crate::sim::world::World;

use super::origin::{NoWorld, Origin};

/// What may be otherwise from some moment on: all else is in the state.
const CHANGEABLE: [&str; 6] = [
    "demand",
    "dispatch",
    "recipient",
    "third_party",
    "weather",
    "workflow",
];

/// # Errors
/// Words about which keys change in a world that is under way, where this one does not.
pub fn check(key: &str) -> Result<(), String> {
    let table = key.split_once('.').map(|(table, _)| table);
    if table.is_some_and(|table| CHANGEABLE.contains(&table)) {
        return Ok(());
    }
    let keys = CHANGEABLE.join(", ");
    Err(format!("only keys of {keys} change in a world that is under way"))
}

/// What the branch is of, and the world that it has, where that is another.
///
/// # Errors
/// Values that make no scenario.
pub fn of(origin: &Origin, set: &[(String, String)]) -> Result<(Origin, Option<World>), NoWorld> {
    // It may go on from a recording of an earlier format.
    let origin = origin.anew();
    if set.is_empty() {
        return Ok((origin, None));
    }
    let origin = origin.with(set)?;
    let world = origin.world()?;
    Ok((origin, Some(world)))
}
