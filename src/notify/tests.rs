//! Letters against a web hook that answers what it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::courier::IN_HAND;
use super::{Courier, Hook, Mail, Settings, Telemetry, hook};
use crate::actors::testing::{id, world};
use crate::sim::notice::{Addressee, Moment, Notice};
use crate::sim::time::SimTime;
use crate::store::{self, IN_MEMORY, Identity, TickRow, Writer};

struct Receiver {
    /// What it answers, the last for ever.
    statuses: Mutex<Vec<u16>>,
    calls: AtomicUsize,
    called: Notify,
}

impl Receiver {
    async fn listen(statuses: &[u16]) -> (Arc<Self>, Hook) {
        let receiver = Arc::new(Receiver {
            statuses: Mutex::new(statuses.iter().rev().copied().collect()),
            calls: AtomicUsize::new(0),
            called: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answers = Arc::clone(&receiver);
        let answer = move || {
            let answers = Arc::clone(&answers);
            async move { answers.answer() }
        };
        let routes = Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (receiver, Hook::new(&url, None).unwrap())
    }

    fn answer(&self) -> StatusCode {
        let mut statuses = self.statuses.lock();
        let status = match statuses.len() {
            1 => statuses[0],
            _ => statuses.pop().unwrap(),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.called.notify_one();
        StatusCode::from_u16(status).unwrap()
    }
}

async fn post_notices(store: &Writer, tick: u64, count: usize) {
    post_to(store, tick, count, &Addressee::Sms("+14155550123".to_owned())).await;
}

async fn post_to(store: &Writer, tick: u64, count: usize, to: &Addressee) {
    let notice = |number| Notice {
        delivery: id(number),
        to: to.clone(),
        moment: Moment::Completed,
        at: SimTime::START,
    };
    let row = TickRow {
        tick,
        admitted_through: 0,
        first_event: 1,
        event_count: 0,
        events: Vec::new(),
        digest: [0; 32],
        notices: (0..count as u64).map(notice).collect(),
    };
    store.commit_tick(row, None).await.await.unwrap();
}

fn store() -> Writer {
    let identity = Identity {
        scenario_hash: [1; 32],
        seed: 1,
    };
    Writer::start(store::open(IN_MEMORY, &identity, false).unwrap()).unwrap()
}

fn courier(store: &Writer, hook: Hook) -> (Courier, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let settings = Settings {
        mail: None,
        hook: Some(hook),
    };
    let world = Arc::new(world(1, 1));
    let courier = Courier::new(world, store.clone(), settings, Arc::clone(&telemetry)).unwrap();
    (courier, telemetry)
}

async fn emptied(store: &Writer) {
    while !store.outbox(0, 1).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_posted_before_and_while_the_courier_works_leaves_the_outbox_once_taken() {
    let store = store();
    let (receiver, hook) = Receiver::listen(&[204]).await;
    let (courier, telemetry) = courier(&store, hook);
    post_notices(&store, 1, 3).await;
    let (closing, closed) = watch::channel(false);
    let running = tokio::spawn(courier.run(closed));
    emptied(&store).await;
    post_notices(&store, 2, 40).await;
    emptied(&store).await;
    closing.send_replace(true);
    running.await.unwrap();
    assert_eq!(receiver.calls.load(Ordering::Relaxed), 43);
    assert_eq!((telemetry.delivered(), telemetry.given_up()), (43, 0));
}

#[tokio::test]
async fn who_says_never_is_not_asked_again_and_who_says_not_now_is() {
    let store = store();
    let (receiver, hook) = Receiver::listen(&[410, 503, 204]).await;
    let (courier, telemetry) = courier(&store, hook);
    let (_closing, closed) = watch::channel(false);
    tokio::spawn(courier.run(closed));
    post_notices(&store, 1, 1).await;
    emptied(&store).await;
    assert_eq!((telemetry.given_up(), telemetry.delivered()), (1, 0));
    post_notices(&store, 2, 1).await;
    emptied(&store).await;
    assert_eq!(receiver.calls.load(Ordering::Relaxed), 3);
    assert_eq!((telemetry.retried(), telemetry.delivered()), (1, 1));
}

#[tokio::test]
async fn what_was_not_taken_is_found_by_the_next_courier() {
    let store = store();
    let (receiver, hook) = Receiver::listen(&[500, 204]).await;
    let (first, _) = courier(&store, hook.clone());
    post_notices(&store, 1, 1).await;
    let (closing, closed) = watch::channel(false);
    let running = tokio::spawn(first.run(closed.clone()));
    receiver.called.notified().await;
    closing.send_replace(true);
    running.await.unwrap();
    assert_eq!(store.outbox(0, 9).await.unwrap().len(), 1, "still there");

    let (second, telemetry) = courier(&store, hook);
    let (_closing, closed) = watch::channel(false);
    tokio::spawn(second.run(closed));
    emptied(&store).await;
    assert_eq!(telemetry.delivered(), 1);
}

/// Letters that nobody takes for now, more than are held at a time.
#[tokio::test]
async fn who_is_not_reached_keeps_nobody_else_waiting() {
    let store = store();
    let hopeless = Arc::new(world(1, 1));
    let telemetry = Arc::new(Telemetry::default());
    // Nobody listens there.
    let mail = Mail::new("smtp://127.0.0.1:1", "drones@example.com").unwrap();
    let (receiver, hook) = Receiver::listen(&[204]).await;
    let settings = Settings {
        mail: Some(mail),
        hook: Some(hook),
    };
    let courier = Courier::new(hopeless, store.clone(), settings, Arc::clone(&telemetry)).unwrap();
    let by_mail = Addressee::Email("ada@example.org".to_owned());
    post_to(&store, 1, IN_HAND + 200, &by_mail).await;
    post_notices(&store, 2, 1).await;
    let (_closing, closed) = watch::channel(false);
    tokio::spawn(courier.run(closed));
    receiver.called.notified().await;
    while telemetry.delivered() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((telemetry.delivered(), telemetry.given_up()), (1, 0));
    assert_eq!(store.outbox(0, 2_000).await.unwrap().len(), IN_HAND + 200);
}

/// The expected value was made with another implementation of HMAC-SHA256.
#[test]
fn a_signature_covers_the_time_and_the_body() {
    let secret = "a secret between the two of us";
    assert_eq!(
        hook::signature(secret, 1_782_000_000, br#"{"id":1}"#),
        "t=1782000000,v1=519ab6aba8fc1e803b8cf3482c07e0fe6ea74c0412cf76a2a0977acc16e68cf2"
    );
}

#[test]
fn settings_say_what_is_wrong_and_show_no_secret() {
    use super::SettingsError;
    let wrong = Mail::new("mail.example.com", "drones@example.com").unwrap_err();
    assert_eq!(wrong, SettingsError::MailServer);
    let wrong = Mail::new("smtp://mail.example.com", "drones").unwrap_err();
    assert_eq!(wrong, SettingsError::Sender);
    for wrong in ["ftp://example.com/", "example.com", "http://"] {
        assert_eq!(
            Hook::new(wrong, None).unwrap_err(),
            SettingsError::Hook,
            "{wrong}"
        );
    }
    let mail = Mail::new("smtps://ada:pass@mail.example.com", "drones@example.com").unwrap();
    let hook = Hook::new("https://example.com/?key=hush", Some("hush".into())).unwrap();
    let shown = format!("{mail:?} {hook:?}");
    assert!(!shown.contains("pass") && !shown.contains("hush"), "{shown}");
}
