//! Tokens are shown in every way there is, good and bad, in the right place and in wrong
//! ones, to a program that logs all it can: not one part of one may be in what it says.

use std::net::SocketAddr;
use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::auth::Viewer;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::{KEY, LONG, business, impostors, link, lunch_of, token};
use crate::support::PATIENCE;
use crate::support::child::Child;
use crate::support::stream::Stream;
use crate::support::worlds::shipped;

/// Shorter pieces could be there by chance; a log that cuts tokens must not get by.
const PIECE: usize = 12;

/// Every piece of a secret that would give it away. The header of a token is in all of
/// them, so it is no secret.
fn pieces(secret: &str) -> Vec<String> {
    let parts: Vec<&str> = match secret.split('.').collect::<Vec<_>>().as_slice() {
        [_, rest @ ..] if !rest.is_empty() => rest.to_vec(),
        whole => whole.to_vec(),
    };
    let long = parts.into_iter().filter(|part| part.len() >= PIECE);
    let windows = long.flat_map(|part| part.as_bytes().windows(PIECE).step_by(PIECE / 2));
    windows
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect()
}

/// Everything that was answered, as it came.
#[derive(Default)]
struct Answers(String);

impl Answers {
    async fn http(&mut self, request: reqwest::RequestBuilder) -> StatusCode {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        self.0 += &format!("{:?}", answer.headers());
        self.0 += &answer.text().await.expect("a whole answer");
        status
    }

    /// What a session is told until it ends, or has answered a ping.
    async fn session(&mut self, mut stream: Stream, first: Option<Message>) {
        if let Some(first) = first {
            stream.send_frame(first).await;
        }
        let ping = json!({"type": "ping", "sent": 1});
        stream.send_frame(Message::text(ping.to_string())).await;
        while let Some(frame) = stream.next_frame().await {
            self.0 += &format!("{frame:?}");
            if frame.to_text().is_ok_and(|text| text.contains("pong")) {
                return;
            }
        }
    }
}

async fn show_everywhere(address: SocketAddr, shown: &str, answers: &mut Answers) {
    let http = reqwest::Client::new();
    let url = |path: &str| format!("http://{address}{path}");
    let get = |path: &str| http.get(url(path));
    let mut misplaced = lunch_of("cafe");
    for field in ["pickupLocation", "confirmationRequired", "pickupTime"] {
        misplaced[field] = shown.into();
    }
    let mut misnamed = json!({"state": "paused"});
    misnamed[shown] = shown.into();
    let wish = json!({"role": shown, "account": "cafe", "delivery": shown, "ttl": shown});
    let mut requests = vec![
        get("/api/simulation").bearer_auth(shown),
        get("/metrics").bearer_auth(shown),
        http.post(url("/api/deliveryrequests"))
            .bearer_auth(shown)
            .body("{"),
        // Where it does not belong.
        get("/api/simulation").bearer_auth(shown).bearer_auth(shown),
        get("/api/simulation").header("authorization", format!("Basic {shown}")),
        get("/api/simulation").header("cookie", format!("token={shown}")),
        http.post(url("/api/deliveryrequests")).json(&misplaced),
        http.put(url("/api/simulation")).json(&misnamed),
        http.post(url("/api/tokens")).json(&wish),
    ];
    for path in [
        "/?t=",
        "/api/deliveries?token=",
        "/api/deliveries?cursor=",
        "/api/drones?hub=",
    ] {
        requests.push(get(&format!("{path}{shown}")));
    }
    for path in [
        "/ws?token=",
        "/api/stream?token=",
        "/nowhere?token=",
        "/api/deliveries/",
        "/",
        "/docs/",
    ] {
        requests.push(get(&format!("{path}{shown}")));
    }
    for request in requests {
        answers.http(request).await;
    }

    let bearer = format!("Bearer {shown}");
    let offered = format!("skyhaul.v1.json, skyhaul.token.{shown}");
    let unknown = format!("skyhaul.token.{shown}, {shown}");
    for headers in [
        [("authorization", bearer.as_str())],
        [("sec-websocket-protocol", &offered)],
        [("sec-websocket-protocol", &unknown)],
        [("cookie", &offered)],
    ] {
        match Stream::knock(address, &headers).await {
            Ok((stream, answer)) => {
                answers.0 += &format!("{answer:?}");
                answers.session(stream, None).await;
            }
            Err(error) => answers.0 += &format!("{error:?}"),
        }
    }
    let text = |message: Value| Message::text(message.to_string());
    for first in [
        text(json!({"type": "auth", "token": shown})),
        text(json!({"type": "auth", "token": {"jwt": shown}})),
        text(json!({"type": "auth", "Token": shown})),
        text(json!({"type": shown})),
        text(json!({"type": "subscribe", "id": 1, "topic": shown})),
        text(json!({"type": "subscribe", "id": shown, "topic": "fleet"})),
        text(json!({"type": "subscribe", "id": 1, "topic": format!("delivery/{shown}")})),
        text(json!({"type": "subscribe", "id": 1, "topic": format!("hub/{shown}")})),
        Message::text(shown),
        Message::text(format!("{{\"type\":\"auth\",\"token\":\"{shown}")),
        Message::binary(shown.as_bytes().to_vec()),
    ] {
        let (stream, _) = Stream::knock(address, &[]).await.expect("a handshake");
        answers.session(stream, Some(first)).await;
    }
}

