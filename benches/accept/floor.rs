//! The floor: bare axum with one SQLite row per request, where requests that wait together
//! share a commit, flushed to the disk. It reads the body as skyhaul does, as JSON whose
//! required fields are there and of the right kind, and answers with the same.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use rusqlite::Connection;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A request on its way to the floor's database.
struct Row {
    id: Uuid,
    body: String,
    written: oneshot::Sender<()>,
}

fn is_request(body: &Value) -> bool {
    let text = |pointer| body.pointer(pointer).is_some_and(Value::is_string);
    ["/ownerId", "/pickupLocation", "/dropOffLocation", "/pickupTime"]
        .into_iter()
        .all(text)
        && ["/packageInfo/packageId", "/packageInfo/size"]
            .into_iter()
            .all(text)
        && body.pointer("/packageInfo/weight").is_some_and(Value::is_number)
}

async fn accept(State(rows): State<mpsc::Sender<Row>>, body: String) -> Response {
    let id = Uuid::now_v7();
    let mut echo = match serde_json::from_str::<Value>(&body) {
        Ok(echo) if is_request(&echo) => echo,
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    echo["deliveryId"] = id.to_string().into();
    let (written, durable) = oneshot::channel();
    let row = Row { id, body, written };
    if rows.send(row).await.is_err() || durable.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let location = format!("/api/deliveryrequests/{id}");
    (StatusCode::ACCEPTED, [(LOCATION, location)], axum::Json(echo)).into_response()
}

fn write(folder: &Path, mut rows: mpsc::Receiver<Row>) -> rusqlite::Result<()> {
    let mut connection = Connection::open(folder.join("floor.db"))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE request (id BLOB PRIMARY KEY, body TEXT NOT NULL)")?;
    let mut together = Vec::new();
    while rows.blocking_recv_many(&mut together, 4_096) > 0 {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO request VALUES (?1, ?2)")?;
            for row in &together {
                insert.execute((row.id.as_bytes(), &row.body))?;
            }
        }
        transaction.commit()?;
        for row in together.drain(..) {
            let _client_left = row.written.send(());
        }
    }
    Ok(())
}

/// Serves on threads of its own until the runtime is dropped.
pub fn start(runtime: &Runtime, folder: &Path) -> SocketAddr {
    let (sender, rows) = mpsc::channel(100_000);
    let folder = folder.to_owned();
    let writer = std::thread::Builder::new().name("floor-store".to_owned());
    writer
        .spawn(move || write(&folder, rows).expect("the floor's database works"))
        .expect("a thread can be had");
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).expect("a socket can do that"));
    let routes = Router::new()
        .route("/api/deliveryrequests", post(accept))
        .with_state(sender);
    runtime.spawn(axum::serve(listener, routes).into_future());
    address
}
