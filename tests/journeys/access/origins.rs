//! Pages of other servers, and names that somebody pointed at this machine.

use reqwest::{Method, StatusCode};
use skyhaul::auth::{Mode, Settings, Viewer};
use skyhaul::server::Options;
use skyhaul::ws::Config;
use tokio_tungstenite::tungstenite::Error;

use super::{House, LONG, token};
use crate::support::server::{Running, quiet};
use crate::support::stream::Stream;
use crate::support::worlds::tiny;

const FRIEND: &str = "https://friend.example";
const FOREIGN: [&str; 6] = [
    "https://evil.example",
    "null",
    "https://friend.example.evil.example",
    "http://friend.example",
    "http://127.0.0.1.evil.example",
    "http://localhost@evil.example",
];

async fn open_to_this_machine() -> Running {
    let access = Settings {
        mode: Mode::Open,
        allowed_origins: vec![FRIEND.parse().expect("an origin")],
        ..Settings::default()
    };
    Running::start(tiny(), Options { access, ..quiet() }).await
}

async fn ask(server: &Running, method: Method, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = reqwest::Client::new().request(method, format!("http://{}{path}", server.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn shared_with(answer: &reqwest::Response) -> Option<&str> {
    let origin = answer.headers().get("access-control-allow-origin")?;
    Some(origin.to_str().expect("ASCII"))
}

async fn handshake(server: &Running, headers: &[(&str, &str)]) -> u16 {
    match Stream::knock(server.address(), headers).await {
        Ok(_) => 101,
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_foreign_page_neither_reads_nor_steers_nor_watches_an_open_server() {
    let server = open_to_this_machine().await;
    for origin in FOREIGN {
        let page = [("origin", origin)];
        for (method, path) in [
            (Method::GET, "/api/drones"),
            (Method::GET, "/metrics"),
            (Method::POST, "/api/simulation/step"),
            (Method::PUT, "/api/simulation"),
            (Method::POST, "/api/tokens"),
        ] {
            let answer = ask(&server, method, path, &page).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin} {path}");
            assert_eq!(shared_with(&answer), None, "{origin} {path}");
        }
        let wish = [page[0], ("access-control-request-method", "PUT")];
        let answer = ask(&server, Method::OPTIONS, "/api/simulation", &wish).await;
        assert_eq!(shared_with(&answer), None, "{origin}");
        assert_eq!(handshake(&server, &page).await, 403, "{origin}");
    }
    assert_eq!(server.client().simulation().await["tick"], 0);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_this_machine_and_of_listed_origins_may() {
    let server = open_to_this_machine().await;
    let own = format!("http://{}", server.address());
    for origin in [
        FRIEND,
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        own.as_str(),
    ] {
        let page = [("origin", origin)];
        let answer = ask(&server, Method::GET, "/api/drones", &page).await;
        assert_eq!(answer.status(), StatusCode::OK, "{origin}");
        assert_eq!(shared_with(&answer), Some(origin));
        assert!(
            answer.headers().get("access-control-allow-credentials").is_none(),
            "a token is shown, never sent along by the browser"
        );
        let vary = answer
            .headers()
            .get("vary")
            .map(|vary| vary.to_str().expect("ASCII").to_lowercase());
        assert!(
            vary.is_some_and(|vary| vary.contains("origin")),
            "caches keep pages apart"
        );
        assert_eq!(handshake(&server, &page).await, 101, "{origin}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_was_pointed_at_this_machine_is_not_answered() {
    let server = open_to_this_machine().await;
    let port = server.address().port();
    for name in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "0.0.0.0",
        "192.168.0.7",
    ] {
        let host = format!("{name}:{port}");
        let origin = format!("http://{host}");
        for page in [
            vec![("host", host.as_str())],
            vec![("host", &host), ("origin", &origin)],
        ] {
            for path in ["/", "/api/drones", "/metrics", "/docs/", "/healthz"] {
                let answer = ask(&server, Method::GET, path, &page).await;
                assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
            }
            assert_eq!(handshake(&server, &page).await, 421, "{host}");
        }
    }
    for host in ["localhost", "127.0.0.1", "[::1]", "friend.example"] {
        let page = [("host", host)];
        assert_eq!(
            ask(&server, Method::GET, "/api/drones", &page).await.status(),
            200,
            "{host}"
        );
        assert_eq!(handshake(&server, &page).await, 101, "{host}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_does_not_make_a_foreign_page_welcome() {
    let house = House::with(tiny(), Config::default(), &[FRIEND]).await;
    let bearer = format!("Bearer {}", token(&Viewer::anyone(), LONG));
    for origin in FOREIGN.into_iter().chain(["http://localhost:5173"]) {
        let page = [("origin", origin), ("authorization", bearer.as_str())];
        let answer = ask(&house.server, Method::GET, "/api/drones", &page).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(shared_with(&answer), None, "{origin}");
        assert_eq!(handshake(&house.server, &page).await, 403, "{origin}");
    }
    let page = [("origin", FRIEND), ("authorization", bearer.as_str())];
    let answer = ask(&house.server, Method::GET, "/api/drones", &page).await;
    assert_eq!(
        (answer.status(), shared_with(&answer)),
        (StatusCode::OK, Some(FRIEND))
    );
    assert_eq!(handshake(&house.server, &page).await, 101);
    // Why it was refused may be read by pages that may read at all.
    let answer = ask(&house.server, Method::GET, "/api/drones", &page[..1]).await;
    assert_eq!(
        (answer.status(), shared_with(&answer)),
        (StatusCode::UNAUTHORIZED, Some(FRIEND))
    );
    house.close().await;
}
