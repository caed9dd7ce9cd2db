//! A plan's outline: where it leads and when, for whoever draws it. Nothing is flown by it.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::super::geo::Point;
use super::{FlightPlan, Milestone, Path};

/// Arcs are drawn with a corner at least this often, radians.
const CORNER_RAD: f64 = PI / 12.0;

/// What a part of a mission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stretch {
    ToPickup,
    ToDropoff,
    Home,
}

impl Stretch {
    /// In the order of flight.
    pub const ALL: [Stretch; 3] = [Stretch::ToPickup, Stretch::ToDropoff, Stretch::Home];
}

/// What happens at a corner of the outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// A way-point of the route: the course changes.
    Turn,
    Reached(Milestone),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corner {
    pub at: Point,
    pub height_m: f64,
    /// From the plan's start.
    pub after_s: f64,
    /// Of the line that leads here.
    pub stretch: Stretch,
    pub mark: Option<Mark>,
}

impl FlightPlan {
    /// The plan as corners joined by straight lines, from its start on.
    pub fn outline(&self) -> Vec<Corner> {
        let mut stretch = self.first_stretch();
        let (at, height_m) = self.start();
        let mut corners = vec![Corner {
            at,
            height_m,
            after_s: 0.0,
            stretch,
            mark: None,
        }];
        let mut begun_s = 0.0;
        for (index, leg) in self.legs().iter().enumerate() {
            let pieces = pieces(&leg.path);
            for piece in 1..=pieces {
                let share = f64::from(piece) / f64::from(pieces);
                let (at, height_m) = leg.path.at(leg.path.length() * share);
                let mark = match leg
                    .milestone
                    .filter(|milestone| piece == pieces && *milestone != Milestone::OverHub)
                {
                    Some(milestone) => Some(Mark::Reached(milestone)),
                    None => self.turns(index, piece * 2 == pieces).then_some(Mark::Turn),
                };
                corners.push(Corner {
                    at,
                    height_m,
                    after_s: begun_s + leg.duration_s * share,
                    stretch,
                    mark,
                });
            }
            begun_s += leg.duration_s;
            match leg.milestone {
                Some(Milestone::PickedUp) => stretch = Stretch::ToDropoff,
                Some(Milestone::Delivered) => stretch = Stretch::Home,
                Some(Milestone::Landed | Milestone::OverHub) | None => {}
            }
        }
        corners
    }

    fn first_stretch(&self) -> Stretch {
        let ahead = |milestone| self.legs().iter().any(|leg| leg.milestone == Some(milestone));
        if ahead(Milestone::PickedUp) {
            Stretch::ToPickup
        } else if ahead(Milestone::Delivered) {
            Stretch::ToDropoff
        } else {
            Stretch::Home
        }
    }

    /// Whether a way-point is here: in the middle of a fly-by arc, or where the drone stops
    /// between two lines.
    fn turns(&self, leg: usize, in_the_middle: bool) -> bool {
        let is_line = |path: &Path| matches!(path, Path::Line { .. });
        let path = &self.legs()[leg].path;
        let next = self.legs().get(leg + 1);
        path.is_turn() && in_the_middle || is_line(path) && next.is_some_and(|next| is_line(&next.path))
    }
}

/// Straight lines that stand for a path; an even number for an arc, so that it has a middle.
fn pieces(path: &Path) -> u32 {
    match path {
        Path::Arc { sweep_rad, .. } => 2 * (sweep_rad.abs() / (2.0 * CORNER_RAD)).ceil().max(1.0) as u32,
        Path::Line { .. }
        | Path::Vertical { .. }
        | Path::Hold { .. }
        | Path::Slope { .. }
        | Path::Stop { .. }
        | Path::Bend { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::route::Route;
    use super::super::{Itinerary, plan_along, plan_return};
    use super::*;
    use crate::sim::air::Air;
    use crate::sim::airspace::OPEN;
    use crate::sim::catalogue;
    use crate::sim::time::SimTime;
    use crate::sim::weather::Weather;

    static CALM: Weather = Weather::steady(0.0, 0.0, 1.225);

    fn calm() -> Air<'static> {
        Air::forecast(&CALM, &OPEN, 0, SimTime::START)
    }

    fn point(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    #[test]
    fn an_outline_leads_through_every_way_point_at_the_plans_own_times() {
        let model = catalogue::model("wing").unwrap();
        let (hub, shop, home) = (point(0.0, 0.0), point(2_000.0, 0.0), point(0.0, 3_000.0));
        let mut to_dropoff = Route::direct(shop, point(4_000.0, 2_000.0));
        to_dropoff.via = vec![point(4_000.0, 0.0)];
        let itinerary = Itinerary {
            to_pickup: Some(Route::direct(hub, shop)),
            home: Route::direct(to_dropoff.to, home),
            to_dropoff,
            payload_kg: 0.5,
        };
        let mission = plan_along(&model, &calm(), &itinerary).unwrap();
        let corners = mission.plan.outline();

        assert!(corners.is_sorted_by(|a, b| a.after_s <= b.after_s && a.stretch <= b.stretch));
        let marks: Vec<_> = corners
            .iter()
            .filter_map(|corner| corner.mark.map(|mark| (mark, corner)))
            .collect();
        let kinds: Vec<_> = marks.iter().map(|(mark, _)| *mark).collect();
        let reached = Mark::Reached;
        assert_eq!(
            kinds,
            [
                reached(Milestone::PickedUp),
                Mark::Turn,
                reached(Milestone::Delivered),
                reached(Milestone::Landed)
            ]
        );
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(marks[0].1.after_s, mission.pickup_s) && marks[0].1.at.distance(shop) < 1.0);
        assert!(close(marks[2].1.after_s, mission.delivery_s));
        assert!(close(marks[3].1.after_s, mission.landing_s) && marks[3].1.at.distance(home) < 1.0);
        assert_eq!((marks[3].1.height_m, marks[3].1.stretch), (0.0, Stretch::Home));
        let turn = marks[1].1;
        assert!(
            turn.at.distance(point(4_000.0, 0.0)) < 150.0,
            "a fly-by passes near: {turn:?}"
        );
        assert_eq!(turn.stretch, Stretch::ToDropoff);
    }

    #[test]
    fn a_way_home_is_nothing_else() {
        let model = catalogue::model("wing").unwrap();
        let mission = plan_return(&model, &calm(), point(900.0, 0.0), point(0.0, 0.0)).unwrap();
        assert!(
            mission
                .plan
                .outline()
                .iter()
                .all(|corner| corner.stretch == Stretch::Home)
        );
    }
}
