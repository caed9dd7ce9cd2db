//! A client of the reference that puts: deliveries by ids of its own, and drones for them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::{Client, with};
use crate::support::server::{Running, kept_in, quiet};
use crate::support::worlds::tiny;

const SLOWLY: f64 = 20.0;

fn at(latitude: f64, longitude: f64) -> Value {
    json!({"altitude": 0, "latitude": latitude, "longitude": longitude})
}

fn hospital() -> Value {
    at(37.7557, -122.4045)
}

fn park() -> Value {
    at(37.7596, -122.4269)
}

fn delivery() -> Value {
    json!({"owner": {"userId": "ada", "accountId": "cafe"}, "pickup": hospital(), "dropoff": park()})
}

fn errand() -> Value {
    json!({"pickup": hospital(), "dropoff": park()})
}

fn drone_of(id: &str) -> String {
    format!("/api/dronedeliveries/{id}")
}

fn path(id: &str) -> String {
    format!("/api/deliveries/{id}")
}

async fn put(client: &Client, path: &str, body: &Value, expected: StatusCode) -> Value {
    let (status, answer) = client.put(path, body).await;
    assert_eq!(status, expected, "{path}: {answer}");
    answer
}

async fn slowly(operator: &Client) {
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
}

/// Runs until the delivery has this stage, and goes on slowly.
async fn until_stage(operator: &Client, id: &str, stage: &str) {
    let mut tick = operator.simulation().await["tick"].as_u64().unwrap();
    while operator.status(id).await["stage"] != stage {
        // What is asked for may be a tick too late while time passes.
        tick = operator.simulation().await["tick"].as_u64().unwrap().max(tick) + 50;
        assert!(tick < 40_000, "never {stage}: {}", operator.status(id).await);
        operator.control(json!({"state": "paused", "speed": "max"})).await;
        operator.run_to(tick).await;
    }
    slowly(operator).await;
}

