//! From a committed tick to what readers see: positions, events, and what follows from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::deliveries::{DeliveryRecord, Flight, Place};
use super::frame::Frame;
use super::{HubQueue, Now, Publication, View};
use crate::sim::event::{DeliveryEvent, DroneEvent, Event, Happening, HubEvent};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;

/// What a tick brought, and where.
struct Located {
    publication: Publication,
    frame: Frame,
    carriers: BTreeMap<DroneId, Place>,
}

impl Now {
    /// Makes room for all that is in a world that has become larger.
    fn grow(&mut self, world: &World) {
        self.drones.grow(world);
        self.hubs.resize(world.hubs.len(), HubQueue::default());
    }
}

impl View {
    /// Shows requests that are durable but not admitted yet.
    pub fn queue(&self, requested: impl IntoIterator<Item = (DeliveryId, Arc<Order>)>) {
        // Not the clock's lock, which is held for as long as a tick is being published.
        let since = self.world().time_of(*self.published.borrow());
        self.deliveries.queue(since, requested);
    }

    /// Shows a committed tick.
    pub fn publish(&self, publication: Publication) {
        let kept = publication.kept;
        let located = self.located(publication);
        let tick = {
            let mut now = self.now.write();
            self.hear(&mut now, located);
            now.tick
        };
        self.announce(tick, kept);
    }

    /// Shows the last of these ticks, which follow one another; the others, of which no positions
    /// were recorded, nobody sees by themselves.
    pub fn publish_last(&self, publications: impl IntoIterator<Item = Publication>) {
        let (tick, kept) = {
            let (mut now, mut kept) = (self.now.write(), None);
            for publication in publications {
                kept = kept.max(publication.kept);
                self.hear(&mut now, self.located(publication));
            }
            (now.tick, kept)
        };
        self.announce(tick, kept);
    }

    fn announce(&self, tick: Tick, kept: Option<Tick>) {
        if let Some(kept) = kept {
            self.kept(kept);
        }
        self.published.send_replace(tick);
    }

    /// With its frame, and where what happens to deliveries happens.
    fn located(&self, mut publication: Publication) -> Located {
        let airborne = std::mem::take(&mut publication.airborne);
        let frame = Frame::new(publication.tick, publication.at, airborne);
        Located {
            carriers: self.carriers(&publication.events, &frame),
            publication,
            frame,
        }
    }

    fn hear(&self, now: &mut Now, located: Located) {
        let Located {
            publication,
            frame,
            carriers,
        } = located;
        if !Arc::ptr_eq(&self.world(), &publication.world) {
            now.grow(&publication.world);
            self.world.store(publication.world);
        }
        now.tick = publication.tick;
        now.at = publication.at;
        now.digest = publication.digest;
        for (drone, route) in publication.routes {
            now.routes.plan(drone, route);
        }
        for (drone, grounded) in publication.grounded {
            if grounded.is_some() {
                now.routes.ended(drone);
            }
            now.drones.set_grounded(drone, grounded);
        }
        for (drone, health) in publication.healths {
            now.drones.set_health(drone, health);
        }
        let mut log = self.log.write();
        for event in publication.events {
            self.apply(now, &event, &carriers);
            log.append(event);
        }
        for (drone, battery) in publication.lost_with {
            now.drones.set_lost_with(drone, battery);
        }
        now.frame = Arc::new(frame.among(now.drones.roll()));
    }

    /// Where the drones are that these events' deliveries have, as far as they are in the air.
    fn carriers(&self, events: &[Arc<Event>], frame: &Frame) -> BTreeMap<DroneId, Place> {
        let drone_of = |event: &Arc<Event>| match &event.happening {
            Happening::Delivery(_, DeliveryEvent::Assigned { drone, .. }) => Some(*drone),
            Happening::Delivery(id, _) => self.with_delivery(*id, DeliveryRecord::drone)?,
            Happening::Drone(..)
            | Happening::Hub(..)
            | Happening::Supervisor(_)
            | Happening::Account(_)
            | Happening::Package(_) => None,
        };
        frame.places_of(events.iter().filter_map(drone_of))
    }

