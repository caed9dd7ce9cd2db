//! What can call itself a token: nobody is let in but with the very bytes of a token that
//! was signed here, or with claims under this key's own signature that name somebody.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use skyhaul::auth::{Presented, Role, TokenKey, Tokens, Viewer, now};
use skyhaul::sim::ids::DeliveryId;

const SECRET: &str = "a key that is longer than thirty-two bytes";
const TEN_YEARS: u64 = 10 * 365 * 86_400;

struct Post {
    tokens: Tokens,
    /// Issued here, with whom each lets in.
    issued: Vec<(String, Viewer)>,
    own: EncodingKey,
    others: Vec<EncodingKey>,
}

static POST: LazyLock<Post> = LazyLock::new(|| {
    let tokens = Tokens::new(TokenKey::given(SECRET).unwrap());
    let only = DeliveryId::new(1_800_000_000_000, [3; 10]);
    let account = || Some("café ☕".to_owned());
    let viewers = [
        Viewer::anyone(),
        Viewer::new(Role::Business, account(), None, None).unwrap(),
        Viewer::new(Role::Customer, account(), Some("u-1".into()), Some(only)).unwrap(),
    ];
    let issue = |viewer: Viewer| (tokens.issue(&viewer, TEN_YEARS).into_token(), viewer);
    let issued: Vec<_> = viewers.into_iter().map(issue).collect();
    for (token, viewer) in &issued {
        let grant = tokens.check(&Presented::new(token.as_str()));
        assert_eq!(&grant.expect("it is valid").viewer, viewer, "or nothing here shows anything");
    }
    Post {
        issued,
        own: EncodingKey::from_secret(SECRET.as_bytes()),
        others: [&b""[..], b"skyhaul", &[0; 64], &SECRET.as_bytes()[1..]]
            .map(EncodingKey::from_secret)
            .into(),
        tokens,
    }
});

#[derive(Arbitrary, Debug)]
enum Attempt<'a> {
    /// Anything.
    Text(&'a str),
    /// A valid token with some bytes changed.
    Edited { token: u8, edits: Vec<Edit> },
    /// Parts of two valid tokens.
    Spliced { one: u8, other: u8, cut: u16, go_on: u16 },
    /// Anything, under a signature that fits it: with this server's key, or another.
    Signed { header: Head<'a>, claims: &'a [u8], key: u8 },
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Replace { at: u16, with: u8 },
    Insert { at: u16, byte: u8 },
    Remove { at: u16 },
    Truncate { to: u16 },
    /// The other of two spellings of the same bits, where base64 has them.
    Tail,
}

#[derive(Arbitrary, Debug)]
enum Head<'a> {
    Usual,
    NoAlgorithm,
    Other(&'a [u8]),
}

fuzz_target!(|attempt: Attempt| {
    let post = &*POST;
    match attempt {
        Attempt::Text(text) => only_as_issued(post, text.to_owned()),
        Attempt::Edited { token, edits } => {
            let mut bytes = issued(post, token).as_bytes().to_vec();
            edits.iter().take(64).for_each(|edit| edit.apply(&mut bytes));
            only_as_issued(post, String::from_utf8_lossy(&bytes).into_owned());
        }
        Attempt::Spliced { one, other, cut, go_on } => {
            let (one, other) = (issued(post, one), issued(post, other));
            let head = &one[..usize::from(cut) % (one.len() + 1)];
            let tail = &other[usize::from(go_on) % (other.len() + 1)..];
            only_as_issued(post, format!("{head}{tail}"));
        }
        Attempt::Signed { header, claims, key } => signed(post, &header, claims, key),
    }
});

fn issued(post: &Post, which: u8) -> &str {
    &post.issued[usize::from(which) % post.issued.len()].0
}

/// Who is let in showed a token that was issued here, byte for byte, and is its bearer.
fn only_as_issued(post: &Post, text: String) {
    let granted = post.tokens.check(&Presented::new(text.as_str()));
    let known = post.issued.iter().find(|(token, _)| *token == text);
    match (granted, known) {
        (Ok(grant), Some((_, viewer))) => assert_eq!(grant.viewer, *viewer),
        (Ok(grant), None) => panic!("{text:?} lets in {:?}", grant.viewer),
        (Err(denied), Some(_)) => panic!("{text:?} was issued here, and is refused: {denied}"),
        (Err(_), None) => {}
    }
}

fn signed(post: &Post, header: &Head<'_>, claims: &[u8], key: u8) {
    let header = match header {
        Head::Usual => br#"{"typ":"JWT","alg":"HS256"}"#,
        Head::NoAlgorithm => &br#"{"typ":"JWT","alg":"none"}"#[..],
        Head::Other(bytes) => bytes,
    };
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let foreign = post.others.get(usize::from(key));
    let signature = crypto::sign(message.as_bytes(), foreign.unwrap_or(&post.own), Algorithm::HS256);
    let token = format!("{message}.{}", signature.expect("HS256 signs anything"));
    let Ok(grant) = post.tokens.check(&Presented::new(token)) else {
        return;
    };
    assert!(foreign.is_none(), "another key lets in {:?}", grant.viewer);
    let header: Value = serde_json::from_slice(header).expect("a header is JSON");
    assert_eq!(header["alg"], "HS256", "{header}");
    let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
    assert_eq!(claims["role"], grant.viewer.role().as_str(), "{claims}");
    assert_eq!(claims["account"].as_str(), grant.viewer.account(), "{claims}");
    assert_eq!(claims["exp"].as_u64(), grant.expires, "{claims}");
    assert!(grant.expires.is_some_and(|expires| expires > now()), "{claims}");
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match *self {
            Edit::Replace { at, with } if length > 0 => bytes[usize::from(at) % length] = with,
            Edit::Insert { at, byte } => bytes.insert(usize::from(at) % (length + 1), byte),
            Edit::Remove { at } if length > 0 => {
                bytes.remove(usize::from(at) % length);
            }
            Edit::Truncate { to } => bytes.truncate(usize::from(to) % (length + 1)),
            Edit::Tail if length > 0 => bytes[length - 1] ^= 1,
            Edit::Replace { .. } | Edit::Remove { .. } | Edit::Tail => {}
        }
    }
}