#[tokio::test]
async fn a_delivery_is_put_once_and_replaced_until_it_is_picked_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny(), options.clone()).await;
    let operator = server.client();
    // Also while the world stands still, as requests are.
    let made = put(&operator, "/api/deliveries/42", &delivery(), StatusCode::CREATED).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["owner"], json!({"userId": "ada", "accountId": "cafe"}));
    put(&operator, &path("42"), &delivery(), StatusCode::NO_CONTENT).await;
    put(
        &operator,
        &path(&id),
        &with(delivery(), json!({"id": "42"})),
        StatusCode::NO_CONTENT,
    )
    .await;
    for name in ["42", &id] {
        assert_eq!(operator.delivery(name).await, made);
    }
    operator.run_to(20).await;
    slowly(&operator).await;
    let other = with(
        delivery(),
        json!({"dropoff": at(37.7650, -122.4200), "expedited": true, "deadline": "noon"}),
    );
    put(&operator, &path("42"), &other, StatusCode::NO_CONTENT).await;
    let replaced = operator.delivery("42").await;
    assert_eq!(
        (
            &replaced["dropoff"]["latitude"],
            &replaced["expedited"],
            &replaced["deadline"]
        ),
        (&json!(37.765), &json!(true), &json!("noon"))
    );
    let taken = with(delivery(), json!({"owner": {"accountId": "bakery"}}));
    let problem = put(&operator, &path("42"), &taken, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(problem["errors"][0]["pointer"], "/owner/accountId");
    until_stage(&operator, &id, "HeadedToDropoff").await;
    put(&operator, &path("42"), &other, StatusCode::NO_CONTENT).await;
    let problem = put(&operator, &path("42"), &delivery(), StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:picked-up");
    until_stage(&operator, &id, "Completed").await;
    operator.control(json!({"state": "paused"})).await;
    server.stop().await;

    let server = Running::start(tiny(), options).await;
    let operator = server.client();
    put(&operator, &path("42"), &other, StatusCode::NO_CONTENT).await;
    let problem = put(&operator, &path("42"), &delivery(), StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:ended");
    let kinds = operator.kinds(&id).await;
    let count = |kind: &str| kinds.iter().filter(|told| *told == kind).count();
    assert_eq!(
        (count("Accepted"), count("Created"), count("Rescheduled")),
        (1, 1, 1),
        "{kinds:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn an_id_that_the_world_gives_by_itself_cannot_be_taken() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let worlds = "01890a5d-ac96-774b-bcce-b302099a8057";
    let made = put(&operator, &path(worlds), &delivery(), StatusCode::CREATED).await;
    assert_ne!(made["id"], worlds);
    assert_eq!(operator.delivery(worlds).await["id"], made["id"]);
    put(&operator, &path(worlds), &delivery(), StatusCode::NO_CONTENT).await;
    // What the server called a delivery is that delivery.
    let ordered = operator
        .order(&crate::support::client::parcel(
            "Dolores Park",
            "General Hospital",
            1.0,
        ))
        .await;
    let known = operator.delivery(&ordered).await;
    let same = json!({
        "owner": known["owner"], "pickup": known["pickup"], "dropoff": known["dropoff"],
        "deadline": known["deadline"],
    });
    put(&operator, &path(&ordered), &same, StatusCode::NO_CONTENT).await;
    let (_, list) = operator.get("/api/deliveries").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn many_who_put_at_once_make_one_delivery() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let body = delivery();
    let (one, two) = (path("one"), drone_of("two"));
    let puts = futures_util::future::join_all((0..20).map(|_| operator.put(&one, &body))).await;
    let made = puts.iter().filter(|(status, _)| *status == StatusCode::CREATED);
    assert_eq!(made.count(), 1, "{puts:?}");
    slowly(&operator).await;
    let (body, van) = (errand(), "/api/thirdpartydeliveries/two");
    let asked = async || operator.put(&two, &body).await;
    let (drones, _) = futures_util::future::join(
        futures_util::future::join_all((0..10).map(|_| asked())),
        operator.put(van, &body),
    )
    .await;
    let (_, list) = operator.get("/api/deliveries").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2, "{list}");
    let kinds = operator
        .kinds(operator.delivery("two").await["id"].as_str().unwrap())
        .await;
    let begun = kinds
        .iter()
        .filter(|kind| ["Assigned", "HandedToCarrier"].contains(&kind.as_str()));
    assert_eq!(begun.count(), 1, "{kinds:?}");
    assert!(drones.iter().all(|answer| *answer == drones[0]), "{drones:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_drone_is_given_once_and_let_go_until_the_pick_up() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let problem = put(&operator, &drone_of("a"), &errand(), StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:paused");
    slowly(&operator).await;
    let crate_of_iron = json!({"size": "Large", "weight": 2});
    put(
        &operator,
        "/api/packages/iron",
        &crate_of_iron,
        StatusCode::CREATED,
    )
    .await;
    let heavy = with(
        errand(),
        json!({"packageDetails": [{"id": "iron", "size": "Large"}]}),
    );
    let drone = put(&operator, &drone_of("a"), &heavy, StatusCode::OK).await;
    assert_eq!(
        put(&operator, &drone_of("a"), &heavy, StatusCode::OK).await,
        drone
    );
    let shown = operator.delivery("a").await;
    assert_eq!(
        (&shown["droneId"], &shown["owner"]["accountId"]),
        (&drone, &json!("drone-service"))
    );
    let shown = operator.drone(drone.as_str().unwrap()).await;
    assert_eq!(shown["deliveryId"], operator.delivery("a").await["id"]);
    let (_, package) = operator.get("/api/packages/iron").await;
    assert_eq!(
        (&package["size"], &package["weight"]),
        (&json!("Large"), &json!(2.0))
    );

    assert_eq!(operator.delete(&drone_of("a")).await.0, StatusCode::OK);
    assert_eq!(
        operator.delete(&drone_of("a")).await.0,
        StatusCode::OK,
        "called off it stays"
    );
    let problem = put(&operator, &drone_of("a"), &heavy, StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:ended");
    assert_eq!(operator.delete(&drone_of("b")).await.0, StatusCode::NOT_FOUND);

    let drone = put(&operator, &drone_of("b"), &errand(), StatusCode::OK).await;
    let id = operator.delivery("b").await["id"].as_str().unwrap().to_owned();
    until_stage(&operator, &id, "HeadedToDropoff").await;
    let (status, problem) = operator.delete(&drone_of("b")).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:picked-up"))
    );
    until_stage(&operator, &id, "Completed").await;
    assert_eq!(
        put(&operator, &drone_of("b"), &errand(), StatusCode::OK).await,
        drone
    );

    let far = with(errand(), json!({"dropoff": at(36.7, -78.6)}));
    let problem = put(&operator, &drone_of("far"), &far, StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:no-drone");
    let words = problem["detail"].as_str().unwrap();
    assert!(words.contains("third-party transport"), "{words}");
    server.stop().await;
}

/// As the reference's own workflow goes about it: a package, a drone for it, and only then whose
/// the delivery is.
#[tokio::test]
async fn a_delivery_becomes_its_owners_who_comes_after_its_drone() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    slowly(&operator).await;
    let lunch = json!({"size": "Small", "weight": 2});
    let made = put(&operator, "/api/packages/lunch", &lunch, StatusCode::CREATED).await;
    assert_eq!((&made["id"], &made["weight"]), (&json!("lunch"), &json!(2.0)));
    let details = json!({"packageDetails": [{"id": "lunch", "size": "Small"}]});
    let drone = put(
        &operator,
        &drone_of("7"),
        &with(errand(), details),
        StatusCode::OK,
    )
    .await;
    let pounds = async |owner: &str| {
        let path = format!("/api/packages/summary?ownerId={owner}&year=2026&month=6");
        operator.get(&path).await.1["totalWeight"].as_f64().unwrap()
    };
    assert_eq!([pounds("drone-service").await, pounds("cafe").await], [2.0, 0.0]);

    let owned = with(delivery(), json!({"deadline": "noon", "droneId": drone}));
    let taken = put(&operator, &path("7"), &owned, StatusCode::CREATED).await;
    assert_eq!(taken["owner"], json!({"userId": "ada", "accountId": "cafe"}));
    assert_eq!((&taken["deadline"], &taken["droneId"]), (&json!("noon"), &drone));
    assert_eq!([pounds("drone-service").await, pounds("cafe").await], [0.0, 2.0]);
    for (owner, count) in [("cafe", 1), ("drone-service", 0)] {
        let (_, list) = operator.get(&format!("/api/deliveries?ownerId={owner}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{owner}");
    }
    put(&operator, &path("7"), &owned, StatusCode::NO_CONTENT).await;
    let another = with(owned, json!({"owner": {"accountId": "bakery"}}));
    put(&operator, &path("7"), &another, StatusCode::UNPROCESSABLE_ENTITY).await;

    let closed = json!({"id": "closed", "name": "Closed", "kind": "business", "status": "suspended"});
    assert_eq!(
        operator.post("/api/accounts", &closed).await.0,
        StatusCode::CREATED
    );
    put(&operator, &drone_of("8"), &errand(), StatusCode::OK).await;
    let refused = with(delivery(), json!({"owner": {"accountId": "closed"}}));
    let problem = put(&operator, &path("8"), &refused, StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:skyhaul:problem:may-not-order");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_names_another_than_the_path_is_refused() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    put(&operator, &path("mine"), &delivery(), StatusCode::CREATED).await;
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    put(
        &operator,
        "/api/packages/box",
        &json!({"size": 0, "weight": 1}),
        StatusCode::CREATED,
    )
    .await;
    for (method, path, body, pointer) in [
        (
            "PUT",
            "/api/deliveries/mine",
            with(delivery(), json!({"id": "yours"})),
            "/id",
        ),
        (
            "PUT",
            "/api/deliveries/new",
            with(delivery(), json!({"id": "yours"})),
            "/id",
        ),
        (
            "PUT",
            "/api/dronedeliveries/mine",
            with(errand(), json!({"deliveryId": "yours"})),
            "/deliveryId",
        ),
        (
            "PUT",
            "/api/thirdpartydeliveries/new",
            with(errand(), json!({"deliveryId": "yours"})),
            "/deliveryId",
        ),
        (
            "PATCH",
            "/api/deliveries/mine",
            json!({"id": "yours", "deadline": "x"}),
            "/id",
        ),
        (
            "PATCH",
            "/api/deliveryrequests/mine",
            json!({"deliveryId": "yours"}),
            "/deliveryId",
        ),
        (
            "PATCH",
            "/api/deliveryrequests/mine",
            json!({"deliveryId": 7}),
            "/deliveryId",
        ),
        (
            "PUT",
            "/api/packages/box",
            json!({"id": "crate", "size": 0, "weight": 1}),
            "/id",
        ),
        (
            "PATCH",
            "/api/packages/box",
            json!({"id": "crate", "weight": 1}),
            "/id",
        ),
    ] {
        let (status, problem) = match method {
            "PUT" => operator.put(path, &body).await,
            _ => operator.patch(path, &body).await,
        };
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{method} {path}: {problem}"
        );
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let (_, list) = operator.get("/api/deliveries").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    server.stop().await;
}
