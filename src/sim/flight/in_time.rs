//! Flights that are over before a zone begins that leaves them no way from then on.

use super::super::air::Air;
use super::{Infeasible, Mission};

/// A flight that is over so long before a zone begins keeps out of it though it comes late, seconds.
const BEFORE_ZONE_S: f64 = 60.0;

/// A plan that keeps off the zones that are announced; where these leave none, one that keeps off
/// those in force, if it is over before the next begins.
///
/// # Errors
/// Why there is no plan.
pub fn plan_in_time(
    air: &Air<'_>,
    plan: impl Fn(&Air<'_>) -> Result<Mission, Infeasible>,
) -> Result<Mission, Infeasible> {
    let planned = plan(air);
    if !matches!(planned, Err(Infeasible::NoWay)) {
        return planned;
    }
    let Some((until_then, seconds)) = air.before_next_zone() else {
        return planned;
    };
    let sooner = plan(&until_then).ok();
    let sooner = sooner.filter(|mission| mission.landing_s + BEFORE_ZONE_S <= seconds);
    sooner.map_or(planned, Ok)
}
