//! Takes letters out of the outbox, and sees each to its end.
//!
//! Bounds: [`IN_HAND`] letters are held at a time, of which [`AT_ONCE`] are under way; the
//! rest waits in the store. One that was tried in vain is put down until it is due again, so
//! that those which come to nothing do not keep the others from being taken up; so many may be
//! put down, [`PUT_DOWN`], beyond that they stay in hand. A letter is tried [`TRIES`] times, over
//! about a day and a half, and then given up, with a line in the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::settings::Hook;
use super::{Letter, Settings, SettingsError, Telemetry, Undelivered, hook, mail};
use crate::sim::notice::Addressee;
use crate::sim::world::World;
use crate::store::Writer;

/// Letters that are held at a time.
pub(super) const IN_HAND: usize = 1_000;
/// Letters that wait in the outbox for another try at a time.
const PUT_DOWN: usize = 100_000;
/// Letters that are under way at a time.
const AT_ONCE: usize = 16;
/// After so many a letter is given up.
const TRIES: u32 = 20;
/// Between the first try and the second; each later pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);
/// Between two looks into a store that does not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub struct Courier {
    world: Arc<World>,
    store: Writer,
    ways: Arc<Ways>,
    telemetry: Arc<Telemetry>,
    /// Letters in hand that are not under way, by when they are due and their number.
    due: BTreeMap<(Instant, u64), Held>,
    in_hand: usize,
    /// Letters that were put down, by when they are due and their number, and how often they were
    /// tried.
    put_down: BTreeMap<(Instant, u64), u32>,
    /// Number of the last letter that was taken out.
    taken_through: u64,
}

struct Held {
    letter: Letter,
    /// Tries so far.
    tries: u32,
}

/// How letters may leave.
struct Ways {
    mail: Option<(mail::Transport, lettre::message::Mailbox)>,
    hook: Option<(hook::Client, Hook)>,
}

