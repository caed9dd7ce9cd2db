//! Who is not in the air at one beat: drones at their hubs, lost ones, and those that have
//! taken off since. A hub's drones are read and written when somebody looks at its cell, so
//! that a full message of a part of the city costs what stands in that part.

use std::ops::Range;
use std::sync::OnceLock;

use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::view::{AsOf, Standing};
use crate::wire::stream::Encoding;
use crate::wire::stream::positions::{Row, Rows};

use super::grid::{Cell, Cells, Grid};
use super::layer::Layer;

pub(super) struct Ground {
    as_of: AsOf,
    hubs: Vec<AtHub>,
    /// Lost, or taken off since the beat: few, and anywhere.
    strays: Layer,
}

struct AtHub {
    cell: Cell,
    drones: Vec<DroneId>,
    /// Written at the first look.
    layer: OnceLock<Layer>,
}

/// Where drones are that are not in the air, and what is told of them.
pub(super) trait Rolls {
    fn standing(&self) -> Standing;
    fn hub_at(&self, index: usize) -> LatLon;
    fn rows_of(&self, drones: &[DroneId], as_of: AsOf) -> Vec<(Cell, Row)>;
}

impl Ground {
    /// Leaves out those that are in the air, as the beat has it.
    pub(super) fn new(
        grid: &Grid,
        rolls: &impl Rolls,
        as_of: AsOf,
        is_airborne: impl Fn(DroneId) -> bool,
    ) -> Self {
        let Standing { at_hubs, elsewhere } = rolls.standing();
        let at_hub = |(index, drones): (usize, Vec<DroneId>)| AtHub {
            cell: grid.cell_of(rolls.hub_at(index)),
            drones,
            layer: OnceLock::new(),
        };
        let hubs = at_hubs.into_iter().enumerate().map(at_hub).collect();
        let strays: Vec<_> = elsewhere
            .into_iter()
            .filter(|drone| !is_airborne(*drone))
            .collect();
        Ground {
            as_of,
            hubs,
            strays: Layer::sorted(rolls.rows_of(&strays, as_of)),
        }
    }

    /// The rows within these cells.
    pub(super) fn within<'a>(
        &'a self,
        cells: &'a Cells,
        encoding: Encoding,
        rolls: &'a impl Rolls,
        is_airborne: impl Fn(DroneId) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a Rows, Range<usize>)> {
        let hubs = self.hubs.iter().filter(|hub| cells.contain(hub.cell));
        let layers = hubs.map(move |hub| hub.layer(rolls, self.as_of, &is_airborne));
        let layers = layers.chain(std::iter::once(&self.strays));
        layers.flat_map(move |layer| layer.within(cells, encoding))
    }
}

impl AtHub {
    fn layer(&self, rolls: &impl Rolls, as_of: AsOf, is_airborne: impl Fn(DroneId) -> bool) -> &Layer {
        self.layer.get_or_init(|| {
            let drones: Vec<_> = self
                .drones
                .iter()
                .copied()
                .filter(|drone| !is_airborne(*drone))
                .collect();
            Layer::sorted(rolls.rows_of(&drones, as_of))
        })
    }
}
