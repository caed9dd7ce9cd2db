//! Sessions' own moments: how many one client may have, and under which name each is read over
//! HTTP as long as its session looks at it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Router;
use parking_lot::{Mutex, RwLock};

use crate::auth::{Client, Viewer};
use crate::view::View;

/// Of the sixteen that there are, so that nobody takes all.
pub(super) const MOMENTS_EACH: usize = 4;
/// Nobody guesses so many.
const NAME_BYTES: usize = 16;

/// All that are looked at now.
#[derive(Default)]
pub struct Moments(Mutex<Open>);

#[derive(Default)]
struct Open {
    by_name: BTreeMap<String, Arc<Moment>>,
    shares: BTreeMap<Client, usize>,
}

/// One of them.
pub struct Moment {
    view: Arc<View>,
    looker: Looker,
    /// Once somebody came by it.
    door: OnceLock<Router>,
}

/// Whose session looks at it: nobody else reads it, whoever told them its name.
#[derive(Clone)]
pub struct Looker(Arc<RwLock<Viewer>>);

impl Looker {
    pub fn is(&self, viewer: &Viewer) -> bool {
        *self.0.read() == *viewer
    }
}

impl Moment {
    /// The routes before it, which are made when they are first asked for.
    pub fn door(&self, make: impl FnOnce(&Arc<View>, &Looker) -> Router) -> Router {
        let door = self.door.get_or_init(|| make(&self.view, &self.looker));
        door.clone()
    }
}

/// A client's right to one moment, until it is dropped.
pub(super) struct Share {
    moments: Arc<Moments>,
    client: Client,
}

impl Drop for Share {
    fn drop(&mut self) {
        let shares = &mut self.moments.0.lock().shares;
        if let Some(taken) = shares.get_mut(&self.client) {
            *taken -= 1;
            if *taken == 0 {
                shares.remove(&self.client);
            }
        }
    }
}

/// A moment that is read by its name, until this is dropped.
pub(super) struct Pass {
    name: String,
    looker: Looker,
    share: Share,
}

impl Pass {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The session is another's from now on.
    pub(super) fn hand_to(&self, viewer: &Viewer) {
        *self.looker.0.write() = viewer.clone();
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.share.moments.0.lock().by_name.remove(&self.name);
    }
}

impl Moments {
    /// `None` where this client has as many as one may have.
    pub(super) fn share(self: &Arc<Self>, client: Client) -> Option<Share> {
        let mut open = self.0.lock();
        let taken = open.shares.entry(client.clone()).or_default();
        if *taken >= MOMENTS_EACH {
            return None;
        }
        *taken += 1;
        Some(Share {
            moments: Arc::clone(self),
            client,
        })
    }

    /// `None` where the system gives no random bytes for a name.
    pub(super) fn open(&self, view: &Arc<View>, viewer: &Viewer, share: Share) -> Option<Pass> {
        let name = name()?;
        let looker = Looker(Arc::new(RwLock::new(viewer.clone())));
        let moment = Moment {
            view: Arc::clone(view),
            looker: looker.clone(),
            door: OnceLock::new(),
        };
        self.0.lock().by_name.insert(name.clone(), Arc::new(moment));
        Some(Pass { name, looker, share })
    }

    pub fn find(&self, name: &str) -> Option<Arc<Moment>> {
        self.0.lock().by_name.get(name).cloned()
    }
}

fn name() -> Option<String> {
    let mut bytes = [0; NAME_BYTES];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random bytes for the name of a moment");
        return None;
    }
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Client {
        Client::Account(name.to_owned())
    }

    #[test]
    fn nobody_takes_more_than_their_share_and_what_is_let_go_of_is_free() {
        let moments = Arc::new(Moments::default());
        let mut ada: Vec<Share> = (0..MOMENTS_EACH)
            .map(|_| moments.share(account("ada")).unwrap())
            .collect();
        assert!(moments.share(account("ada")).is_none());
        let grace = moments.share(account("grace")).expect("her own share");
        drop(ada.pop());
        let again = moments.share(account("ada"));
        assert!(again.is_some() && moments.share(account("ada")).is_none());
        drop((ada, again, grace));
        assert!(
            moments.0.lock().shares.is_empty(),
            "nothing is kept of who is gone"
        );
    }

    #[test]
    fn names_are_long_and_never_the_same() {
        let names = [name(), name()].map(Option::unwrap);
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() == 2 * NAME_BYTES));
    }
}
