//! Mail by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, Message};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::settings::Mail;
use super::{Letter, Undelivered, words};
use crate::sim::world::World;

/// A server that says nothing for so long is not there.
const PATIENCE: Duration = Duration::from_secs(20);

pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// # Errors
/// A server's address that cannot be read.
pub fn transport(settings: &Mail) -> Result<Transport, smtp::Error> {
    Ok(Transport::from_url(&settings.server)?
        .timeout(Some(PATIENCE))
        .build())
}

/// # Errors
/// What the server said, or that it said nothing.
pub async fn send(
    transport: &Transport,
    from: &Mailbox,
    to: &str,
    letter: &Letter,
    world: &World,
) -> Result<(), Undelivered> {
    let hopeless = |cause: &str| Undelivered::ForGood(cause.to_owned());
    let to: Mailbox = to.parse().map_err(|_| hopeless("not an address"))?;
    let domain = from.email.domain();
    let message = Message::builder()
        .from(from.clone())
        .to(to)
        // The same at each try, so that a mail system can tell a repeat.
        .message_id(Some(format!(
            "<{}.{}@{domain}>",
            letter.notice.delivery, letter.number
        )))
        .subject(words::subject(letter.notice.moment))
        .body(words::text(letter, world))
        .map_err(|_| hopeless("it makes no mail"))?;
    match transport.send(message).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() => Err(Undelivered::ForGood(said(&error))),
        Err(error) => Err(Undelivered::ForNow(said(&error))),
    }
}

/// The status alone: a server's words may repeat the address.
fn said(error: &smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server said {code}"),
        None if error.is_timeout() => "the mail server did not answer".to_owned(),
        None if error.is_client() => "the mail could not be sent as it is".to_owned(),
        None => "the mail server cannot be reached".to_owned(),
    }
}
