//! Which drones there are, of which type, and where they live.

use super::diagnostic::{At, Log};
use super::document::{self, Document};
use super::fields::suggest;
use super::model;
use crate::sim::ageing;
use crate::sim::catalogue;
use crate::sim::ids::{HubId, ModelId};
use crate::sim::world::{Fleet, Model};

pub(super) struct OwnModel {
    name: At<String>,
    /// `None` after a mistake in it.
    model: Option<Model>,
}

/// `None` where it cannot be told which there are.
pub(super) fn build_own_models(document: &Document, log: &mut Log) -> Option<Vec<OwnModel>> {
    let build = |(name, keys): &(At<String>, At<model::ModelKeys>)| OwnModel {
        name: name.clone(),
        model: model::lower(&name.value, keys, log),
    };
    let own: Vec<OwnModel> = document.models.as_ref()?.iter().map(build).collect();
    let flown = |name: &str| {
        let fleets = document.fleets.iter().flat_map(|fleets| &fleets.value);
        fleets
            .filter_map(|fleet| fleet.value.model.as_ref())
            .any(|model| model.value == name)
    };
    for model in &own {
        if !flown(&model.name.value) {
            log.warn(
                &model.name.span,
                format!("no fleet flies the drone type `{}`", model.name.value),
                "name it in a [[fleet]], or leave it out",
            );
        }
    }
    Some(own)
}

pub(super) fn build_fleets(
    document: &Document,
    own_models: Option<Vec<OwnModel>>,
    log: &mut Log,
) -> Option<(Vec<Fleet>, Vec<Model>)> {
    let fleets = document.fleets.as_ref()?;
    let hub_ids: Vec<&str> = (document.hubs.iter().flat_map(|hubs| &hubs.value))
        .map(|hub| hub.value.id.as_ref().map_or("", |id| id.value.as_str()))
        .collect();
    let mut models: Vec<Model> = Vec::new();
    let mut built = Vec::new();
    for fleet in &fleets.value {
        let hub = fleet
            .value
            .hub
            .as_ref()
            .and_then(|hub| find_hub(hub, &hub_ids, log));
        let model = fleet
            .value
            .model
            .as_ref()
            .and_then(|key| find_model(key, own_models.as_deref(), &mut models, log));
        let count = fleet.value.count.as_ref();
        if let (Some(hub), Some(model), Some(count)) = (hub, model, count) {
            let count = u32::try_from(count.value).ok()?;
            built.push(Fleet {
                hub,
                model,
                count,
                aloft: fleet.value.aloft,
                cycles: cycles_behind(&fleet.value, &models[model.index()], log),
            });
        }
    }
    let drones: u64 = built.iter().map(|fleet| u64::from(fleet.count)).sum();
    if drones > document::MOST_DRONES {
        log.error(
            &fleets.span,
            format!("there are {drones} drones"),
            format!("keep to {} in all", document::MOST_DRONES),
        );
    }
    (built.len() == fleets.value.len()).then_some((built, models))
}

/// The fewest and the most; a mistake is read as none.
fn cycles_behind(fleet: &document::Fleet, model: &Model, log: &mut Log) -> (f64, f64) {
    let Some(cycles) = &fleet.cycles else {
        return (0.0, 0.0);
    };
    let (Some(min), Some(max)) = (&cycles.value.min, &cycles.value.max) else {
        return (0.0, 0.0);
    };
    if min.value > max.value {
        log.error(
            &min.span,
            format!(
                "the fewest cycles ({}) are more than the most ({})",
                min.value, max.value
            ),
            "exchange them",
        );
    }
    let battery = &model.battery;
    if battery.cycles_to_80.is_none() || battery.swap_s.is_some() {
        log.warn(
            &cycles.span,
            format!("batteries of `{}` do not age", model.key),
            "give the type a `battery.cycles_to_80` and no `swap`, or leave `cycles` out",
        );
    }
    let left = |cycles: f64| ageing::health_after(battery, 1.0, cycles * battery.capacity_wh);
    let who = match (
        left(min.value) <= battery.reserve,
        left(max.value) <= battery.reserve,
    ) {
        (true, _) => Some("all"),
        (false, true) => Some("some"),
        (false, false) => None,
    };
    if let Some(who) = who {
        log.warn(
            &cycles.span,
            format!("{who} batteries of this fleet hold no more than the reserve from the start"),
            "give fewer cycles",
        );
    }
    (min.value, max.value)
}

fn find_hub(hub: &At<String>, ids: &[&str], log: &mut Log) -> Option<HubId> {
    let index = ids.iter().position(|id| *id == hub.value);
    // An id that could not be read may be the one that is meant.
    if index.is_none() && !ids.is_empty() && !ids.contains(&"") {
        let remedy = suggest(&hub.value, ids.iter().copied());
        log.missing(&hub.span, format!("there is no hub \"{}\"", hub.value), remedy);
    }
    u16::try_from(index?).ok().map(HubId)
}

/// The file's own types come before the catalogue's, so that a file may change one.
fn find_model(
    key: &At<String>,
    own: Option<&[OwnModel]>,
    models: &mut Vec<Model>,
    log: &mut Log,
) -> Option<ModelId> {
    if let Some(index) = models.iter().position(|model| model.key == key.value) {
        return u16::try_from(index).ok().map(ModelId);
    }
    let of_file = own.unwrap_or_default().iter();
    let model = match of_file.clone().find(|own| own.name.value == key.value) {
        Some(own) => own.model.clone(),
        None => catalogue::model(&key.value).or_else(|| {
            // One that could not be read may be the one that is meant.
            let own = own?.iter().map(|own| own.name.value.as_str());
            let remedy = suggest(&key.value, catalogue::keys().iter().copied().chain(own));
            let message = format!("there is no drone type \"{}\"", key.value);
            log.missing(&key.span, message, remedy);
            None
        }),
    };
    models.push(model?);
    u16::try_from(models.len() - 1).ok().map(ModelId)
}
