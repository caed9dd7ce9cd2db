//! Bodies that nobody wants, or that do not come: the connection is read empty, or closed with a
//! word. What it would be read for otherwise is the next request.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Method, Request};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Door, Reply, fine_order};
use crate::auth::Mode;
use crate::sim::world::UnknownPlaces;

const MEBIBYTE: usize = 1024 * 1024;

/// How a body goes on after its pieces.
#[derive(Clone, Copy)]
enum Then {
    Ends,
    Stalls,
    Breaks,
}

/// Counts how often it was asked for a piece, its end included.
fn body(piece: &[u8], times: usize, then: Then) -> (Body, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let piece = Bytes::copy_from_slice(piece);
    let pieces = stream::iter((0..times).map(move |_| Ok(piece.clone())));
    let last = match then {
        Then::Ends => stream::empty().boxed(),
        Then::Stalls => stream::pending().boxed(),
        Then::Breaks => stream::iter([Err(io::Error::other("gone"))]).boxed(),
    };
    let counter = Arc::clone(&asked);
    let mut all = Box::pin(pieces.chain(last));
    let counted = stream::poll_fn(move |context| {
        counter.fetch_add(1, Ordering::Relaxed);
        all.poll_next_unpin(context)
    });
    (Body::from_stream(counted), asked)
}

impl Door {
    fn send_body(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body).unwrap())
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_request_that_is_refused_is_read_to_its_end() {
    let open = Door::open(UnknownPlaces::Refuse);
    let closed = Door::guarded(UnknownPlaces::Refuse, Mode::Required, &[]);
    let foreign = [JSON, ("origin", "https://evil.example")];
    let unknown = "/api/deliveryrequests/0192f0c1-2345-7890-abcd-ef0123456789";
    for (door, method, path, headers, status) in [
        (&closed, Method::PUT, "/api/simulation", &[JSON][..], 401),
        (&open, Method::PUT, "/api/simulation", &foreign, 403),
        (&open, Method::PUT, "/nowhere", &[JSON], 404),
        (&open, Method::PATCH, unknown, &[JSON], 404),
        (&open, Method::DELETE, unknown, &[JSON], 404),
        (&open, Method::POST, "/healthz", &[JSON], 405),
        (&open, Method::PUT, "/api/simulation", &[], 415),
    ] {
        let (body, asked) = body(b"1234567890", 10, Then::Ends);
        let reply = door.send_body(method, path, headers, body);
        assert_eq!(reply.pointers(status), Vec::<String>::new(), "{path}");
        assert_eq!(reply.header("connection"), "", "{path}");
        assert_eq!(asked.load(Ordering::Relaxed), 11, "{path}: pieces and the end");
    }
}

#[test]
fn a_refusal_that_leaves_something_unread_says_that_the_connection_ends() {
    let closed = Door::guarded(UnknownPlaces::Refuse, Mode::Required, &[]);
    let piece = vec![b' '; MEBIBYTE];
    let (much, word) = (("content-length", "9000000"), ("expect", "100-continue"));
    for (times, then, headers, most_asked) in [
        (1_000, Then::Ends, &[JSON][..], 9),
        (1, Then::Stalls, &[JSON], 9),
        (1, Then::Breaks, &[JSON], 2),
        // Not even begun with: who announced that much, or waits for word, has not sent it.
        (9, Then::Ends, &[JSON, much], 0),
        (1, Then::Ends, &[JSON, word], 0),
    ] {
        let (body, asked) = body(&piece, times, then);
        let reply = closed.send_body(Method::PUT, "/api/simulation", headers, body);
        assert_eq!(reply.pointers(401), Vec::<String>::new());
        assert_eq!(reply.header("connection"), "close", "{headers:?}");
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        assert!(asked.load(Ordering::Relaxed) <= most_asked, "{headers:?}");
    }
}

#[test]
fn what_does_not_come_whole_ends_the_connection() {
    let door = Door::open(UnknownPlaces::Refuse);
    for (piece, times, then, status) in [
        (&b"{\"state\":"[..], 1, Then::Stalls, 408),
        (b"{\"state\":", 1, Then::Breaks, 400),
        (&[b' '; 64 * 1024], 17, Then::Ends, 413),
        (&[b' '; 64 * 1024], 1_000, Then::Ends, 413),
    ] {
        let (body, _) = body(piece, times, then);
        let reply = door.send_body(Method::PUT, "/api/simulation", &[JSON], body);
        assert_eq!(reply.pointers(status), Vec::<String>::new());
        assert_eq!(reply.header("connection"), "close", "{status}");
    }
}

#[test]
fn a_body_may_come_in_pieces_of_any_size() {
    let door = Door::open(UnknownPlaces::Refuse);
    let order = fine_order().to_string().into_bytes();
    for size in [1, 7, order.len()] {
        let pieces: Vec<_> = order.chunks(size).map(Bytes::copy_from_slice).collect();
        let body = Body::from_stream(stream::iter(pieces.into_iter().map(io::Result::Ok)));
        let reply = door.send_body(Method::POST, "/api/deliveryrequests", &[JSON], body);
        assert_eq!(reply.status, 202, "{size}");
        assert_eq!(reply.json()["ownerId"], "ada");
    }
}
