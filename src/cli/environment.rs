//! Flags that stand in the environment: where one is wrong, which variable it is.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue};

/// The flag's name is told already; nobody would look for it where they did not write it.
pub(super) fn named(error: clap::Error) -> clap::Error {
    named_where(error, std::env::args_os(), |name| {
        std::env::var_os(name).is_some()
    })
}

fn named_where(
    mut error: clap::Error,
    mut arguments: impl Iterator<Item = OsString>,
    is_set: impl Fn(&str) -> bool,
) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // As in "--seed <N>".
    let flag = argument.split(' ').next().unwrap_or_default();
    let Some(name) = flag.strip_prefix("--") else {
        return error;
    };
    let variable = variable_of(name);
    if is_set(&variable) && !arguments.any(|word| gives(&word, flag)) {
        let tip = format!("this is what {variable} says, in the environment");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// Under which a flag may stand in the environment.
pub(super) fn variable_of(flag: &str) -> String {
    format!("SKYHAUL_{}", flag.to_uppercase().replace('-', "_"))
}

fn gives(word: &OsStr, flag: &str) -> bool {
    let rest = word.to_str().and_then(|word| word.strip_prefix(flag));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}
