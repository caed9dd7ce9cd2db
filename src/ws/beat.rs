//! What a beat brings: for each rate tier that somebody wants the newest positions and
//! what changed since the tier's last beat, and gauges once a second. Made once, shared
//! by all sessions.

use std::sync::{Arc, OnceLock};

use crate::sim::ids::HubId;
use crate::view::View;
use crate::view::reading::{ClockReading, FleetReading, HubReading};

use super::layer::{Changes, Positions};
use super::tier::{Interested, Tier};

pub(super) struct Beat {
    /// Each tier's newest beat, this one or an earlier; `None` while nobody wants it.
    pub(super) tiers: [Option<Arc<TierBeat>>; Tier::ALL.len()],
    pub(super) gauges: Arc<Gauges>,
}

pub(super) struct TierBeat {
    /// One more than the tier's last; more than one more where `changes` do not lead on
    /// from it.
    pub(super) number: u64,
    pub(super) positions: Arc<Positions>,
    pub(super) changes: Changes,
}

/// Readings for the gauges of this second, taken at the first look.
pub(super) struct Gauges {
    pub(super) number: u64,
    fleet: OnceLock<FleetReading>,
    hubs: OnceLock<(ClockReading, Vec<HubReading>)>,
}

impl Gauges {
    pub(super) fn new(number: u64) -> Self {
        Gauges {
            number,
            fleet: OnceLock::new(),
            hubs: OnceLock::new(),
        }
    }

    pub(super) fn fleet(&self, view: &View) -> FleetReading {
        *self.fleet.get_or_init(|| view.fleet())
    }

    pub(super) fn hub(&self, view: &View, hub: HubId) -> (ClockReading, HubReading) {
        let (clock, hubs) = self.hubs.get_or_init(|| view.hubs_at_once());
        (*clock, hubs[hub.index()])
    }
}

/// A subscription's place among its tier's beats.
pub(super) struct Rate {
    interested: Interested,
    seen: Option<u64>,
}

/// A beat that a subscription has not had yet.
pub(super) struct Look {
    pub(super) beat: Arc<TierBeat>,
    /// Everything must be told, not only what changed.
    pub(super) full: bool,
    /// Beats that went by unseen.
    pub(super) skipped: u64,
}

impl Rate {
    pub(super) fn new(interested: Interested) -> Self {
        Rate {
            interested,
            seen: None,
        }
    }

    pub(super) fn tier(&self) -> Tier {
        self.interested.tier()
    }

    /// The next look sees everything.
    pub(super) fn start_over(&mut self) {
        self.seen = None;
    }

    /// `None` where there is nothing new.
    pub(super) fn look(&mut self, beat: &Beat) -> Option<Look> {
        let newest = beat.tiers[self.interested.tier() as usize].as_ref()?;
        let seen = self.seen.replace(newest.number);
        if seen == Some(newest.number) {
            return None;
        }
        Some(Look {
            beat: Arc::clone(newest),
            full: seen.is_none_or(|seen| seen + 1 != newest.number),
            skipped: seen.map_or(0, |seen| newest.number - seen - 1),
        })
    }
}
