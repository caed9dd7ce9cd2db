//! Events of hubs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::sim::event::{HubEvent, HubQueues};
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::wire::hub::GroundStop;
use crate::wire::time::rfc3339;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum HubKind {
    QueueChanged {
        /// Drones that charge.
        charging: u32,
        /// Drones that wait for a charger.
        queued: u32,
        /// Drones in the air that wait for a pad to land on.
        holding: u32,
        /// Drones on the ground that have a delivery, or a way home, and wait to leave.
        departing: u32,
        /// So many landings so far found no pad in time, and were made beside them.
        #[serde(rename = "besidePads")]
        beside_pads: u32,
    },
    Closed {
        /// Null where it stays closed until another `hub_closed` says when it opens.
        /// RFC 3339, simulated.
        #[schema(required)]
        until: Option<String>,
    },
    Opened,
    /// An operator added it.
    Added,
    /// An operator withdrew it, and the last of its drones has left the world.
    Withdrawn,
    /// The forecast is more than drones of this type may fly in: none of them takes off, who waits
    /// for a pad neither.
    GroundStopped(GroundStop),
    GroundStopLifted {
        model: String,
    },
}

pub(super) fn hub_kind(world: &World, event: &HubEvent) -> HubKind {
    match event {
        HubEvent::QueueChanged { charging, queued } => queue_kind(&HubQueues {
            charging: *charging,
            queued: *queued,
            ..HubQueues::default()
        }),
        HubEvent::QueuesChanged(queues) => queue_kind(queues),
        HubEvent::Closed { until } => HubKind::Closed {
            until: (*until != SimTime::NEVER).then(|| rfc3339(world, *until)),
        },
        HubEvent::Opened => HubKind::Opened,
        HubEvent::Added => HubKind::Added,
        HubEvent::Withdrawn => HubKind::Withdrawn,
        HubEvent::GroundStopped { model, breach } => {
            HubKind::GroundStopped(GroundStop::new(world, *model, *breach))
        }
        HubEvent::GroundStopLifted { model } => HubKind::GroundStopLifted {
            model: world.model(*model).key.clone(),
        },
    }
}

fn queue_kind(queues: &HubQueues) -> HubKind {
    HubKind::QueueChanged {
        charging: queues.charging,
        queued: queues.queued,
        holding: queues.holding,
        departing: queues.departing,
        beside_pads: queues.beside_pads,
    }
}