/// The same with a session that was let in already, and shows another.
async fn renew_with(address: SocketAddr, honest: &str, shown: &str, answers: &mut Answers) {
    let bearer = format!("Bearer {honest}");
    let (stream, _) = Stream::knock(address, &[("authorization", &bearer)])
        .await
        .expect("a handshake");
    let renewal = json!({"type": "auth", "token": shown});
    answers
        .session(stream, Some(Message::text(renewal.to_string())))
        .await;
}

async fn nothing_is_said(format: &str, mode: &str) {
    let folder = TempDir::new().expect("a folder");
    let flags = ["--auth", mode, "--paused", "--no-demand", "--log-format", format];
    let variables = [("RUST_LOG", "trace"), ("SKYHAUL_TOKEN_KEY", KEY)];
    let data = folder.path().join("data");
    let mut child = Child::spawn_with(&shipped("tiny"), Path::new(&data), &flags, &variables);
    let address = child.serving().await.address();

    let honest = token(&Viewer::anyone(), LONG);
    let delivery = "01890a5d-ac96-774b-bcce-b302099a8057";
    let good = [
        honest.clone(),
        token(&business("cafe"), LONG),
        token(&link("cafe", delivery), LONG),
    ];
    let bad = impostors().into_iter().map(|(_, forged)| forged);
    let mut answers = Answers::default();
    let mut secrets: Vec<String> = vec![KEY.into()];
    for shown in good.into_iter().chain(bad) {
        show_everywhere(address, &shown, &mut answers).await;
        renew_with(address, &honest, &shown, &mut answers).await;
        secrets.push(shown);
    }
    // One that the server makes itself is in that answer, and nowhere else.
    let wish = json!({"role": "customer", "account": "cafe"});
    let made = reqwest::Client::new()
        .post(format!("http://{address}/api/tokens"))
        .bearer_auth(&honest)
        .json(&wish);
    let made = made.send().await.expect("an answer");
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.expect("JSON");
    secrets.push(made["token"].as_str().expect("a token").to_owned());

    child.terminate();
    child.ended(PATIENCE).await.expect("it ends");
    let log = child.log();
    assert!(log.contains("TRACE"), "it logs all that it can:\n{log}");
    assert!(answers.0.contains("pong"), "some were let in");
    assert!(answers.0.contains("unauthorized"), "some were not");
    for secret in secrets {
        for piece in pieces(&secret) {
            assert!(!log.contains(&piece), "{piece} of {secret} is in the log");
            assert!(!answers.0.contains(&piece), "{piece} of {secret} is in an answer");
        }
    }
}

#[tokio::test]
async fn no_token_is_in_any_log_or_answer() {
    nothing_is_said("text", "required").await;
}

#[tokio::test]
async fn no_token_is_in_any_log_or_answer_of_an_open_server() {
    nothing_is_said("json", "open").await;
}
