//! Finds single members in JSON text without reading the rest of it: the generator sees
//! many messages and wants one or two members of each.
//!
//! It relies on two things that hold for what the target writes: no spaces around colons,
//! and no quotes within the wanted texts. A quote inside any other text is escaped there, so
//! that no text can be taken for a member.

use memchr::{memchr, memmem};

/// What follows this mark, up to the next quote. The mark ends with the text's first quote.
pub(super) fn text_of<'a>(json: &'a [u8], mark: &[u8]) -> Option<&'a str> {
    let rest = after(json, mark)?;
    std::str::from_utf8(&rest[..memchr(b'"', rest)?]).ok()
}

/// The whole number that follows this mark.
pub(super) fn number_of(json: &[u8], mark: &[u8]) -> Option<u64> {
    let rest = after(json, mark)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

pub(super) fn after<'a>(json: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(json, mark)?;
    Some(&json[at + mark.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_and_texts_are_not_taken_for_them() {
        let json = br#"{"type":"event","note":"\"seq\":7","seq":58,"event":{"kind":"Created"}}"#;
        assert_eq!(number_of(json, b"\"seq\":"), Some(58));
        assert_eq!(text_of(json, b"\"kind\":\""), Some("Created"));
        assert_eq!(text_of(json, b"\"deliveryId\":\""), None);
        assert_eq!(number_of(br#"{"seq":"#, b"\"seq\":"), None);
    }
}
