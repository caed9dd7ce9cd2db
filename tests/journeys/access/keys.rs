//! The key that signs tokens, and the command that makes them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::PATIENCE;
use crate::support::child::Child;
use crate::support::program::{Ended, run, skyhaul};
use crate::support::worlds::shipped;

const REQUIRED: [&str; 4] = ["--auth", "required", "--paused", "--no-demand"];

fn make_token(data: &Path, flags: &[&str]) -> Ended {
    let data = data.to_str().expect("temporary folders are UTF-8");
    run(&skyhaul(), ["token", "--data", data].iter().chain(flags))
}

/// What is on the last line, and nothing else is.
fn last_line(ended: &Ended) -> String {
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    ended.stdout.lines().last().expect("a token").to_owned()
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

async fn status(address: &str, path: &str, token: &str) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .get(format!("http://{address}{path}"))
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_server_takes_the_tokens_that_the_command_makes_with_its_folder() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let early = make_token(&data, &["--role", "operator"]);
    assert_eq!(mode_of(&data.join("token.key")), 0o600);
    assert_eq!(mode_of(&data), 0o700, "the folder too is its owner's");
    let mut child = Child::spawn(&shipped("tiny"), &data, &REQUIRED);
    let address = child.serving().await.address().to_string();

    let (code, clock) = status(&address, "/api/simulation", &last_line(&early)).await;
    assert_eq!((code, &clock["state"]), (200, &Value::from("paused")));
    let business = make_token(
        &data,
        &["--role", "business", "--account", "cafe", "--ttl", "10m"],
    );
    let business = last_line(&business);
    assert_eq!(status(&address, "/api/deliveries", &business).await.0, 200);
    assert_eq!(status(&address, "/metrics", &business).await.0, 403);

    // Of another folder, and so of another key.
    let elsewhere = make_token(&folder.path().join("elsewhere"), &["--role", "operator"]);
    assert_eq!(
        status(&address, "/api/simulation", &last_line(&elsewhere))
            .await
            .0,
        401
    );
    assert!(!child.log().contains(last_line(&early).as_str()));
    child.terminate();
    let ended = child.ended(PATIENCE).await.expect("it ends");
    assert!(ended.success());
}

#[tokio::test]
async fn a_server_makes_its_key_on_first_start_for_its_owner_alone_and_keeps_it() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let mut child = Child::spawn(&shipped("tiny"), &data, &REQUIRED);
    let address = child.serving().await.address().to_string();
    let file = data.join("token.key");
    assert_eq!(mode_of(&file), 0o600);
    let key = fs::read_to_string(&file).expect("it is ours");
    let token = last_line(&make_token(&data, &["--role", "operator"]));
    assert_eq!(status(&address, "/api/simulation", &token).await.0, 200);
    child.kill();

    let mut again = Child::spawn(&shipped("tiny"), &data, &REQUIRED);
    let address = again.serving().await.address().to_string();
    assert_eq!(status(&address, "/api/simulation", &token).await.0, 200);
    assert_eq!(fs::read_to_string(&file).expect("it is ours"), key);
    assert!(!again.log().contains(key.trim()));
}

/// Refused in words that name these, with the exit status of bad input.
fn refused_for(status: Option<i32>, said: &str, words: &[&str]) {
    assert_eq!(status, Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is not named: {said}");
    }
    assert!(said.contains("remedy: "), "{said}");
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_by_the_server_and_the_command() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    make_token(&data, &["--role", "operator"]);
    let file = data.join("token.key");
    let key = fs::read_to_string(&file).expect("it is ours");
    for mode in [0o640, 0o604, 0o622, 0o777] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
        let words = ["token.key", "others", "chmod 600"];
        let ended = make_token(&data, &["--role", "operator"]);
        refused_for(ended.status, &ended.stderr, &words);
        assert_eq!(ended.stdout, "");
        let mut child = Child::spawn(&shipped("tiny"), &data, &REQUIRED);
        let ended = child.ended(PATIENCE).await.expect("it does not start");
        refused_for(ended.code(), &child.log(), &words);
        assert!(!child.log().contains(key.trim()), "{}", child.log());
    }
}

#[tokio::test]
async fn a_key_that_is_too_short_is_refused_and_not_shown() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let weak = "thirty-one-bytes-are-too-few-xx";
    let variables = [("SKYHAUL_TOKEN_KEY", weak)];
    let mut child = Child::spawn_with(&shipped("tiny"), &data, &REQUIRED, &variables);
    let ended = child
        .ended(Duration::from_secs(60))
        .await
        .expect("it does not start");
    refused_for(ended.code(), &child.log(), &["SKYHAUL_TOKEN_KEY", "31", "32"]);
    assert!(!child.log().contains(weak), "{}", child.log());

    let command = Command::new(skyhaul())
        .args(["token", "--role", "operator"])
        .envs(variables)
        .output()
        .expect("the program starts");
    let said = String::from_utf8(command.stderr).expect("UTF-8");
    refused_for(command.status.code(), &said, &["SKYHAUL_TOKEN_KEY", "31"]);
    assert!(!said.contains(weak), "{said}");
    assert!(!data.exists(), "nothing is begun");
}

#[test]
fn the_command_makes_no_token_that_names_nobody() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    for flags in [
        &["--role", "business"][..],
        &["--role", "customer"],
        &["--role", "customer", "--account", ""],
        &["--role", "root"],
        &[
            "--role",
            "operator",
            "--delivery",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ],
        &["--role", "operator", "--ttl", "0s"],
        &["--role", "operator", "--ttl", "soon"],
        &["--role", "operator", "--ttl", "9999999999h"],
        &["--role", "operator", "--account", "cafe"],
        &[],
    ] {
        let ended = make_token(&data, flags);
        assert_eq!(ended.status, Some(2), "{flags:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{flags:?}");
    }
}
