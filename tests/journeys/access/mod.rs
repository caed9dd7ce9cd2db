//! Who may see what, against those who try to see more: over real sockets, each test a
//! small story of somebody at the door.

mod flight;
mod keys;
mod knocking;
mod origins;
mod silence;
mod spelling;
mod stream;
mod window;
mod yours;

use std::sync::LazyLock;

use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use skyhaul::auth::{self, Mode, Role, Settings, TokenKey, Tokens, Viewer};
use skyhaul::server::Options;
use skyhaul::sim::world::World;
use skyhaul::ws::Config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, quiet};
use crate::support::stream::Stream;
use crate::support::worlds::tiny;

const KEY: &str = "the key of a house that many try to enter";
/// Seconds; longer than any test takes.
const LONG: u64 = 3_600;

/// `{"alg":"none","typ":"JWT"}`
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
/// `{"alg":"RS256","typ":"JWT"}`
const RS256: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(key()));

fn key() -> TokenKey {
    TokenKey::given(KEY).expect("it is long enough")
}

/// A server that asks everybody for a token.
struct House {
    server: Running,
}

impl House {
    async fn open() -> Self {
        Self::with(tiny(), Config::default(), &[]).await
    }

    async fn with(world: World, sessions: Config, allowed_origins: &[&str]) -> Self {
        let allowed_origins = allowed_origins.iter().map(|origin| origin.parse());
        let access = Settings {
            mode: Mode::Required,
            key: Some(key()),
            allowed_origins: allowed_origins.collect::<Result<_, _>>().expect("origins"),
        };
        let options = Options {
            sessions,
            access,
            ..quiet()
        };
        House {
            server: Running::start(world, options).await,
        }
    }

    /// Somebody who shows nothing.
    fn stranger(&self) -> Client {
        self.server.client()
    }

    fn caller(&self, viewer: &Viewer) -> Client {
        self.server.client_with(&token(viewer, LONG))
    }

    fn operator(&self) -> Client {
        self.caller(&Viewer::anyone())
    }

    async fn knock(&self, headers: &[(&str, &str)]) -> Result<(Stream, HeaderMap), Error> {
        Stream::knock(self.server.address(), headers).await
    }

    /// A session of somebody who was let in.
    async fn enter(&self, viewer: &Viewer) -> Stream {
        let bearer = format!("Bearer {}", token(viewer, LONG));
        let (mut stream, _) = self
            .knock(&[("authorization", &bearer)])
            .await
            .expect("a handshake");
        stream.welcome = stream.next_of("welcome").await;
        stream
    }

    async fn close(self) {
        self.server.stop().await;
    }
}

fn business(account: &str) -> Viewer {
    Viewer::new(Role::Business, Some(account.into()), None, None).expect("a business")
}

fn customer(account: &str) -> Viewer {
    Viewer::new(Role::Customer, Some(account.into()), None, None).expect("a customer")
}

/// A customer who was sent a link to this delivery.
fn link(account: &str, delivery: &str) -> Viewer {
    let only = Some(delivery.parse().expect("a delivery's id"));
    Viewer::new(Role::Customer, Some(account.into()), None, only).expect("a customer")
}

fn token(viewer: &Viewer, ttl_seconds: u64) -> String {
    TOKENS.issue(viewer, ttl_seconds).into_token()
}

/// Signed as it should be, with claims that the server would not make.
fn signed(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(KEY.as_bytes())).expect("a token")
}

/// What looks like an operator's token, and lets nobody in.
fn impostors() -> Vec<(&'static str, String)> {
    let hs256 = Header::new(Algorithm::HS256);
    let operator = json!({"role": "operator", "exp": auth::now() + LONG});
    let honest = signed(&hs256, &operator);
    let [header, claims, signature]: [&str; 3] = honest
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .expect("three parts");
    let another_key = EncodingKey::from_secret(b"the key of another house, as long as ours");
    // The confusion of a public key with a secret one, at its best: the signature is right.
    let renamed = format!("{RS256}.{claims}");
    let confused = sign(
        renamed.as_bytes(),
        &EncodingKey::from_secret(KEY.as_bytes()),
        Algorithm::HS256,
    );
    let brings_its_key = Header {
        jku: Some("https://evil.example/keys.json".into()),
        kid: Some("../../dev/null".into()),
        ..hs256.clone()
    };
    vec![
        ("expired", token(&Viewer::anyone(), 0)),
        (
            "signed with another key",
            jsonwebtoken::encode(&hs256, &operator, &another_key).expect("a token"),
        ),
        (
            "signed with a key that it names itself",
            jsonwebtoken::encode(&brings_its_key, &operator, &another_key).expect("a token"),
        ),
        ("unsigned", format!("{UNSIGNED}.{claims}.")),
        (
            "unsigned, with a signature",
            format!("{UNSIGNED}.{claims}.{signature}"),
        ),
        ("without its signature", format!("{header}.{claims}.")),
        ("without its last part", format!("{header}.{claims}")),
        (
            "signed, and said to be RS256",
            format!("{renamed}.{}", confused.expect("a signature")),
        ),
        ("without an end", signed(&hs256, &json!({"role": "operator"}))),
        (
            "not valid yet",
            signed(
                &hs256,
                &json!({"role": "operator", "nbf": auth::now() + LONG, "exp": auth::now() + 2 * LONG}),
            ),
        ),
        (
            "a business of no account",
            signed(&hs256, &json!({"role": "business", "exp": auth::now() + LONG})),
        ),
        (
            "of no role",
            signed(
                &hs256,
                &json!({"role": "root", "account": "cafe", "exp": auth::now() + LONG}),
            ),
        ),
        ("too long", format!("{honest}{}", "A".repeat(8_192))),
        ("the key itself", KEY.replace(' ', "-")),
        ("nonsense", "let.me.in".into()),
        ("twice the same", format!("{honest},{honest}")),
    ]
}

/// A lunch from Dolores Park to the General Hospital that this account orders.
fn lunch_of(account: &str) -> Value {
    with(
        parcel("Dolores Park", "General Hospital", 1.0),
        json!({"ownerId": account}),
    )
}
