//! What a beat brings: for each rate tier that somebody wants the newest positions and
//! what changed since the tier's last beat, and gauges once a second. Made once, shared
//! by all sessions.

use std::sync::{Arc, OnceLock};

use crate::sim::ids::HubId;
use crate::sim::time::Tick;
use crate::view::View;
use crate::view::reading::{ClockReading, FleetReading, HubReading};

use super::grid::{Cell, Grid};
use super::lag::Level;
use super::layer::{Changes, Positions};
use super::tier::{Interest, Interested, Tier};
use crate::wire::time::rfc3339;

pub(super) struct Beat {
    /// Of the world that it shows.
    pub(super) epoch: u64,
    /// One more than the last.
    pub(super) number: u64,
    /// When, in slots of the fan-out.
    pub(super) slot: u64,
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
    density: OnceLock<Density>,
}

/// How many drones fly in each cell that has any, in order of cells.
pub(super) struct Density {
    pub(super) tick: Tick,
    pub(super) sim_time: String,
    pub(super) counts: Vec<(Cell, u32)>,
}

impl Density {
    fn of(view: &View, grid: &Grid) -> Self {
        let frame = view.frame();
        let mut cells: Vec<_> = frame.rows().iter().map(|row| grid.cell_of(row.at)).collect();
        cells.sort_unstable();
        let runs = cells.chunk_by(|one, other| one == other);
        Density {
            tick: frame.tick(),
            sim_time: rfc3339(&view.world(), frame.at()),
            counts: runs.map(|run| (run[0], run.len() as u32)).collect(),
        }
    }
}

impl Gauges {
    pub(super) fn new(number: u64) -> Self {
        Gauges {
            number,
            fleet: OnceLock::new(),
            hubs: OnceLock::new(),
            density: OnceLock::new(),
        }
    }

    pub(super) fn fleet(&self, view: &View) -> FleetReading {
        *self.fleet.get_or_init(|| view.fleet())
    }

    pub(super) fn density(&self, view: &View, grid: &Grid) -> &Density {
        self.density.get_or_init(|| Density::of(view, grid))
    }

    /// `None` where the reading is older than the hub.
    pub(super) fn hub(&self, view: &View, hub: HubId) -> Option<(ClockReading, HubReading)> {
        let (clock, hubs) = self.hubs.get_or_init(|| view.hubs_at_once());
        Some((*clock, hubs.get(hub.index())?.clone()))
    }
}

/// A subscription's place among its tier's beats.
pub(super) struct Rate {
    wanted: Tier,
    /// In the tier that it gets.
    interested: Interested,
    level: Level,
    seen: Option<u64>,
    /// Number and slot of the last beat that was told.
    told: Option<(u64, u64)>,
    /// Beats of the wanted rate that were left out since the last word of pressure.
    folded: u64,
}

/// A beat that a subscription has not had yet.
pub(super) struct Look<'a> {
    pub(super) beat: &'a TierBeat,
    /// Everything must be told, not only what changed.
    pub(super) full: bool,
    /// Beats that went by unseen.
    pub(super) skipped: u64,
}

impl Rate {
    pub(super) fn new(interest: &Arc<Interest>, wanted: Tier) -> Self {
        Rate {
            wanted,
            interested: interest.in_tier(wanted),
            level: Level::Fine,
            seen: None,
            told: None,
            folded: 0,
        }
    }

    pub(super) fn wanted(&self) -> Tier {
        self.wanted
    }

    /// Another rate, from a full message on.
    pub(super) fn want(&mut self, interest: &Arc<Interest>, wanted: Tier) {
        self.wanted = wanted;
        self.follow_tier(interest);
        self.start_over();
    }

    /// Less, or more again, than was wanted. Answers with the most beats a second from
    /// now on, and how many were left out since the last time.
    pub(super) fn limit(&mut self, interest: &Arc<Interest>, level: Level, beat: &Beat) -> (f64, u64) {
        self.level = level;
        self.follow_tier(interest);
        let conflated = self.folded + self.passed(beat);
        self.folded = 0;
        self.told = Some((beat.number, beat.slot));
        (self.interested.tier().hz(), conflated)
    }

    fn follow_tier(&mut self, interest: &Arc<Interest>) {
        let tier = self.level.tier(self.wanted);
        if tier != self.interested.tier() {
            self.interested = interest.in_tier(tier);
            self.seen = None;
        }
    }

    /// Beats of the wanted rate since the last one that was told.
    fn passed(&self, beat: &Beat) -> u64 {
        self.told.map_or(0, |(number, slot)| {
            let due = beat.slot / self.wanted.slots() - slot / self.wanted.slots();
            due.min(beat.number - number)
        })
    }

    /// Beats of another show follow.
    pub(super) fn look_at(&mut self, interest: &Arc<Interest>) {
        self.interested = interest.in_tier(self.interested.tier());
        (self.seen, self.told, self.folded) = (None, None, 0);
    }

    /// The next look sees everything.
    pub(super) fn start_over(&mut self) {
        self.seen = None;
    }

    /// `None` where there is nothing new.
    pub(super) fn look<'a>(&mut self, beat: &'a Beat) -> Option<Look<'a>> {
        let newest = beat.tiers[self.interested.tier() as usize].as_ref()?;
        let seen = self.seen.replace(newest.number);
        if seen == Some(newest.number) {
            return None;
        }
        self.folded += self.passed(beat).saturating_sub(1);
        self.told = Some((beat.number, beat.slot));
        let leads_on = seen.is_some_and(|seen| seen + 1 == newest.number);
        Some(Look {
            beat: newest,
            full: !leads_on || self.level == Level::SnapshotsOnly,
            skipped: seen.map_or(0, |seen| newest.number - seen - 1),
        })
    }
}
