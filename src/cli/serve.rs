//! `skyhaul serve`.

use super::Failure;

#[derive(clap::Args)]
pub struct Args {}

pub fn serve(_args: Args) -> Result<(), Failure> {
    Err(Failure::failed("not wired yet", "wait"))
}
