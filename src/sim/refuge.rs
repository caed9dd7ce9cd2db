//! Where a drone goes that must come down soon: the nearest hub that it reaches, or the spot.

use super::air::Air;
use super::dispatch;
use super::flight::{self, Mission, Phase};
use super::geo::Point;
use super::ids::HubId;
use super::sky::Fix;
use super::weather::Conditions;
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
    /// On the spot for a while, to look again then.
    Wait(Mission),
    Divert(HubId, Mission),
    LandHere(Mission),
}

/// What it may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It must come down as soon as it can.
    None,
    /// For a hub to be within reach again.
    UntilReached,
    /// For that, and once for the weather to pass, though a hub is.
    Once,
}

/// It waits so long for the weather to pass, seconds.
pub const WAIT_S: f64 = 30.0;
/// A little longer than until it is to look again.
const SPARE_S: f64 = 2.0;
/// Hubs that are tried, the nearest first.
const TRIES: usize = 16;

impl Plight<'_> {
    pub fn way(&self, patience: Patience) -> Way {
        let energy_wh = self.fix.energy_wh;
        let reached = self.nearest_hub(0.0, energy_wh);
        match (reached, patience) {
            (Some((hub, mission)), Patience::Once) => match self.nearest_hub(WAIT_S + SPARE_S, energy_wh) {
                Some((_, waited)) => Way::Wait(waited),
                None => Way::Divert(hub, mission),
            },
            (Some((hub, mission)), _) => Way::Divert(hub, mission),
            (None, Patience::UntilReached | Patience::Once) if self.can_hold() => {
                Way::Wait(self.land_after(WAIT_S + SPARE_S))
            }
            (None, _) => Way::LandHere(self.land_here()),
        }
    }

    /// Whether its battery is enough to stay a while, and then for a hub in a calm, unless no
    /// way leads to any.
    fn can_hold(&self) -> bool {
        let energy_wh = self.fix.energy_wh;
        let calm = Plight {
            air: self.air.felt(Conditions::default()),
            ..*self
        };
        let stays_wh = dispatch::with_margin_wh(self.land_after(WAIT_S + SPARE_S).energy_wh);
        let is_enough = || calm.nearest_hub(WAIT_S + SPARE_S, energy_wh).is_some();
        stays_wh <= energy_wh && (is_enough() || calm.nearest_hub(0.0, f64::INFINITY).is_none())
    }

    /// The nearest hub that so much energy and the wind let it reach, after so many seconds on
    /// the spot. The reserve is for this.
    fn nearest_hub(&self, wait_s: f64, energy_wh: f64) -> Option<(HubId, Mission)> {
        let numbered = self.world.hubs.iter().enumerate();
        let mut hubs: Vec<(f64, HubId)> = numbered
            .map(|(index, hub)| (hub.at.distance(self.fix.at), HubId(index as u16)))
            .filter(|(_, hub)| !self.world.roster.is_hub_withdrawn(*hub))
            .collect();
        let nearer = |a: &(f64, HubId), b: &(f64, HubId)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if hubs.len() > TRIES {
            hubs.select_nth_unstable_by(TRIES, nearer);
            hubs.truncate(TRIES);
        }
        hubs.sort_unstable_by(nearer);
        hubs.into_iter().find_map(|(_, hub)| {
            let mission = self.plan_to(self.world.hub(hub).at, wait_s)?;
            let need_wh = dispatch::with_margin_wh(mission.energy_wh);
            (need_wh <= energy_wh).then_some((hub, mission))
        })
    }

    fn plan_to(&self, at: Point, wait_s: f64) -> Option<Mission> {
        let (from, kg) = (self.fix.whereabouts(), self.payload_kg);
        let planned = flight::plan_in_time(&self.air, |air| {
            flight::plan_wait(self.model, air, from, wait_s, Phase::Hold, at, kg)
        });
        planned.ok()
    }

    /// Straight down.
    pub fn land_here(&self) -> Mission {
        self.land_after(0.0)
    }

    fn land_after(&self, seconds: f64) -> Mission {
        let (from, kg) = (self.fix.whereabouts(), self.payload_kg);
        flight::plan_landing(self.model, &self.air, from, seconds, kg)
    }
}
