//! Where letters go. Secrets are read from the environment alone and never shown.

use std::fmt;

use axum::http::Uri;
use lettre::message::Mailbox;

/// Without one and the other, letters end as a line in the log.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub mail: Option<Mail>,
    pub hook: Option<Hook>,
}

#[derive(Clone)]
pub struct Mail {
    /// `smtp://` or `smtps://`, with user and password where the server wants them.
    pub(super) server: String,
    pub(super) from: Mailbox,
}

#[derive(Clone)]
pub struct Hook {
    pub(super) url: Uri,
    /// Signs what is sent; without one nothing is signed.
    pub(super) secret: Option<String>,
}

/// What is wrong with a setting, without what it says: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("the mail server is not an address such as smtp://mail.example.com:587?tls=required")]
    MailServer,
    #[error("the sender is not an address such as \"Skyhaul <drones@example.com>\"")]
    Sender,
    #[error("mail needs a sender as well as a server")]
    NoSender,
    #[error("the web hook is not an http or https address")]
    Hook,
    #[error("the machine has no certificates to check a web hook's server with")]
    NoClient,
}

impl Mail {
    /// # Errors
    /// An address that is none.
    pub fn new(server: &str, from: &str) -> Result<Self, SettingsError> {
        let from = from.parse().map_err(|_| SettingsError::Sender)?;
        let mail = Mail {
            server: server.to_owned(),
            from,
        };
        super::mail::transport(&mail).map_err(|_| SettingsError::MailServer)?;
        Ok(mail)
    }
}

impl Hook {
    /// # Errors
    /// An address that is none.
    pub fn new(url: &str, secret: Option<String>) -> Result<Self, SettingsError> {
        let url: Uri = url.parse().map_err(|_| SettingsError::Hook)?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            return Err(SettingsError::Hook);
        }
        Ok(Hook { url, secret })
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("host", &self.url.host())
            .field("signed", &self.secret.is_some())
            .finish_non_exhaustive()
    }
}
