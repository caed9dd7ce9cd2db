//! Attempts to see what is not one's own.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::stand::{Client, Stand, delivery_id, drones, etas, flying, happened, order, took_off};
use crate::auth::{Role, TokenKey, Tokens, Viewer};
use crate::sim::event::DeliveryEvent;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::order::{Order, Owner};
use crate::ws::Config;

fn impatient() -> Config {
    Config {
        token_within: Duration::from_millis(50),
        ..Config::default()
    }
}

pub(super) fn of(role: Role, account: &str) -> Viewer {
    Viewer::new(role, Some(account.into()), None, None).unwrap()
}

impl Stand {
    fn token(&self, viewer: &Viewer, ttl_s: u64) -> String {
        self.guard.tokens.issue(viewer, ttl_s).into_token()
    }

    async fn knock(&self, name: HeaderName, value: &str) -> Result<Client, Error> {
        let mut request = self.url().into_client_request().unwrap();
        request
            .headers_mut()
            .insert(name, HeaderValue::from_str(value).unwrap());
        connect_async(request).await.map(|(socket, response)| {
            let shown = format!("{:?}", response.headers());
            assert!(!shown.contains("token"), "{shown}");
            Client::of(socket)
        })
    }

    /// A client that was let in.
    pub(super) async fn enter(&self, viewer: &Viewer) -> Client {
        let token = self.token(viewer, 600);
        let client = self
            .knock(header::AUTHORIZATION, &format!("Bearer {token}"))
            .await;
        let mut client = client.unwrap();
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    /// Café's delivery 1 comes about this far; drone 0 flies.
    fn tell(&mut self, first: u32, kinds: Vec<DeliveryEvent>) -> u64 {
        let numbered = kinds.into_iter().zip(first..);
        let events = numbered.map(|(kind, seq)| (seq, happened(1, kind))).collect();
        self.publish(vec![flying(0, 37.77, -122.43)], events)
    }

    fn assign(&mut self) {
        self.publish(vec![flying(0, 37.77, -122.43)], vec![(1, took_off(0))]);
        let drone = DroneId(0);
        let etas = etas(60.0, 600.0);
        self.tell(
            1,
            vec![
                DeliveryEvent::Accepted { order: order() },
                DeliveryEvent::Created,
                DeliveryEvent::Assigned { drone, etas },
                DeliveryEvent::HeadedToPickup { etas },
            ],
        );
    }

    fn pick_up(&mut self) -> u64 {
        let location = LatLon {
            lat: 37.77,
            lon: -122.43,
        };
        let etas = etas(60.0, 600.0);
        self.tell(
            5,
            vec![
                DeliveryEvent::PickedUp { location },
                DeliveryEvent::HeadedToDropoff { etas },
            ],
        )
    }

    fn drop_off(&mut self) -> u64 {
        let location = LatLon {
            lat: 37.78,
            lon: -122.42,
        };
        self.tell(7, vec![DeliveryEvent::Completed { location }])
    }
}

impl Client {
    /// Positions that are said before the next error, which forbids; nothing else is.
    async fn until_refused(&mut self) -> Vec<Value> {
        let mut said = Vec::new();
        loop {
            let message = self.next().await;
            if message["type"] == "error" {
                assert_eq!(message["code"], "forbidden", "{message}");
                return said;
            }
            assert_eq!(message["type"], "positions", "{message}");
            said.push(message);
        }
    }
}

/// The code of the answer to a subscription that is refused.
async fn refused(client: &mut Client, topic: Value) -> String {
    let mut request = json!({"type": "subscribe", "id": 9});
    request
        .as_object_mut()
        .unwrap()
        .extend(topic.as_object().unwrap().clone());
    client.send(request).await;
    let error = client.next_of("error").await;
    assert_eq!(error["id"], 9, "{error}");
    error["code"].as_str().unwrap().to_owned()
}

/// The end of a session that was not let in: one error, and nothing of the world.
async fn turned_away(mut client: Client) {
    let (seen, code) = client.read_out().await;
    assert_eq!(code, 4401, "{seen:?}");
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["type"], "error");
    assert_eq!(seen[0]["code"], "unauthorized");
}

