//! `skyhaul token`: a token for a server that asks for them, signed with the same key.

use std::path::Path;

use clap::ValueEnum;

use super::Failure;
use crate::auth::{self, KEY_VARIABLE, KeyError, Role, TokenKey, Tokens, Viewer};
use crate::scenario::parse_duration;
use crate::sim::ids::DeliveryId;
use crate::store;

/// A century, so that a slip of the keyboard is noticed.
const LONGEST_TTL_S: f64 = 876_000.0 * 3_600.0;

#[derive(clap::Args)]
pub struct Args {
    /// What its bearer may: an operator everything, the others what is their account's
    #[arg(long, value_enum, env = "SKYHAUL_ROLE")]
    role: Named,
    /// Whose deliveries it shows; needed for a business or a customer, and not for an operator
    #[arg(long, value_name = "ID", env = "SKYHAUL_ACCOUNT")]
    account: Option<String>,
    /// The user among those of the account; orders placed with the token carry it
    #[arg(long, value_name = "ID", env = "SKYHAUL_USER")]
    user: Option<String>,
    /// Shows this delivery and nothing else; for a customer
    #[arg(long, value_name = "ID", env = "SKYHAUL_DELIVERY")]
    delivery: Option<DeliveryId>,
    /// How long it is good for
    #[arg(long, value_name = "DURATION", env = "SKYHAUL_TTL", default_value = "1h", value_parser = parse_ttl)]
    ttl: u64,
    /// The server's data folder, where the key is; made where there is none
    #[arg(long, value_name = "DIR", env = "SKYHAUL_DATA", hide_env_values = true, default_value = "./data", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    data: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Named {
    Operator,
    Business,
    Customer,
}

fn parse_ttl(text: &str) -> Result<u64, String> {
    let seconds = parse_duration(text).map(|ttl| ttl.as_secs());
    match seconds {
        Some(seconds) if (1.0..=LONGEST_TTL_S).contains(&seconds) => Ok(seconds as u64),
        _ => Err("a duration from 1s to 876000h (a century), such as 90s, 30m or 24h, is wanted".to_owned()),
    }
}

pub fn token(args: Args) -> Result<(), Failure> {
    let role = match args.role {
        Named::Operator => Role::Operator,
        Named::Business => Role::Business,
        Named::Customer => Role::Customer,
    };
    // Its token would say nothing of the account, which is easily taken for a narrower right.
    if args.account.is_some() && matches!(role, Role::Operator) {
        return Err(Failure::bad_input(
            "an operator belongs to no account",
            "leave --account out, or make a token for a business or a customer",
        ));
    }
    let viewer = Viewer::new(role, args.account, args.user, args.delivery);
    let viewer = viewer.map_err(|why| {
        Failure::bad_input(
            why.to_string(),
            "give --account to a business or a customer, and --delivery to customers only",
        )
    })?;
    let key = match given_key()? {
        Some(key) => key,
        None => key_of(&args.data)?,
    };
    let token = Tokens::new(key).issue(&viewer, args.ttl);
    println!("{}", token.into_token());
    Ok(())
}

fn key_of(data: &str) -> Result<TokenKey, Failure> {
    if !store::is_folder(data) {
        return Err(Failure::bad_input(
            format!(
                "{} keeps no key that tokens could be signed with",
                store::shown(data)
            ),
            format!("give {KEY_VARIABLE} to the server and to this command, or --data a folder"),
        ));
    }
    let folder = Path::new(data);
    let is_new = !folder.join(auth::KEY_FILE).exists();
    let key = TokenKey::in_folder(folder).map_err(|error| bad_key(&error))?;
    if is_new {
        eprintln!("made a new key in {data}; a server started with this folder takes its tokens");
    }
    Ok(key)
}

/// The key that the environment gives, where it does.
pub fn given_key() -> Result<Option<TokenKey>, Failure> {
    match std::env::var(KEY_VARIABLE) {
        Ok(text) => TokenKey::given(&text).map(Some).map_err(|error| bad_key(&error)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::bad_input(
            format!("{KEY_VARIABLE} is not text"),
            "give random bytes as hexadecimal digits",
        )),
    }
}

pub fn bad_key(error: &KeyError) -> Failure {
    Failure::bad_input(error.to_string(), error.remedy())
}
