//! The task that makes beats and tells every session of them.
//!
//! A beat follows each published tick at once, but there are at most ten a second of wall
//! time (ticks in between are conflated) and at least one, so that watchers of a paused
//! world hear that it is still there; what a single step brings waits for none of these. Sessions
//! are only told that there is a beat; what they do not look at in time they never see, and nothing
//! waits for them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::time::Tick;
use crate::view::reading::DroneReading;
use crate::view::{AsOf, Standing};
use crate::wire::stream::positions::Row;
use crate::wire::time::rfc3339;

use super::Shared;
use super::beat::{Beat, Gauges, TierBeat};
use super::grid::Cell;
use super::ground::Rolls;
use super::layer::{Changes, OnGround, Positions};
use super::shard::{BeatMade, Leave, Listener};
use super::tier::{LastBeat, SLOTS_PER_SECOND, Tier};
use crate::view::shown;

const SLOT: Duration = Duration::from_millis(1000 / SLOTS_PER_SECOND);
/// So many slots a beat may be early. Ticks that come ten a second then go out as they come,
/// wherever in a slot that is, and a late one does not hold up the next.
const EARLY: u32 = 1;
const LONGEST_SILENCE: Duration = Duration::from_secs(1);

pub(super) struct FanOut {
    shared: Arc<Shared>,
    audience: Audience,
    tiers: [TierState; Tier::ALL.len()],
    gauges: Arc<Gauges>,
    gauged_in: u64,
    beats: u64,
    epoch: u64,
}

/// Who is told of a beat.
pub(super) enum Audience {
    /// Every shard, for its sessions.
    All,
    /// The one session that looks at this; it is on the same thread.
    One(Listener),
}

#[derive(Default)]
struct TierState {
    /// The tier's last beat, when and what; `None` while nobody wants it.
    last: Option<(LastBeat, Arc<TierBeat>)>,
    number: u64,
}

impl FanOut {
    pub(super) fn new(shared: Arc<Shared>, audience: Audience) -> Self {
        FanOut {
            epoch: shared.view.clock().epoch,
            shared,
            audience,
            tiers: Default::default(),
            gauges: Arc::new(Gauges::new(0)),
            gauged_in: 0,
            beats: 0,
        }
    }