#[tokio::test]
async fn who_shows_no_valid_token_is_told_so_and_nothing_else() {
    let stand = Stand::guarded(1, impatient()).await;
    turned_away(Client::connect(&stand.url()).await).await;

    let elsewhere = Tokens::new(TokenKey::of_this_process().unwrap());
    let foreign = elsewhere.issue(&Viewer::anyone(), 600).into_token();
    let expired = stand.token(&Viewer::anyone(), 0);
    let unsigned = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IiLCJleHAiOjk5OTk5OTk5OTl9.";
    for token in [foreign.as_str(), &expired, unsigned, "nonsense"] {
        let bearer = format!("Bearer {token}");
        turned_away(stand.knock(header::AUTHORIZATION, &bearer).await.unwrap()).await;
        let entry = format!("skyhaul.v1.json, skyhaul.token.{token}");
        turned_away(stand.knock(header::SEC_WEBSOCKET_PROTOCOL, &entry).await.unwrap()).await;
        let mut client = Client::connect(&stand.url()).await;
        client.send(json!({"type": "auth", "token": token})).await;
        turned_away(client).await;
    }
    let mut hasty = Client::connect(&stand.url()).await;
    hasty
        .send(json!({"type": "subscribe", "id": 1, "topic": "fleet"}))
        .await;
    turned_away(hasty).await;
}

#[tokio::test]
async fn a_token_lets_in_by_each_of_its_three_ways() {
    let stand = Stand::guarded(1, Config::default()).await;
    let operator = Viewer::anyone();
    stand.enter(&operator).await;
    let token = stand.token(&operator, 600);
    let entry = format!("skyhaul.v1.json, skyhaul.token.{token}");
    let mut client = stand.knock(header::SEC_WEBSOCKET_PROTOCOL, &entry).await.unwrap();
    assert_eq!(client.next().await["type"], "welcome");
    let mut client = Client::connect(&stand.url()).await;
    let token = stand.token(&of(Role::Customer, "cafe"), 600);
    client.send(json!({"type": "auth", "token": token})).await;
    let authorized = client.next().await;
    assert_eq!(authorized["type"], "authorized");
    assert_eq!(
        (&authorized["role"], &authorized["account"]),
        (&json!("customer"), &json!("cafe"))
    );
    assert_eq!(client.next().await["type"], "welcome");
}

#[tokio::test]
async fn no_subscription_outlives_its_token_and_a_newer_one_renews() {
    let stand = Stand::guarded(1, Config::default()).await;
    let operator = Viewer::anyone();
    let token = stand.token(&operator, 2);
    let mut client = stand
        .knock(header::AUTHORIZATION, &format!("Bearer {token}"))
        .await
        .unwrap();
    client.subscribe(1, "fleet", 1.0).await;
    let mut renewed = stand
        .knock(header::AUTHORIZATION, &format!("Bearer {token}"))
        .await
        .unwrap();
    let newer = stand.token(&operator, 600);
    renewed.send(json!({"type": "auth", "token": newer})).await;
    renewed.next_of("authorized").await;
    // It says nothing more, and is closed all the same.
    let (seen, code) = client.read_out().await;
    assert_eq!(code, 4401);
    assert_eq!(seen.last().unwrap()["code"], "unauthorized", "{seen:?}");
    renewed.send(json!({"type": "ping", "sent": 1})).await;
    renewed.next_of("pong").await;
}

#[tokio::test]
async fn pages_from_elsewhere_open_no_session() {
    let stand = Stand::with_drones(1).await;
    for (name, value, expected) in [
        (header::ORIGIN, "https://evil.example", StatusCode::FORBIDDEN),
        (
            header::HOST,
            "rebound.example:8080",
            StatusCode::MISDIRECTED_REQUEST,
        ),
    ] {
        match stand.knock(name, value).await.map(|_| ()) {
            Err(Error::Http(response)) => assert_eq!(response.status(), expected),
            other => panic!("{other:?}"),
        }
    }
    assert!(stand.knock(header::ORIGIN, "http://localhost:5173").await.is_ok());
}