impl Courier {
    /// # Errors
    /// A mail server whose address cannot be read, or no HTTP client to be had.
    pub fn new(
        world: Arc<World>,
        store: Writer,
        settings: Settings,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, SettingsError> {
        let mail = match settings.mail {
            Some(settings) => {
                let transport = mail::transport(&settings).map_err(|_| SettingsError::MailServer)?;
                Some((transport, settings.from))
            }
            None => None,
        };
        let hook = match settings.hook {
            Some(settings) => Some((hook::client().map_err(|_| SettingsError::NoClient)?, settings)),
            None => None,
        };
        Ok(Courier {
            world,
            store,
            ways: Arc::new(Ways { mail, hook }),
            telemetry,
            due: BTreeMap::new(),
            in_hand: 0,
            put_down: BTreeMap::new(),
            taken_through: 0,
        })
    }

    /// Works until the server closes. What is not delivered by then is found again at the
    /// next start.
    pub async fn run(mut self, mut closed: watch::Receiver<bool>) {
        let mut posted = self.store.watch_posted();
        let mut under_way = FuturesUnordered::new();
        loop {
            let is_outbox_read = self.take_up().await && self.take_out().await;
            while under_way.len() < AT_ONCE
                && let Some(held) = self.next_due()
            {
                let (ways, world) = (Arc::clone(&self.ways), Arc::clone(&self.world));
                under_way.push(async move { (ways.send(&held.letter, &world).await, held) });
            }
            self.telemetry.set_in_hand(self.in_hand);
            let next = self.wakes_at(is_outbox_read, under_way.len());
            tokio::select! {
                Some((result, held)) = under_way.next() => self.tried(result, held).await,
                () = sleep_until(next) => {}
                Ok(()) = posted.changed(), if self.in_hand < IN_HAND => {}
                () = until(&mut closed) => return,
            }
        }
    }

    /// Those that were put down and are due now; whether the outbox could be read.
    async fn take_up(&mut self) -> bool {
        while self.in_hand < IN_HAND
            && let Some(first) = self.put_down.first_entry()
            && first.key().0 <= Instant::now()
        {
            let (due, number) = *first.key();
            let Ok(found) = self.store.outbox(number - 1, 1).await else {
                return false;
            };
            let tries = self.put_down.remove(&(due, number)).unwrap_or_default();
            let found = found.into_iter().find(|(found, _)| *found == number);
            if let Some((number, notice)) = found {
                let letter = Letter { number, notice };
                self.hold(due, Held { letter, tries });
                self.in_hand += 1;
            }
        }
        true
    }

    /// Fills the hand; whether the outbox could be read.
    async fn take_out(&mut self) -> bool {
        let room = IN_HAND - self.in_hand;
        if room == 0 || *self.store.watch_posted().borrow() <= self.taken_through {
            return true;
        }
        let Ok(letters) = self.store.outbox(self.taken_through, room).await else {
            return false;
        };
        let now = Instant::now();
        for (number, notice) in letters {
            self.taken_through = number;
            let letter = Letter { number, notice };
            self.hold(now, Held { letter, tries: 0 });
            self.in_hand += 1;
        }
        true
    }

    fn hold(&mut self, due: Instant, held: Held) {
        self.due.insert((due, held.letter.number), held);
    }

    fn next_due(&mut self) -> Option<Held> {
        let first = self.due.first_entry()?;
        let (due, _) = *first.key();
        (due <= Instant::now()).then(|| first.remove())
    }

    /// When there is something to do without anybody calling.
    fn wakes_at(&self, is_outbox_read: bool, under_way: usize) -> Instant {
        let now = Instant::now();
        let far = now + LONGEST_PAUSE;
        let store = if is_outbox_read { far } else { now + STORE_PAUSE };
        let letter = match self.due.first_key_value() {
            Some(((due, _), _)) if under_way < AT_ONCE => *due,
            _ => far,
        };
        let put_down = match self.put_down.first_key_value() {
            Some(((due, _), _)) if self.in_hand < IN_HAND => *due,
            _ => far,
        };
        letter.min(put_down).min(store)
    }

    async fn tried(&mut self, result: Result<(), Undelivered>, held: Held) {
        let tries = held.tries + 1;
        let (number, delivery) = (held.letter.number, held.letter.notice.delivery);
        match result {
            Ok(()) => self.telemetry.count_delivered(),
            Err(Undelivered::ForNow(cause)) if tries < TRIES => {
                self.telemetry.count_retried();
                let pause = pause_after(tries);
                tracing::warn!(number, %delivery, tries, cause, again_in = ?pause, "a notice was not delivered");
                let due = Instant::now() + pause;
                if self.put_down.len() >= PUT_DOWN {
                    return self.hold(due, Held { tries, ..held });
                }
                self.put_down.insert((due, number), tries);
                self.in_hand -= 1;
                return;
            }
            Err(Undelivered::ForNow(cause) | Undelivered::ForGood(cause)) => {
                self.telemetry.count_given_up();
                tracing::error!(number, %delivery, tries, cause, "a notice is given up");
            }
        }
        // Where the store does not take it, the letter is found again at the next start.
        if self.store.take_off_outbox(number).await.is_err() {
            tracing::warn!(number, "a notice that is done could not be taken off the outbox");
        }
        self.in_hand -= 1;
    }
}

/// Or until nobody is left to say so.
async fn until(closed: &mut watch::Receiver<bool>) {
    let _gone = closed.wait_for(|closed| *closed).await;
}

fn pause_after(tries: u32) -> Duration {
    let factor = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

impl Ways {
    async fn send(&self, letter: &Letter, world: &World) -> Result<(), Undelivered> {
        match (&letter.notice.to, &self.mail, &self.hook) {
            (Addressee::Email(to), Some((transport, from)), _) => {
                mail::send(transport, from, to, letter, world).await
            }
            (_, _, Some((client, settings))) => hook::send(client, settings, letter, world).await,
            (to, ..) => {
                let way = match to {
                    Addressee::Email(_) => "mail",
                    Addressee::Sms(_) => "text message",
                };
                let (delivery, moment) = (letter.notice.delivery, letter.notice.moment.as_str());
                tracing::info!(number = letter.number, %delivery, moment, way, "a notice, and nothing to send it with");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_four_hours_and_all_tries_take_more_than_a_day() {
        assert_eq!(pause_after(1), Duration::from_secs(1));
        assert_eq!(pause_after(5), Duration::from_secs(16));
        assert_eq!(pause_after(40), LONGEST_PAUSE);
        let all: Duration = (1..TRIES).map(pause_after).sum();
        assert!(all > Duration::from_secs(24 * 60 * 60), "{all:?}");
    }
}
