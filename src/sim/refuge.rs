//! Where a drone goes that must come down soon: the nearest hub that it reaches, or the spot.

use super::air::Air;
use super::dispatch;
use super::flight::{self, Mission, Phase};
use super::geo::Point;
use super::ids::HubId;
use super::sky::Fix;
use super::world::{Model, World};

/// A drone in the air, and the air as it feels it.
#[derive(Clone, Copy)]
pub struct Plight<'a> {
    pub world: &'a World,
    pub air: Air<'a>,
    /// As it flies now.
    pub model: &'a Model,
    pub fix: Fix,
    pub payload_kg: f64,
}

/// What it is to do.
#[derive(Clone, Debug)]
pub enum Way {
    /// On the spot for a while, and to that hub if it hears nothing better.
    Wait(HubId, Mission),
    Divert(HubId, Mission),
    LandHere(Mission),
}

/// It waits so long for the weather to pass, seconds.
pub const WAIT_S: f64 = 30.0;
/// A little longer than until it is to look again.
const SPARE_S: f64 = 2.0;
/// Hubs that are tried, the nearest first.
const TRIES: usize = 16;

impl Plight<'_> {
    /// `may_wait`: the weather may pass, and it has not waited for that yet.
    pub fn way(&self, may_wait: bool) -> Way {
        let Some((hub, mission)) = self.nearest_hub(0.0) else {
            return Way::LandHere(self.land_here());
        };
        let waited = may_wait.then(|| self.nearest_hub(WAIT_S + SPARE_S)).flatten();
        match waited {
            Some((hub, mission)) => Way::Wait(hub, mission),
            None => Way::Divert(hub, mission),
        }
    }

    /// The nearest hub that its battery and the wind let it reach, after so many seconds on the
    /// spot. The reserve is for this.
    fn nearest_hub(&self, wait_s: f64) -> Option<(HubId, Mission)> {
        let numbered = self.world.hubs.iter().enumerate();
        let mut hubs: Vec<(f64, HubId)> = numbered
            .map(|(index, hub)| (hub.at.distance(self.fix.at), HubId(index as u16)))
            .filter(|(_, hub)| !self.world.roster.is_hub_withdrawn(*hub))
            .collect();
        hubs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        hubs.into_iter().take(TRIES).find_map(|(_, hub)| {
            let mission = self.plan_to(self.world.hub(hub).at, wait_s)?;
            let need_wh = dispatch::with_margin_wh(mission.energy_wh);
            (need_wh <= self.fix.energy_wh).then_some((hub, mission))
        })
    }

    fn plan_to(&self, at: Point, wait_s: f64) -> Option<Mission> {
        let (air, kg) = (&self.air, self.payload_kg);
        flight::plan_wait(
            self.model,
            air,
            self.fix.whereabouts(),
            wait_s,
            Phase::Hold,
            at,
            kg,
        )
        .ok()
    }

    /// Straight down.
    pub fn land_here(&self) -> Mission {
        flight::plan_landing(self.model, &self.air, self.fix.whereabouts(), self.payload_kg)
    }
}