    /// Runs until the server shuts down, then bids every session farewell.
    pub(super) async fn run(mut self) {
        let mut published = self.shared.view.published();
        let mut closing = self.shared.house.closing.clone();
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => {}
            () = self.keep_beating(&mut published) => {}
        }
        if let Audience::All = self.audience {
            for shard in &self.shared.house.shards {
                shard.sessions.do_send(Leave);
            }
        }
    }

    async fn keep_beating(&mut self, published: &mut watch::Receiver<Tick>) {
        let start = Instant::now();
        let (mut next_slot, mut last) = (1, start);
        // Set anew when it rings, not with each beat: each setting is a wake-up more.
        let mut silence = pin!(sleep_until(start + LONGEST_SILENCE));
        loop {
            tokio::select! {
                changed = published.changed() => if changed.is_err() { return },
                () = self.shared.interest.woken() => {}
                () = &mut silence => {
                    let due = last + LONGEST_SILENCE;
                    if due > Instant::now() && self.owes().is_none() {
                        silence.as_mut().reset(due);
                        continue;
                    }
                }
            }
            let due = start + SLOT * (next_slot - EARLY);
            if due > Instant::now() {
                sleep_until(due).await;
            }
            last = Instant::now();
            if silence.is_elapsed() {
                silence.as_mut().reset(last + LONGEST_SILENCE);
            }
            published.mark_unchanged();
            let slot = next_slot.max((start.elapsed().as_millis() / SLOT.as_millis()) as u32);
            next_slot = slot + 1;
            self.beat(slot.into());
            // With the next tick, usually; a single step has none.
            let owed = self.owes().map(|slot| start + SLOT * (slot as u32 + 1));
            if let Some(owed) = owed.filter(|owed| *owed < silence.deadline()) {
                silence.as_mut().reset(owed);
            }
        }
    }

    /// The first slot in which a tier may tell the newest frame, of those that have not.
    fn owes(&self) -> Option<u64> {
        let tick = self.shared.view.frame().tick();
        let owed = Tier::ALL.into_iter().filter_map(|tier| {
            let (last, _) = self.tiers[tier as usize].last.as_ref()?;
            last.owes(tier, tick)
        });
        owed.min()
    }

    fn beat(&mut self, slot: u64) {
        // Before anything is read: what is shown is of this epoch, or newer.
        let epoch = self.shared.view.clock().epoch;
        if std::mem::replace(&mut self.epoch, epoch) != epoch {
            self.tiers.iter_mut().for_each(TierState::forget);
        }
        let (mut positions, tick) = (None, self.shared.view.frame().tick());
        for tier in Tier::ALL {
            if !self.shared.interest.is_any(tier) {
                self.tiers[tier as usize].forget();
            } else if self.tiers[tier as usize].is_due(tier, slot, tick) {
                let positions = positions.get_or_insert_with(|| self.positions());
                self.fire(tier, (slot, tick), positions.clone());
            }
        }
        if slot / SLOTS_PER_SECOND > self.gauged_in / SLOTS_PER_SECOND {
            self.gauged_in = slot;
            self.gauges = Arc::new(Gauges::new(self.gauges.number + 1));
        }
        let newest = |state: &TierState| state.last.as_ref().map(|(_, beat)| Arc::clone(beat));
        self.beats += 1;
        let beat = Beat {
            epoch,
            number: self.beats,
            slot,
            tiers: self.tiers.each_ref().map(newest),
            gauges: Arc::clone(&self.gauges),
        };
        *self.shared.newest.write() = Arc::new(beat);
        self.shared.house.telemetry.beat();
        self.tell();
    }

    fn tell(&self) {
        match &self.audience {
            Audience::All => {
                for shard in &self.shared.house.shards {
                    // One that has not passed on the last beat yet passes on this one instead.
                    let _ = shard.sessions.try_send(BeatMade(Arc::clone(&self.shared)));
                }
            }
            Audience::One(listener) => {
                let beat = Arc::clone(&self.shared.newest.read());
                if let Some(letter) = listener.speak_at(&self.shared, &beat, Instant::now()) {
                    letter.deliver(&mut Vec::new());
                }
            }
        }
    }

    fn positions(&self) -> Arc<Positions> {
        let view = &self.shared.view;
        let frame = view.frame();
        let sim_time = rfc3339(&view.world(), frame.at());
        Arc::new(Positions::new(&self.shared.grid, &frame, sim_time))
    }

    fn fire(&mut self, tier: Tier, (slot, tick): (u64, Tick), positions: Arc<Positions>) {
        let state = &self.tiers[tier as usize];
        let changes = match &state.last {
            Some((_, last)) => Changes::between(&last.positions, &positions, self.shared.as_ref()),
            None => Changes::default(),
        };
        let state = &mut self.tiers[tier as usize];
        state.number += 1;
        let beat = TierBeat {
            number: state.number,
            positions,
            changes,
        };
        let before = state.last.as_ref().map(|(last, _)| *last);
        state.last = Some((LastBeat::after(before, slot, tick), Arc::new(beat)));
    }
}

impl Shared {
    /// The row, at a moment, of a drone that was not in the air then.
    pub(super) fn row_on_ground(&self, drone: DroneId, as_of: AsOf) -> Option<(Cell, Row)> {
        self.rows_of(&[drone], as_of).pop()
    }
}

impl Rolls for Shared {
    fn standing(&self) -> Standing {
        self.view.standing()
    }

    fn hub_at(&self, index: usize) -> LatLon {
        self.view.world().hubs[index].location
    }

    /// The view may be some ticks ahead.
    fn rows_of(&self, drones: &[DroneId], as_of: AsOf) -> Vec<(Cell, Row)> {
        let drones = self.view.drones_as_of(drones, as_of);
        let row = |drone: &DroneReading| (self.grid.cell_of(drone.location), shown::row(drone));
        drones.iter().map(row).collect()
    }
}

impl OnGround for Shared {
    fn came_down(&self, drone: DroneId, now: AsOf) -> Option<(Cell, Row)> {
        self.row_on_ground(drone, now)
    }

    fn took_off_from(&self, drone: DroneId, before: AsOf) -> Option<Cell> {
        let hub = self.view.stood_at(drone, before)?;
        Some(self.grid.cell_of(self.view.world().hub(hub).location))
    }

    fn gone_from(&self, from: usize) -> Vec<(DroneId, Cell)> {
        let gone = self.view.gone_from(from).into_iter();
        gone.map(|(drone, at)| (drone, self.grid.cell_of(at))).collect()
    }
}

impl TierState {
    fn is_due(&self, tier: Tier, slot: u64, tick: Tick) -> bool {
        let last = self.last.as_ref();
        last.is_none_or(|(last, _)| last.is_due(tier, slot, tick))
    }

    fn forget(&mut self) {
        if self.last.take().is_some() {
            // Whoever saw the last beat must not take the next one for its sequel.
            self.number += 1;
        }
    }
}
