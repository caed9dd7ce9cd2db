//! What answers may quote of what a client wrote: no word so long that it could be a token
//! in a wrong place, from where it would get into whatever shows or keeps answers.

use std::borrow::Cow;

/// Longer than an id, and far shorter than any token that would let somebody in.
const LONGEST_WORD: usize = 40;

/// The text with `…` for each word that could be a token.
pub fn discreet(text: &str) -> Cow<'_, str> {
    if words(text).all(|word| word.len() <= LONGEST_WORD) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    for word in words(text).filter(|word| word.len() > LONGEST_WORD) {
        let (before, after) = rest.split_once(word).unwrap_or((rest, ""));
        shown.push_str(before);
        shown.push('…');
        rest = after;
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Unbroken runs of what tokens are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_be_a_token_is_left_out_and_nothing_else() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoib3BlcmF0b3IifQ.c2lnbmF0dXJl-_c2lnbmF0dXJl";
        for plain in [
            "",
            "there is no `delivery/01890a5d-ac96-774b-bcce-b302099a8057`",
            "`hubs` is none of delivery/{id}, drone/{id}, hub/{id}, area, fleet, events",
            "ääääääääääääääääääääääääääääääääääääääääääääääääääääääää",
        ] {
            assert!(matches!(discreet(plain), Cow::Borrowed(text) if text == plain));
        }
        assert_eq!(discreet(token), "…");
        let twice = format!("`delivery/{token}`, {token}");
        assert_eq!(discreet(&twice), "`delivery/…`, …");
    }

    proptest! {
        #[test]
        fn no_long_word_is_left_and_all_else_is(
            parts in prop::collection::vec(("[a-zA-Z0-9._-]{0,80}", "[ /`\"äß?=]{1,3}"), 0..6),
        ) {
            let text: String = parts.iter().map(|(word, gap)| format!("{word}{gap}")).collect();
            let expected: String = parts
                .iter()
                .map(|(word, gap)| match word.len() {
                    0..=LONGEST_WORD => format!("{word}{gap}"),
                    _ => format!("…{gap}"),
                })
                .collect();
            prop_assert_eq!(discreet(&text), expected);
        }
    }
}
