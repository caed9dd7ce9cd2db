//! What a letter says.

use serde::Serialize;

use super::Letter;
use crate::sim::notice::{Addressee, Moment};
use crate::sim::world::World;
use crate::wire::time::rfc3339;

pub fn subject(moment: Moment) -> &'static str {
    match moment {
        Moment::OnItsWay => "Your delivery is on its way",
        Moment::AwaitingConfirmation => "Your delivery is at the door",
        Moment::Completed => "Your delivery has arrived",
        Moment::Cancelled => "Your delivery was cancelled",
        Moment::Failed => "Your delivery could not be made",
    }
}

/// One short paragraph, good for a mail and for a text message.
pub fn text(letter: &Letter, world: &World) -> String {
    let notice = &letter.notice;
    let said = match notice.moment {
        Moment::OnItsWay => "has been picked up and is on its way",
        Moment::AwaitingConfirmation => "is at the door; please confirm that you take it",
        Moment::Completed => "has arrived",
        Moment::Cancelled => "was cancelled",
        Moment::Failed => "could not be made",
    };
    let (id, at) = (notice.delivery, rfc3339(world, notice.at));
    format!("Delivery {id} {said} ({at}).")
}

/// The body of a web hook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookBody<'a> {
    /// The same however often the letter is tried: drop what was seen before.
    pub id: u64,
    pub kind: &'static str,
    pub delivery_id: String,
    pub sim_time: String,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<&'a str>,
}

pub fn hook_body<'a>(letter: &'a Letter, world: &World) -> HookBody<'a> {
    let notice = &letter.notice;
    let (email, sms) = match &notice.to {
        Addressee::Email(address) => (Some(address.as_str()), None),
        Addressee::Sms(number) => (None, Some(number.as_str())),
    };
    HookBody {
        id: letter.number,
        kind: notice.moment.as_str(),
        delivery_id: notice.delivery.to_string(),
        sim_time: rfc3339(world, notice.at),
        text: text(letter, world),
        email,
        sms,
    }
}
