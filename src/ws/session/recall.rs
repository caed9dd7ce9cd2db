//! Deliveries that ended long ago: they come from the archive before they are followed, and
//! the client's next word waits for that. Beats go on meanwhile.

use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context};

use super::{CustomerSession, Farewell, Session};
use crate::sim::ids::DeliveryId;
use crate::view::archive::Unread;
use crate::wire::stream::ErrorCode;
use crate::wire::stream::client::{Refused, Subscribe, Topic};

impl Session {
    /// The delivery that it is about, where that is not in memory.
    pub(super) fn past(&self, request: &Subscribe) -> Option<DeliveryId> {
        match request.topic {
            Topic::Delivery(id) if self.shared.view.handle(id).is_none() => Some(id),
            _ => None,
        }
    }

    pub(super) fn recall(
        &self,
        delivery: DeliveryId,
        request: Subscribe,
        context: &mut Context<CustomerSession>,
    ) {
        let view = self.shared.view.clone();
        let found = async move { view.find(delivery).await };
        let then = move |found: Result<_, Unread>, actor: &mut CustomerSession, _: &mut _| {
            let mut session = actor.0.lock();
            if !matches!(session.farewell, Farewell::NotYet) {
                return;
            }
            // What was found stays in memory until it is followed.
            let id = request.id;
            let followed = match &found {
                Ok(_) => session.subscribe(request),
                Err(unread) => Err(Refused::new(id, code_of(*unread), unread.to_string())),
            };
            if let Err(refused) = followed {
                session.refuse(&refused);
            }
            session.speak();
        };
        context.wait(wrap_future::<_, CustomerSession>(found).map(then));
    }
}

fn code_of(unread: Unread) -> ErrorCode {
    match unread {
        // To be tried again later.
        Unread::Busy | Unread::Unavailable => ErrorCode::RateLimited,
        Unread::Moved(_) => ErrorCode::NotFound,
    }
}
