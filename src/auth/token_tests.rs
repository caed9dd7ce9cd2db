//! Attempts to get in with what is no token of this server.

use super::*;
use crate::auth::TokenKey;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: UnixSeconds = 1_800_000_000;
const SECRET: &str = "a key of more than thirty-two bytes";

fn tokens() -> Tokens {
    Tokens::new(TokenKey::given(SECRET).unwrap())
}

fn customer() -> Viewer {
    let only = DeliveryId::new(NOW * 1_000, [3; 10]);
    Viewer::new(Role::Customer, Some("ada".into()), Some("u-1".into()), Some(only)).unwrap()
}

fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sextets = |bytes: &[u8]| {
        let padded = [0, 1, 2].map(|place| u32::from(bytes.get(place).copied().unwrap_or(0)));
        let bits = padded[0] << 16 | padded[1] << 8 | padded[2];
        let digit = move |place: usize| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
        (0..=bytes.len()).map(digit).collect::<String>()
    };
    text.as_bytes().chunks(3).map(sextets).collect()
}

/// Signed as it should be, with claims of the caller's.
fn signed(claims: &Value) -> Presented {
    let key = TokenKey::given(SECRET).unwrap();
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key.signing);
    Presented::new(token.unwrap())
}

fn refused(presented: &Presented) -> Denied {
    tokens().check_at(presented, NOW).unwrap_err()
}

#[test]
fn a_token_lets_in_whom_it_was_made_for_until_it_expires() {
    let anyone_of_them = [
        Viewer::anyone(),
        Viewer::new(Role::Business, Some("café ☕".into()), None, None).unwrap(),
        customer(),
    ];
    for viewer in anyone_of_them {
        let token = Presented::new(tokens().issue_at(&viewer, 60, NOW).into_token());
        let grant = tokens().check_at(&token, NOW + 59).unwrap();
        assert_eq!((grant.viewer, grant.expires), (viewer, Some(NOW + 60)));
        assert_eq!(tokens().check_at(&token, NOW + 60), Err(Denied::Expired));
    }
}

#[test]
fn another_key_signs_for_another_server() {
    let other = Tokens::new(TokenKey::of_this_process().unwrap());
    let token = other.issue_at(&Viewer::anyone(), 60, NOW).into_token();
    assert_eq!(refused(&Presented::new(token)), Denied::NotOurs);
}

#[test]
fn no_other_algorithm_is_a_way_in() {
    let claims = json!({"role": "operator", "exp": NOW + 60});
    let payload = base64url(&claims.to_string());
    for algorithm in ["none", "None", "NONE", "HS256", "RS256", "ES256", "EdDSA", ""] {
        let header = base64url(&json!({"alg": algorithm, "typ": "JWT"}).to_string());
        for signature in ["", "AAAA"] {
            let forged = Presented::new(format!("{header}.{payload}.{signature}"));
            assert_eq!(refused(&forged), Denied::NotOurs, "{algorithm}");
        }
    }
    // Signed with the right key, but not in the one way that is taken.
    let key = TokenKey::given(SECRET).unwrap();
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &key.signing).unwrap();
        assert_eq!(refused(&Presented::new(token)), Denied::NotOurs, "{algorithm:?}");
    }
    let critical = Header {
        crit: Some(vec!["exp".into()]),
        ..Header::new(Algorithm::HS256)
    };
    let token = jsonwebtoken::encode(&critical, &claims, &key.signing).unwrap();
    assert_eq!(refused(&Presented::new(token)), Denied::NotOurs);
}

#[test]
fn claims_that_are_missing_or_wrong_name_nobody() {
    let exp = NOW + 60;
    for claims in [
        json!({}),
        json!({"role": "operator"}),
        json!({"role": "operator", "exp": "soon"}),
        json!({"role": "operator", "exp": -1}),
        json!({"role": "root", "exp": exp}),
        json!({"role": ["operator"], "exp": exp}),
        json!({"exp": exp}),
        json!({"role": "business", "exp": exp}),
        json!({"role": "customer", "account": "", "exp": exp}),
        json!({"role": "customer", "account": "ada", "delivery": "7", "exp": exp}),
        json!({"role": "business", "account": "cafe", "delivery": DeliveryId::new(1, [0; 10]).to_string(), "exp": exp}),
        json!([]),
        json!("operator"),
    ] {
        assert_eq!(refused(&signed(&claims)), Denied::NamesNobody, "{claims}");
    }
    let other_audience = json!({"role": "operator", "exp": exp, "aud": "somebody else"});
    assert_eq!(refused(&signed(&other_audience)), Denied::NotOurs);
    let not_yet = json!({"role": "operator", "exp": exp, "nbf": NOW + 1});
    assert_eq!(refused(&signed(&not_yet)), Denied::NotYet);
    let just_now = json!({"role": "operator", "exp": exp, "nbf": NOW});
    assert!(tokens().check_at(&signed(&just_now), NOW).is_ok());
}

#[test]
fn a_token_has_a_longest_length() {
    let long = json!({"role": "operator", "exp": NOW + 60, "note": "x".repeat(LONGEST_TOKEN)});
    assert_eq!(refused(&signed(&long)), Denied::TooLong);
    assert_eq!(refused(&Presented::new("a.".repeat(1 << 20))), Denied::TooLong);
}

#[test]
fn nothing_that_holds_a_token_shows_it() {
    let issued = tokens().issue_at(&customer(), 60, NOW);
    let shown = format!("{issued:?} {:?}", tokens());
    let token = issued.into_token();
    let shown = format!("{shown} {:?}", Presented::new(token.clone()));
    for part in token.split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
    assert!(!shown.contains(SECRET), "{shown}");
}

proptest! {
    #[test]
    fn whatever_is_shown_nobody_gets_in_and_nothing_breaks(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let check = |text: &str| tokens().check_at(&Presented::new(text), NOW).is_err();
        prop_assert!(check(&text));
        prop_assert!(check(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn whatever_looks_like_a_token_gets_nobody_in(
        header in "[A-Za-z0-9_-]{0,40}", payload in "[A-Za-z0-9_-]{0,80}", signature in "[A-Za-z0-9_-]{43}",
    ) {
        let honest = tokens().issue_at(&customer(), 60, NOW).into_token();
        let its: Vec<_> = honest.split('.').collect();
        for forged in [
            format!("{header}.{payload}.{signature}"),
            format!("{}.{payload}.{signature}", its[0]),
            format!("{}.{}.{signature}", its[0], its[1]),
            format!("{}.{payload}.{}", its[0], its[2]),
        ] {
            prop_assert!(tokens().check_at(&Presented::new(forged), NOW).is_err());
        }
    }

    #[test]
    fn a_token_with_one_other_byte_is_refused(place in any::<prop::sample::Index>(), flip in 1_u8..128) {
        let mut bytes = tokens().issue_at(&customer(), 60, NOW).into_token().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let text = String::from_utf8(bytes).expect("flips within ASCII are ASCII");
        prop_assert!(tokens().check_at(&Presented::new(text), NOW).is_err());
    }
}