#[tokio::test]
async fn each_sees_what_is_theirs() {
    let mut stand = Stand::guarded(2, Config::default()).await;
    stand.assign();
    let delivery = format!("delivery/{}", delivery_id(1));
    let epoch = json!({"epoch": "e7", "seq": 1});
    let mut stranger = stand.enter(&of(Role::Business, "bakery")).await;
    let mut customer = stand.enter(&of(Role::Customer, "cafe")).await;
    let mut business = stand.enter(&of(Role::Business, "cafe")).await;
    for (topic, expected) in [
        (json!({"topic": delivery}), "forbidden"),
        (json!({"topic": delivery, "since": epoch}), "forbidden"),
        (json!({"topic": "drone/d-0"}), "forbidden"),
        (json!({"topic": "drone/d-0", "since": epoch}), "forbidden"),
        (json!({"topic": "drone/d-9"}), "not_found"),
        (
            json!({"topic": "delivery/01890a5d-ac96-774b-bcce-b302099a8057"}),
            "not_found",
        ),
        (json!({"topic": "fleet"}), "forbidden"),
        (json!({"topic": "events"}), "forbidden"),
        (json!({"topic": "hub/mission"}), "forbidden"),
    ] {
        assert_eq!(refused(&mut stranger, topic.clone()).await, expected, "{topic}");
    }
    assert_eq!(
        refused(&mut customer, json!({"topic": "drone/d-0"})).await,
        "forbidden"
    );
    business.subscribe(1, "drone/d-0", 10.0).await;
    assert_eq!(business.next_of("snapshot").await["drone"]["id"], "d-0");

    // Before pick-up the customer is shown the place where the package waits.
    customer.subscribe(1, &delivery, 10.0).await;
    let snapshot = customer.next_of("snapshot").await;
    assert_eq!(snapshot["delivery"]["location"]["latitude"], 37.77);
    assert_eq!(snapshot["delivery"]["location"]["altitude"], 0.0);

    stand.pick_up();
    customer.next_of("event").await;
    let positions = customer.next_of("positions").await;
    assert_eq!(drones(&positions), ["d-0"]);
    let subscribed = {
        let request = json!({"type": "subscribe", "id": 2, "topic": "drone/d-0", "since": epoch});
        customer.send(request).await;
        customer.next_of("subscribed").await
    };
    assert_eq!(
        subscribed["recovered"], false,
        "what it did before is nothing to them"
    );

    stand.drop_off();
    for (client, id) in [(&mut customer, 2), (&mut business, 1)] {
        let error = client.next_of("error").await;
        assert_eq!((&error["id"], &error["code"]), (&json!(id), &json!("forbidden")));
        let end = client.next().await;
        assert_eq!(
            end,
            json!({"type": "unsubscribed", "id": id}),
            "it has ended, not an update of it"
        );
        let update = json!({"type": "update", "id": id, "maxHz": 1});
        let (code, _) = client.error_after(Message::text(update.to_string())).await;
        assert_eq!(code, "unknown_id");
    }
    assert_eq!(
        refused(&mut customer, json!({"topic": "drone/d-0"})).await,
        "forbidden"
    );
}

