//! How people who asked for it are told about their deliveries.

use super::Failure;
use crate::notify::{Hook, Mail, Settings, SettingsError};

/// Held by the environment alone: a command line can be seen by everybody on the machine.
const SECRET_VARIABLE: &str = "SKYHAUL_WEB_HOOK_SECRET";

#[derive(clap::Args)]
#[group(id = "notices")]
pub struct Args {
    /// Mail server for those who asked to be told: smtp://HOST:25, smtps://USER:PASSWORD@HOST,
    /// or smtp://USER:PASSWORD@HOST:587?tls=required. Give it by the environment where it holds
    /// a password
    #[arg(long, value_name = "URL", env = "SKYHAUL_MAIL_SERVER", hide_env_values = true)]
    mail_server: Option<String>,
    /// Sender of that mail, such as "Skyhaul <drones@example.com>"
    #[arg(long, value_name = "ADDRESS", env = "SKYHAUL_MAIL_FROM")]
    mail_from: Option<String>,
    /// Address that gets a POST for each text message, and for each mail where there is no mail
    /// server; signed with the secret in SKYHAUL_WEB_HOOK_SECRET
    #[arg(long, value_name = "URL", env = "SKYHAUL_WEB_HOOK", hide_env_values = true)]
    web_hook: Option<String>,
}

impl Args {
    pub fn settings(self) -> Result<Settings, Failure> {
        let mail = match (self.mail_server, self.mail_from) {
            (Some(server), Some(from)) => Some(Mail::new(&server, &from)),
            (Some(_), None) => Some(Err(SettingsError::NoSender)),
            (None, _) => None,
        };
        let secret = std::env::var(SECRET_VARIABLE)
            .ok()
            .filter(|secret| !secret.is_empty());
        let hook = self.web_hook.map(|url| Hook::new(&url, secret));
        Ok(Settings {
            mail: mail.transpose().map_err(bad_setting)?,
            hook: hook.transpose().map_err(bad_setting)?,
        })
    }
}

fn bad_setting(error: SettingsError) -> Failure {
    let remedy = match error {
        SettingsError::MailServer => "see --mail-server in `skyhaul serve --help`",
        SettingsError::Sender | SettingsError::NoSender => {
            "give --mail-from \"Skyhaul <drones@example.com>\""
        }
        SettingsError::NoClient => "install the system's certificates: apt-get install ca-certificates",
        SettingsError::Hook => "give --web-hook http://127.0.0.1:9000/notices, or another address of yours",
    };
    Failure::bad_input(error.to_string(), remedy)
}
