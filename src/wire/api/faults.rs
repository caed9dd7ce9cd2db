//! Faults: what may be broken from outside.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `rotor_out` and `battery_cell` break a drone in the air, once (the rotor is mended when it is on
/// the ground; the cell is lost for good, unless the hub swaps batteries); `hub_closed` keeps a
/// hub's drones on the ground, for a while or until another one says for how long; `link_lost`
/// lets a drone in the air hover for the duration, and without one fly home;
/// `carrier_down` keeps third-party transport from taking jobs; `step_fail` and `step_slow` strike
/// the owner of a workflow's step; `actor_panic` strikes an actor; `wind_shift` makes the true wind
/// another, around its target or everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"kind": "hub_closed", "target": "mission", "duration": "10m"}))]
pub struct FaultRequest {
    pub kind: FaultKind,
    /// The id of a drone or of a hub, a step, or a kind of actor; `carrier_down` needs none, and takes `third_party`;
    /// `wind_shift` needs none, and takes a hub or the name of a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `us`, `ms`, `s`, `m` or `h` of simulated time; not for what happens once.
    /// Without it the hub stays closed until another `hub_closed` says when it opens, and the
    /// carrier does not take the next job that it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// For `step_fail` only; `fail` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FaultMode>,
    /// For `wind_shift` only: of the mean at 10 m, m/s. As it is, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// For `wind_shift` only: where it comes from, degrees clockwise from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultMode {
    /// The step is not done.
    #[default]
    Fail,
    /// It is done, and nobody hears of it.
    AnswerLost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    RotorOut,
    BatteryCell,
    LinkLost,
    HubClosed,
    CarrierDown,
    StepFail,
    StepSlow,
    ActorPanic,
    WindShift,
}

/// The fault as it was brought about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InjectedFault {
    #[serde(flatten)]
    pub fault: FaultRequest,
    /// The tick that brought it about.
    pub tick: u64,
    pub sim_time: String,
}