    fn apply(&self, now: &mut Now, event: &Arc<Event>, carriers: &BTreeMap<DroneId, Place>) {
        match &event.happening {
            Happening::Delivery(id, kind) => {
                let drone = match kind {
                    DeliveryEvent::Assigned { drone, .. } => Some(*drone),
                    _ => self.with_delivery(*id, DeliveryRecord::drone).flatten(),
                };
                let standing = |drone| {
                    let hub = now.drones.stands_at(drone)?;
                    Some(Place::on_ground(self.world().hub(hub).location))
                };
                let carrier =
                    drone.and_then(|drone| carriers.get(&drone).copied().or_else(|| standing(drone)));
                let Some((delivery, change)) = self.deliveries.apply(*id, event, carrier) else {
                    return;
                };
                if change.drone_before != change.drone {
                    if let Some(before) = change.drone_before {
                        now.drones.carries(before, None);
                    }
                    if let Some(drone) = change.drone {
                        now.drones.carries(drone, Some(*id));
                    }
                }
                let record = delivery.look();
                self.sums.hear(&self.world(), &record, event);
                self.sums
                    .weigh(&self.world(), change.weight_before, change.weight);
                now.pulse.hear(&self.world(), &record);
            }
            Happening::Drone(id, kind) => {
                if let DroneEvent::Lost { location, .. } = kind {
                    now.drones.set_lost(*id, *location);
                    now.routes.ended(*id);
                }
                if let DroneEvent::Withdrawn = kind {
                    now.drones.goes(&self.world(), *id);
                }
                now.drones.set_seq(*id, event.seq);
                self.follow_flight(now, *id, kind, event.at);
            }
            Happening::Supervisor(kind) => now.supervision.apply(kind),
            Happening::Account(event) => self.accounts.apply(event),
            Happening::Package(stored) => self.packages.apply(stored),
            Happening::Hub(id, kind) => {
                let hub = &mut now.hubs[id.index()];
                hub.seq = event.seq;
                match kind {
                    HubEvent::QueueChanged { charging, queued } => {
                        (hub.queues.charging, hub.queues.queued) = (*charging, *queued);
                    }
                    HubEvent::QueuesChanged(queues) => hub.queues = *queues,
                    HubEvent::Closed { until } => hub.closed_until = Some(*until),
                    HubEvent::Opened => hub.closed_until = None,
                    HubEvent::GroundStopped { model, breach } => {
                        hub.ground_stops.retain(|(stopped, _)| stopped != model);
                        hub.ground_stops.push((*model, *breach));
                    }
                    HubEvent::GroundStopLifted { model } => {
                        hub.ground_stops.retain(|(stopped, _)| stopped != model);
                    }
                    HubEvent::Added => {}
                    HubEvent::Withdrawn => hub.is_gone = true,
                }
            }
        }
    }

    /// Books a flight for a delivery to that delivery, and its account, once it is over.
    fn follow_flight(&self, now: &mut Now, drone: DroneId, kind: &DroneEvent, at: SimTime) {
        let flight = match kind {
            DroneEvent::TakenOff { delivery, .. } => {
                if let Some(before) = now.drones.comes_down(drone) {
                    self.deliveries.came_down(before, drone, None);
                }
                if let Some(delivery) = delivery {
                    now.drones.flies_for(drone, *delivery);
                    self.deliveries.took_off(*delivery, drone);
                }
                return;
            }
            DroneEvent::Landed {
                energy_wh,
                distance_m,
                airborne_s,
                ..
            }
            | DroneEvent::Lost {
                energy_wh,
                distance_m,
                airborne_s,
                ..
            } => Flight {
                drone,
                ended: at,
                energy_wh: *energy_wh,
                distance_m: *distance_m,
                airborne_s: *airborne_s,
            },
            _ => return,
        };
        let Some(delivery) = now.drones.comes_down(drone) else {
            return;
        };
        if let Some(delivery) = self.deliveries.came_down(delivery, drone, Some(flight)) {
            self.sums.book(&self.world(), &delivery.look(), &flight);
        }
    }
}
