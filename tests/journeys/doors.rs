//! The WebSocket stands behind the front door: a trailing slash does not hide it, what is
//! refused there is a problem like all others, and its handshakes are counted.

use reqwest::StatusCode;
use tokio_tungstenite::connect_async;

use crate::support::server::{Running, quiet};
use crate::support::worlds::tiny;

const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[tokio::test]
async fn the_window_is_a_route_like_the_others() {
    let server = Running::start(tiny(), quiet()).await;
    let address = server.address();
    for path in ["/ws", "/ws/"] {
        let opened = connect_async(format!("ws://{address}{path}")).await;
        assert!(opened.is_ok(), "{path}");
    }

    let foreign = [HANDSHAKE.as_slice(), &[("origin", "https://evil.example")]].concat();
    let unspoken = [HANDSHAKE.as_slice(), &[("sec-websocket-protocol", "other")]].concat();
    for (headers, statuses, kind) in [
        (&foreign, [403, 403], "foreign-origin"),
        (&unspoken, [400, 400], "not-a-handshake"),
        (&Vec::new(), [400, 426], "not-a-handshake"),
    ] {
        let mut request = reqwest::Client::new().get(format!("http://{address}/ws/"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        assert!(statuses.contains(&status), "{headers:?}: {status}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: serde_json::Value = answer.json().await.expect("a problem");
        assert_eq!(
            problem["type"],
            format!("urn:skyhaul:problem:{kind}"),
            "{problem}"
        );
        assert_eq!(
            (&problem["status"], &problem["instance"]),
            (&status.into(), &"/ws".into())
        );
        assert!(
            !problem["detail"].as_str().expect("a text").is_empty(),
            "{problem}"
        );
    }

    let figures = reqwest::get(format!("http://{address}/metrics"))
        .await
        .expect("an answer");
    assert_eq!(figures.status(), StatusCode::OK);
    let figures = figures.text().await.expect("a text");
    for line in [
        r#"skyhaul_http_requests_total{method="GET",route="/ws",status="101"} 2"#,
        r#"skyhaul_http_requests_total{method="GET",route="/ws",status="403"} 1"#,
    ] {
        assert!(figures.contains(line), "{line}\n{figures}");
    }
    server.stop().await;
}
