//! Accounts, packages and third-party transport over HTTP, across a restart.

use reqwest::StatusCode;
use serde_json::{Value, json};

use skyhaul::sim::account::UnknownAccounts;
use skyhaul::sim::carrier::Price;

use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, kept_in, quiet};
use crate::support::worlds::tiny;

/// Slow enough that nothing happens between two requests of a test.
const SLOWLY: f64 = 1.0;

async fn let_time_pass(operator: &Client) {
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
}

async fn seen(operator: &Client, path: &str) -> Value {
    let (status, body) = operator.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

#[tokio::test]
async fn accounts_and_packages_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny(), options.clone()).await;
    let operator = server.client();
    let cafe = json!({"id": "café 7", "name": "Café", "kind": "business"});
    let (status, problem) = operator.post("/api/accounts", &cafe).await;
    assert_eq!(status, StatusCode::CONFLICT, "paused: {problem}");
    let_time_pass(&operator).await;
    let (status, made) = operator.post("/api/accounts", &cafe).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["status"], "active");
    let (status, problem) = operator.post("/api/accounts", &cafe).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:account-exists");
    let suspended = json!({"status": "suspended"});
    let path = "/api/accounts/caf%C3%A9%207";
    let (status, changed) = operator.patch(path, &suspended).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    let (status, _) = operator.patch("/api/accounts/nobody", &suspended).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let box_7 = json!({"size": "small", "weight": "14", "tag": "t"});
    for expected in [StatusCode::CREATED, StatusCode::NO_CONTENT] {
        let (status, body) = operator.put("/api/packages/box", &box_7).await;
        assert_eq!(status, expected, "{body}");
    }
    let (status, body) = operator.patch("/api/packages/box", &json!({"weight": 3})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    operator.control(json!({"state": "paused", "speed": "max"})).await;
    server.stop().await;

    let server = Running::start(tiny(), options).await;
    let operator = server.client();
    let expected = json!({"id": "café 7", "name": "Café", "kind": "business", "status": "suspended"});
    assert_eq!(seen(&operator, path).await, expected);
    assert_eq!(seen(&operator, "/api/account/caf%C3%A9%207").await, false);
    assert_eq!(
        seen(&operator, "/api/account/nobody").await,
        true,
        "made on first use"
    );
    let expected = json!({"id": "box", "size": "Small", "weight": 3.0, "tag": "t"});
    assert_eq!(seen(&operator, "/api/packages/box").await, expected);
    // An order's package is newer.
    let request = parcel("Dolores Park", "General Hospital", 2.0);
    operator.order(&request).await;
    operator.run_to(1_000).await;
    assert_eq!(seen(&operator, "/api/packages/lunch").await["weight"], 2.0);
    let (status, _) = operator.get("/api/packages/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn of_two_changes_of_a_package_at_once_none_is_lost() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let_time_pass(&operator).await;
    let path = "/api/packages/box";
    let (_, made) = operator.put(path, &json!({"size": "small", "weight": 1})).await;
    assert_eq!(made["weight"], 1.0, "{made}");
    for turn in 1..=3 {
        let (heavier, larger, tagged) = (
            json!({"weight": turn}),
            json!({"size": (["Medium", "Large"][turn % 2])}),
            json!({"tag": format!("turn {turn}")}),
        );
        let (one, two, three) = tokio::join!(
            operator.patch(path, &heavier),
            operator.patch(path, &larger),
            operator.patch(path, &tagged),
        );
        assert!(
            [one.0, two.0, three.0]
                .iter()
                .all(|status| *status == StatusCode::NO_CONTENT)
        );
        let expected =
            json!({"id": "box", "size": larger["size"], "weight": turn as f64, "tag": tagged["tag"]});
        assert_eq!(seen(&operator, path).await, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_the_carrier_is_asked_for_alone_passes_the_account_step() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let_time_pass(&operator).await;
    let places = json!({
        "pickup": {"latitude": 37.7557, "longitude": -122.4045},
        "dropoff": {"latitude": 37.7596, "longitude": -122.4269},
    });
    let van = |name: &str| format!("/api/thirdpartydeliveries/{name}");
    let account = "/api/accounts/third-party";
    assert_eq!(operator.get(account).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        operator.put(&van("one"), &places).await,
        (StatusCode::OK, json!(true))
    );
    assert_eq!(
        seen(&operator, account).await["status"],
        "active",
        "made on first use"
    );
    let suspended = json!({"status": "suspended"});
    assert_eq!(operator.patch(account, &suspended).await.0, StatusCode::OK);
    assert_eq!(
        operator.put(&van("two"), &places).await,
        (StatusCode::OK, json!(false))
    );
    assert_eq!(operator.get("/api/deliveries/two").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        operator.put(&van("one"), &places).await,
        (StatusCode::OK, json!(true))
    );
    server.stop().await;
}

#[tokio::test]
async fn the_carrier_brings_across_the_country_what_it_was_asked_for_once() {
    let mut world = tiny();
    world.carrier.speed_mps = 500.0;
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(world.clone(), options.clone()).await;
    let operator = server.client();
    let_time_pass(&operator).await;
    let id = "018f2a3b-0000-7000-8000-000000000042";
    let path = format!("/api/thirdpartydeliveries/{id}");
    let places = json!({
        "pickup": {"altitude": 0, "latitude": 36.778261, "longitude": -119.41793200000001},
        "dropoff": {"altitude": 0, "latitude": 37.431573, "longitude": -78.656894},
    });
    for _ in ["taken", "taken already"] {
        assert_eq!(operator.put(&path, &places).await, (StatusCode::OK, json!(true)));
    }
    let delivery = operator.delivery(id).await;
    assert_eq!(
        (&delivery["carrier"], &delivery["droneId"]),
        (&json!("third-party"), &Value::Null)
    );
    assert_eq!(operator.status(id).await["stage"], "HeadedToPickup");
    operator.control(json!({"state": "paused", "speed": "max"})).await;
    server.stop().await;

    // On the road over a restart.
    let server = Running::start(world, options).await;
    let operator = server.client();
    let mut tick = operator.simulation().await["tick"].as_u64().unwrap();
    let mut west = -119.418;
    loop {
        tick += 5_000;
        operator.run_to(tick).await;
        let status = operator.status(id).await;
        let longitude = status["lastKnownLocation"]["longitude"].as_f64().unwrap();
        assert!(longitude >= west, "vans do not go back: {status}");
        west = longitude;
        if status["stage"] == "Completed" {
            break;
        }
        assert!(tick < 200_000, "it never arrives: {status}");
    }
    assert_eq!(west, -78.656894);
    assert_eq!(operator.put(&path, &places).await, (StatusCode::OK, json!(true)));
    server.stop().await;
}

#[tokio::test]
async fn owners_who_get_no_account_leave_nothing_behind() {
    let mut world = tiny();
    world.accounts.unknown = UnknownAccounts::Refuse;
    let server = Running::start(world, quiet()).await;
    let operator = server.client();
    let known = json!({"id": "known", "name": "Known", "kind": "business"});
    let_time_pass(&operator).await;
    let (status, made) = operator.post("/api/accounts", &known).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let mut weights = Vec::new();
    for owner in ["known", "made-up"] {
        let order = with(
            parcel("Dolores Park", "General Hospital", 1.0),
            json!({"ownerId": owner}),
        );
        let id = operator.order(&order).await;
        let ticks = operator.ticks();
        let seen = *ticks.borrow();
        let mut ticks = ticks;
        ticks.wait_for(|tick| *tick > seen + 1).await.unwrap();
        let ended = operator.workflow(&id).await["state"] == "Failed";
        let path = format!("/api/packages/summary?ownerId={owner}&year=2026&month=6");
        weights.push((ended, seen_weight(&operator, &path).await > 0.0));
    }
    assert_eq!(weights, [(false, true), (true, false)]);
    server.stop().await;
}

async fn seen_weight(operator: &Client, path: &str) -> f64 {
    seen(operator, path).await["totalWeight"]
        .as_f64()
        .expect("pounds")
}

/// Where a delivery is shown, with its price.
async fn prices(operator: &Client, id: &str) -> Vec<Value> {
    let mut prices = vec![
        operator.delivery(id).await["price"].clone(),
        operator.status(id).await["price"].clone(),
        seen(operator, &format!("/api/deliveryhistory/{id}")).await["delivery"]["price"].clone(),
    ];
    let listed = seen(operator, "/api/deliveries").await;
    let listed = listed["items"].as_array().expect("items").iter();
    prices.extend(
        listed
            .filter(|item| item["id"] == id)
            .map(|item| item["price"].clone()),
    );
    prices
}

#[tokio::test]
async fn what_a_van_takes_for_it_is_shown_wherever_the_delivery_is_and_of_no_other() {
    let mut world = tiny();
    world.carrier.price = Price {
        base: 10.0,
        per_km: 2.0,
    };
    world.carrier.detour = 1.5;
    world.carrier.speed_mps = 500.0;
    let server = Running::start(world, quiet()).await;
    let operator = server.client();
    let mut by_van = parcel("37.76,-122.42", "37.76,-122.40", 60.0);
    by_van["packageInfo"]["packageId"] = json!("heavy");
    let (van, drone) = (
        operator.order(&by_van).await,
        operator
            .order(&parcel("Dolores Park", "General Hospital", 1.0))
            .await,
    );
    assert!(
        prices(&operator, &van).await.iter().all(Value::is_null),
        "nobody has it yet"
    );
    operator.step(5).await;
    let shown = prices(&operator, &van).await;
    assert_eq!(shown.len(), 4);
    let price = shown[0].as_f64().expect("a number");
    // 1.757 km as the crow flies.
    assert!((price - (10.0 + 2.0 * 1.5 * 1.757)).abs() < 0.05, "{price}");
    assert_eq!((price * 100.0).round() / 100.0, price, "to the hundredth");
    assert!(shown.iter().all(|shown| *shown == price), "{shown:?}");
    let mut window = server.stream().await;
    window.follow(1, &format!("delivery/{van}")).await;
    let told = window.next_where(|message| message["type"] == "snapshot").await;
    assert_eq!(told["delivery"]["price"], price);
    assert!(prices(&operator, &drone).await.iter().all(Value::is_null));

    operator.run_to(36_000).await;
    assert_eq!(operator.status(&van).await["stage"], "Completed");
    assert!(prices(&operator, &van).await.iter().all(|shown| *shown == price));
    server.stop().await;
}