#[tokio::test]
async fn a_right_to_a_drone_ends_with_its_errand_whatever_the_next_one_is() {
    let mut stand = Stand::guarded(1, Config::default()).await;
    stand.assign();
    stand.pick_up();
    let mut customer = stand.enter(&of(Role::Customer, "cafe")).await;
    customer.subscribe(1, "drone/d-0", 10.0).await;
    customer.next_of("snapshot").await;
    // A fast world: between two beats it delivers, flies for another account, and has
    // something for this one again.
    let (drone, etas) = (DroneId(0), etas(60.0, 600.0));
    let location = order().dropoff.location;
    let owner = Owner::account("bakery");
    let bakery = Arc::new(Order {
        owner,
        ..(*order()).clone()
    });
    let accepted = |order| DeliveryEvent::Accepted { order };
    let on_its_way = || DeliveryEvent::HeadedToDropoff { etas };
    stand.publish(
        vec![flying(0, 37.75, -122.40)],
        vec![
            (7, happened(1, DeliveryEvent::Completed { location })),
            (1, happened(2, accepted(bakery))),
            (2, happened(2, DeliveryEvent::Assigned { drone, etas })),
            (2, took_off(0)),
            (3, happened(2, DeliveryEvent::Completed { location })),
            (1, happened(3, accepted(order()))),
            (2, happened(3, DeliveryEvent::Assigned { drone, etas })),
            (3, happened(3, on_its_way())),
        ],
    );
    let said = customer.until_refused().await;
    assert!(
        said.iter().all(|message| message["type"] == "positions"),
        "{said:?}"
    );
    let seen_before = |message: &Value| message["drones"][0][1] == 37.77 || message["drones"] == json!([]);
    assert!(said.iter().all(seen_before), "{said:?}");
    customer.subscribe(2, "drone/d-0", 10.0).await;
}

#[tokio::test]
async fn no_beat_from_before_the_pick_up_is_shown_after_it() {
    let mut stand = Stand::guarded(1, Config::default()).await;
    let elsewhere = stand.publish(vec![flying(0, 37.75, -122.40)], vec![(1, took_off(0))]);
    // Keeps a beat alive that comes every two seconds.
    let mut operator = stand.enter(&Viewer::anyone()).await;
    operator.subscribe(1, "drone/d-0", 0.5).await;
    operator.positions_at(1, elsewhere).await;
    stand.assign();
    let picked_up = stand.pick_up();
    let mut customer = stand.enter(&of(Role::Customer, "cafe")).await;
    customer.subscribe(1, "drone/d-0", 0.5).await;
    customer
        .subscribe(2, &format!("delivery/{}", delivery_id(1)), 0.5)
        .await;
    for _ in 0..2 {
        let positions = customer.next_of("positions").await;
        assert!(positions["tick"].as_u64() >= Some(picked_up), "{positions}");
        assert_eq!(positions["full"], true, "{positions}");
        assert_eq!(drones(&positions), ["d-0"]);
    }
}

#[tokio::test]
async fn another_accounts_token_ends_what_is_not_its_own() {
    let mut stand = Stand::guarded(1, Config::default()).await;
    stand.assign();
    let mut client = stand.enter(&of(Role::Customer, "cafe")).await;
    client
        .subscribe(1, &format!("delivery/{}", delivery_id(1)), 10.0)
        .await;
    client.next_of("snapshot").await;
    let token = stand.token(&of(Role::Customer, "bakery"), 600);
    client.send(json!({"type": "auth", "token": token})).await;
    let error = client.next_of("error").await;
    assert_eq!((&error["id"], &error["code"]), (&json!(1), &json!("forbidden")));
}

#[tokio::test]
async fn areas_are_densities_to_all_but_operators() {
    let mut stand = Stand::guarded(3, Config::default()).await;
    let near = |drone| flying(drone, 37.7701, -122.4301);
    stand.publish(vec![near(0), near(1), flying(2, 37.80, -122.40)], Vec::new());
    let mut customer = stand.enter(&of(Role::Customer, "cafe")).await;
    customer.subscribe_area(1, [-122.44, 37.76, -122.42, 37.78]).await;
    let density = customer.next_of("density").await;
    let cells = density["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 1, "{density}");
    assert_eq!(cells[0][2], 2);
    assert!(
        (cells[0][0].as_f64().unwrap() - 37.7701).abs() < 0.003,
        "{density}"
    );

    // A world that does not allow it says so.
    let strict = Stand::with_drones(1).await;
    let mut customer = strict.enter(&of(Role::Customer, "cafe")).await;
    let area = json!({"topic": "area", "bbox": [-122.5, 37.7, -122.4, 37.8]});
    assert_eq!(refused(&mut customer, area).await, "forbidden");
}
