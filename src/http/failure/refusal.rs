//! What a refused write looks like from outside.

use axum::http::StatusCode;

use super::{DEFAULT_RETRY, Failure, Shape};
use crate::sim::command::Objection;
use crate::view::commands::Refusal;
use crate::view::recordings::NotRecording;

pub(super) fn shape_of(refusal: &Refusal) -> Shape {
    use StatusCode as S;
    let (status, slug, title, retry_after) = match refusal {
        Refusal::Full { retry_after } => (
            S::SERVICE_UNAVAILABLE,
            "full",
            "Too many requests wait already",
            Some(*retry_after),
        ),
        Refusal::Busy { retry_after } => (
            S::SERVICE_UNAVAILABLE,
            "busy",
            "The clock is asked too much at once",
            Some(*retry_after),
        ),
        Refusal::Objected(Objection::NoEffect) => {
            (S::CONFLICT, "no-effect", "The fault changed nothing", None)
        }
        Refusal::Objected(Objection::Ended) => (S::CONFLICT, "ended", "The delivery has ended", None),
        Refusal::Objected(Objection::PickedUp) => (S::CONFLICT, "picked-up", "Too late", None),
        Refusal::Objected(Objection::NotWaiting) => {
            (S::CONFLICT, "not-waiting", "Nobody waits for that", None)
        }
        Refusal::Objected(Objection::WrongConfirmation) => (
            S::UNPROCESSABLE_ENTITY,
            "wrong-confirmation",
            "Not the kind that is required",
            None,
        ),
        Refusal::Objected(Objection::Busy) => (S::CONFLICT, "busy", "Too much at once", None),
        Refusal::Objected(Objection::TooManyContacts) => {
            (S::CONFLICT, "too-many-contacts", "Enough are told", None)
        }
        Refusal::Objected(Objection::NoDeadLetter) => {
            (S::CONFLICT, "no-dead-letter", "Nothing is held for it", None)
        }
        Refusal::Objected(Objection::AccountExists) => {
            (S::CONFLICT, "account-exists", "There is one already", None)
        }
        Refusal::Objected(Objection::AccountsFull) => (S::CONFLICT, "accounts-full", "No room", None),
        Refusal::Objected(Objection::NoSuchAccount) => (S::NOT_FOUND, "unknown-id", "No such thing", None),
        Refusal::Objected(Objection::MayNotOrder) => {
            (S::CONFLICT, "may-not-order", "The account does not order", None)
        }
        Refusal::Objected(Objection::TooManyChanges) => (S::CONFLICT, "too-many-changes", "Enough", None),
        Refusal::Objected(Objection::NotCarried) => (S::CONFLICT, "not-carried", "Not taken", None),
        Refusal::Objected(Objection::PackagesFull) => (S::CONFLICT, "packages-full", "No room", None),
        Refusal::Objected(Objection::NoSuchDrone | Objection::NoSuchHub | Objection::NoSuchZone) => {
            (S::NOT_FOUND, "unknown-id", "No such thing", None)
        }
        Refusal::Objected(Objection::NoSuchModel | Objection::OutsideArea | Objection::KeyReused) => (
            S::UNPROCESSABLE_ENTITY,
            "wrong-fields",
            "Some fields are wrong or missing",
            None,
        ),
        Refusal::Objected(Objection::HubExists) => {
            (S::CONFLICT, "hub-exists", "There is one already, or was", None)
        }
        Refusal::Objected(Objection::ZoneExists) => {
            (S::CONFLICT, "zone-exists", "There is one already", None)
        }
        Refusal::Objected(Objection::HubWithdrawn) => {
            (S::CONFLICT, "hub-withdrawn", "The hub is withdrawn", None)
        }
        Refusal::Objected(Objection::HubHasDrones) => {
            (S::CONFLICT, "hub-has-drones", "Drones belong to the hub", None)
        }
        Refusal::Objected(Objection::Stumbled) => {
            (S::INTERNAL_SERVER_ERROR, "internal", "A bug in the server", None)
        }
        Refusal::Objected(Objection::RosterFull) => (S::CONFLICT, "roster-full", "No room", None),
        Refusal::StoreGone { retry_after } => (
            S::SERVICE_UNAVAILABLE,
            "store-gone",
            "Nothing can be stored",
            Some(*retry_after),
        ),
        Refusal::ShuttingDown => (
            S::SERVICE_UNAVAILABLE,
            "shutting-down",
            "Shutting down",
            Some(DEFAULT_RETRY),
        ),
        Refusal::NotPaused => (S::CONFLICT, "not-paused", "Not paused", None),
        Refusal::Paused => (S::CONFLICT, "paused", "Paused", None),
        Refusal::Live => (S::CONFLICT, "live", "Not a recording", None),
        Refusal::Recorded | Refusal::Beside => (S::CONFLICT, "recorded", "A recording", None),
        Refusal::Backwards => (S::CONFLICT, "live", "Not a recording", None),
        Refusal::TickPassed { .. } => (S::CONFLICT, "tick-passed", "That tick has passed", None),
    };
    Shape {
        status,
        slug,
        title,
        retry_after,
    }
}

impl From<NotRecording> for Failure {
    fn from(not_recording: NotRecording) -> Self {
        Failure::NotRecording(not_recording)
    }
}

/// Of a recording that does not begin, or end.
pub(super) fn shape_of_recording(why: &NotRecording) -> Shape {
    use StatusCode as S;
    let (status, slug, title, retry_after) = match why {
        NotRecording::NoFolder => (S::CONFLICT, "no-folder", "No place for it", None),
        NotRecording::Exists { .. } => (S::CONFLICT, "recording-exists", "There is one already", None),
        NotRecording::Busy { .. } => (S::CONFLICT, "already-recording", "One at a time", None),
        NotRecording::Unwritable(_) => (
            S::SERVICE_UNAVAILABLE,
            "recording-unwritable",
            "Nothing can be written",
            Some(DEFAULT_RETRY),
        ),
    };
    Shape {
        status,
        slug,
        title,
        retry_after,
    }
}
