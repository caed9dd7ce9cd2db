//! At the door without a token that is any good.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use skyhaul::auth::Viewer;
use skyhaul::ws::Config;

use super::{House, LONG, impostors, token};
use crate::support::stream::Stream;
use crate::support::worlds::tiny;

/// Of each kind that is not for everybody.
const CLOSED: [&str; 6] = [
    "/api/simulation",
    "/api/deliveries",
    "/api/drones.geojson",
    "/api/world",
    "/metrics",
    "/api/nothing-there",
];

#[tokio::test]
async fn who_shows_nothing_reads_nothing_over_http() {
    let house = House::open().await;
    let stranger = house.stranger();
    for path in CLOSED {
        let (status, problem) = stranger.get(path).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(problem["status"], 401, "{path}: {problem}");
    }
    for path in ["/healthz", "/readyz", "/", "/openapi.json", "/asyncapi.json"] {
        assert_eq!(stranger.get(path).await.0, StatusCode::OK, "{path}");
    }
    let order = super::lunch_of("cafe");
    let (status, _) = stranger.post("/api/deliveryrequests", &order).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = stranger
        .put("/api/simulation", &json!({"state": "running"}))
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.operator().simulation().await["state"], "paused");
    house.close().await;
}

#[tokio::test]
async fn no_forged_or_spent_token_opens_http() {
    let house = House::open().await;
    for (what, forged) in impostors() {
        let answer = reqwest::Client::new()
            .get(format!("http://{}/api/simulation", house.server.address()))
            .bearer_auth(&forged)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{what}");
        let headers = answer.headers().clone();
        assert_eq!(
            headers["www-authenticate"], "Bearer error=\"invalid_token\"",
            "{what}"
        );
        assert_eq!(headers["content-type"], "application/problem+json", "{what}");
        let text = format!("{headers:?}{}", answer.text().await.expect("a body"));
        assert!(!text.contains(&forged), "{what} comes back: {text}");
    }
    house.close().await;
}

/// One error and the close, and nothing of the world before.
async fn shown_out(mut stream: Stream, what: &str) {
    let (said, code) = stream.read_out().await;
    assert_eq!(code, 4401, "{what}: {said:?}");
    assert_eq!(said.len(), 1, "{what}: {said:?}");
    assert_eq!(said[0]["type"], "error", "{what}");
    assert_eq!(said[0]["code"], "unauthorized", "{what}");
}

#[tokio::test]
async fn no_forged_or_spent_token_opens_the_window_in_any_of_the_three_ways() {
    let house = House::open().await;
    for (what, forged) in impostors() {
        let bearer = format!("Bearer {forged}");
        let (stream, _) = house.knock(&[("authorization", &bearer)]).await.unwrap();
        shown_out(stream, what).await;
        let offered = format!("skyhaul.v1.json, skyhaul.token.{forged}");
        // In a list what follows the comma is an entry of its own.
        if !forged.contains(',') {
            let (stream, answer) = house
                .knock(&[("sec-websocket-protocol", &offered)])
                .await
                .unwrap();
            assert_eq!(answer["sec-websocket-protocol"], "skyhaul.v1.json");
            shown_out(stream, what).await;
        }
        let (mut stream, _) = house.knock(&[]).await.unwrap();
        stream.send(json!({"type": "auth", "token": forged})).await;
        shown_out(stream, what).await;
    }
    house.close().await;
}

#[tokio::test]
async fn a_first_message_that_is_no_token_is_the_last() {
    let house = House::open().await;
    for first in [
        json!({"type": "subscribe", "id": 1, "topic": "fleet"}),
        json!({"type": "ping", "sent": 1}),
        json!({"type": "auth"}),
        json!({"type": "auth", "token": ["a", "b"]}),
        json!({"token": token(&Viewer::anyone(), LONG)}),
        json!("let me in"),
    ] {
        let (mut stream, _) = house.knock(&[]).await.unwrap();
        stream.send(first.clone()).await;
        shown_out(stream, &first.to_string()).await;
    }
    house.close().await;
}

#[tokio::test]
async fn who_stands_at_the_window_and_says_nothing_is_sent_away() {
    assert_eq!(Config::default().token_within, Duration::from_secs(5));
    let impatient = Config {
        token_within: Duration::from_millis(20),
        ..Config::default()
    };
    let house = House::with(tiny(), impatient, &[]).await;
    let (silent, _) = house.knock(&[]).await.unwrap();
    shown_out(silent, "silence").await;
    house.close().await;
}

#[tokio::test]
async fn an_honest_token_opens_in_each_of_its_ways_and_is_never_echoed() {
    let house = House::open().await;
    let honest = token(&Viewer::anyone(), LONG);
    let bearer = format!("Bearer {honest}");
    let offered = format!("skyhaul.token.{honest} ,skyhaul.v1.json");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("sec-websocket-protocol", offered.as_str())],
        vec![
            ("sec-websocket-protocol", "skyhaul.v1.json"),
            ("sec-websocket-protocol", offered.as_str()),
        ],
    ] {
        let (mut stream, answer) = house.knock(&headers).await.unwrap();
        assert!(!format!("{answer:?}").contains("token"), "{answer:?}");
        assert_eq!(stream.next().await["type"], "welcome");
    }
    let (mut stream, _) = house.knock(&[]).await.unwrap();
    stream.send(json!({"type": "auth", "token": honest})).await;
    assert_eq!(stream.next().await["type"], "authorized");
    assert_eq!(stream.next().await["type"], "welcome");
    house.close().await;
}
