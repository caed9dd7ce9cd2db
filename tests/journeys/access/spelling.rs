//! Unusual ways to write a request that is refused when written plainly.

use std::net::SocketAddr;

use skyhaul::auth::Viewer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{House, LONG, business, customer, lunch_of, token};
use crate::support::PATIENCE;

/// Status and whole answer of a request that is sent as it stands.
async fn ask(address: SocketAddr, line: &str, headers: &[String]) -> (u16, String) {
    let asked = async {
        let mut socket = TcpStream::connect(address).await.expect("the server listens");
        let headers = headers.join("\r\n");
        let end = if headers.is_empty() { "" } else { "\r\n" };
        let text = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}{end}\r\n");
        socket.write_all(text.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        // A request that is refused early may end with a reset instead.
        let _ = socket.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = timeout(PATIENCE, asked).await.expect("an answer in time");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or(0), answer)
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_round_the_door() {
    let house = House::open().await;
    let address = house.server.address();
    for path in [
        "/api/hubs/",
        "/api/hubs//",
        "//api/hubs",
        "/api//hubs",
        "/./api/hubs",
        "/api/./hubs",
        "/docs/../api/hubs",
        "/docs/..%2fapi/hubs",
        "/assets/../api/hubs",
        "/assets/..%2f..%2fapi%2fhubs",
        "/API/hubs",
        "/Api/Hubs",
        "/%61pi/hubs",
        "/api%2fhubs",
        "/api/%68ubs",
        "/api/hubs%20",
        "/api/hubs;role=operator",
        "/api/hubs?token=x",
        "/api/hubs%00",
        "/metrics/",
        "/METRICS",
        "/%6detrics",
        "/metrics%2f",
        "http://127.0.0.1/api/hubs",
        "http://elsewhere.example/api/hubs",
    ] {
        for method in ["GET", "HEAD", "get", "POST", "BREW"] {
            let (status, answer) = ask(address, &format!("{method} {path}"), &[]).await;
            assert!(
                [400, 401, 404, 405].contains(&status),
                "{method} {path}: {answer}"
            );
            assert!(!answer.contains("mission"), "{method} {path}: {answer}");
            assert!(!answer.contains("skyhaul_"), "{method} {path}: {answer}");
        }
    }
    // OPTIONS tells browsers what they may ask, and nothing else.
    let (_, answer) = ask(address, "OPTIONS /api/hubs", &[]).await;
    assert!(
        answer.ends_with("\r\n\r\n") || answer.contains("problem+json"),
        "{answer}"
    );
    house.close().await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_in_its_place() {
    let house = House::open().await;
    let address = house.server.address();
    let honest = token(&Viewer::anyone(), LONG);
    let mut asked = Vec::new();
    for headers in [
        vec![format!("Authorization: Bearer {honest}")],
        vec![format!("authorization: bearer   {honest}  ")],
    ] {
        asked.push(ask(address, "GET /api/simulation", &headers).await.0);
    }
    assert_eq!(asked, [200, 200]);
    for headers in [
        vec![format!("Authorization: Bearer {honest}"); 2],
        vec![
            format!("Authorization: Bearer {honest}"),
            "Authorization: Basic YTpi".into(),
        ],
        vec![format!("Authorization: {honest}")],
        vec![format!("Authorization: Basic {honest}")],
        vec![format!("Authorization: Bearer\t{honest}")],
        vec![format!("Authorization: Bearer {honest}, Bearer {honest}")],
        vec![format!("Authorization: Bearer \"{honest}\"")],
        vec![format!("Proxy-Authorization: Bearer {honest}")],
        vec![format!("X-Forwarded-Authorization: Bearer {honest}")],
        vec![format!("Cookie: token={honest}; access_token={honest}")],
        vec![format!("Sec-WebSocket-Protocol: skyhaul.token.{honest}")],
        vec!["Authorization: Bearer \u{e9}".into()],
    ] {
        let (status, answer) = ask(address, "GET /api/simulation", &headers).await;
        assert_eq!(status, 401, "{headers:?}: {answer}");
    }
    for query in ["token", "access_token", "t", "authorization"] {
        let line = format!("GET /api/simulation?{query}={honest}");
        let (status, answer) = ask(address, &line, &[]).await;
        assert_eq!(status, 401, "{query}");
        assert!(!answer.contains(&honest), "{answer}");
    }
    house.close().await;
}

#[tokio::test]
async fn very_long_headers_are_refused_and_harm_nobody() {
    let house = House::open().await;
    let address = house.server.address();
    for bytes in [5_000, 60_000, 2_000_000] {
        let headers = [format!("Authorization: Bearer {}", "a".repeat(bytes))];
        let (status, _) = ask(address, "GET /api/simulation", &headers).await;
        assert!([401, 431, 0].contains(&status), "{bytes} bytes: {status}");
    }
    let many: Vec<_> = (0..1_000).map(|n| format!("X-Header-{n}: {n}")).collect();
    let (status, _) = ask(address, "GET /api/simulation", &many).await;
    assert!([401, 431, 0].contains(&status), "{status}");
    assert_eq!(house.operator().simulation().await["state"], "paused");
    house.close().await;
}

#[tokio::test]
async fn no_spelling_of_an_id_or_an_owner_shows_what_is_anothers() {
    let house = House::open().await;
    let address = house.server.address();
    let id = house.caller(&business("cafe")).order(&lunch_of("cafe")).await;
    let thief = [format!(
        "Authorization: Bearer {}",
        token(&customer("bakery"), LONG)
    )];
    let plain: String = id.chars().filter(|letter| *letter != '-').collect();
    let encoded = id.replacen(&id[..1], &format!("%{:02x}", id.as_bytes()[0]), 1);
    for spelt in [
        id.clone(),
        id.to_uppercase(),
        plain,
        encoded,
        format!("{{{id}}}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("{id}%20"),
        format!("{id}%00"),
        format!("{id}/"),
        format!("public/{id}"),
    ] {
        for path in [
            "deliveries/{id}",
            "deliveries/{id}/status",
            "deliveries/{id}/owner",
            "deliveryrequests/{id}",
        ] {
            let path = path.replace("{id}", &spelt);
            let (status, answer) = ask(address, &format!("GET /api/{path}"), &thief).await;
            assert!([400, 403, 404].contains(&status), "{path}: {answer}");
            assert!(!answer.contains("cafe"), "{path}: {answer}");
        }
    }
    for owner in [
        "cafe",
        "Cafe",
        "caf%65",
        "bakery&ownerId=cafe",
        "",
        "bakery%1fcafe",
        "bakery%00",
        "*",
        "%25",
    ] {
        let line = format!("GET /api/deliveries?ownerId={owner}");
        let (status, answer) = ask(address, &line, &thief).await;
        assert_eq!(status, 403, "{owner}: {answer}");
        assert!(!answer.contains(&id), "{owner}: {answer}");
    }
    let (status, answer) = ask(address, "GET /api/deliveries?ownerId=cafe&ownerId=bakery", &thief).await;
    assert_eq!(status, 200);
    assert!(!answer.contains(&id), "{answer}");
    house.close().await;
}
