//! A real issuer on a socket: its tokens get in, and nothing else does.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aureole_oidc::{Bearer, CheckError, Issuer, Refusal, Rules};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use tokio::sync::watch;

/// A key of the provider's, and how it is published.
struct Key {
    id: &'static str,
    algorithm: Algorithm,
    signs: EncodingKey,
    published: Value,
}

/// What the provider answers.
#[derive(Clone, Debug)]
enum Mood {
    Well,
    NamedOtherwise,
    Failing,
    Chatty,
    Garbled,
    Elsewhere(String),
}

/// A provider on a socket.
struct Provider {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
    /// Answers wait for it.
    open: watch::Sender<bool>,
}

// === impl Key ===

impl Key {
    fn p256(id: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let point = pair.public_key_raw();
        let part = |range| URL_SAFE_NO_PAD.encode(&point[range]);
        Self {
            id,
            algorithm: Algorithm::ES256,
            signs: EncodingKey::from_ec_der(&pair.serialize_der()),
            published: json!({
                "kty": "EC", "crv": "P-256", "kid": id, "use": "sig",
                "x": part(1..33), "y": part(33..65),
            }),
        }
    }

    fn rsa(id: &'static str) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        Self {
            id,
            algorithm: Algorithm::RS256,
            signs: EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
            published: json!({
                "kty": "RSA", "kid": id, "alg": "RS256", "n": part(key.n()), "e": part(key.e()),
            }),
        }
    }

    fn token(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &self.signs).unwrap()
    }
}

// === impl Provider ===

impl Provider {
    async fn start(keys: &[&Key]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys: Vec<Value> = keys.iter().map(|key| key.published.clone()).collect();
        let provider = Self {
            url: url.clone(),
            keys: Arc::new(Mutex::new(keys)),
            mood: Arc::new(Mutex::new(Mood::Well)),
            asked: Arc::default(),
            open: watch::Sender::new(true),
        };
        let gate = provider.open.subscribe();
        let (mood, asked) = (Arc::clone(&provider.mood), Arc::clone(&provider.asked));
        let discovery = move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let mood = mood.lock().unwrap().clone();
            let url = url.clone();
            let mut gate = gate.clone();
            async move {
                gate.wait_for(|open| *open).await.unwrap();
                describe(&mood, &url)
            }
        };
        let published = Arc::clone(&provider.keys);
        let set = move || async move { Json(json!({ "keys": *published.lock().unwrap() })) };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(set));
        tokio::spawn(async move { axum::serve(listener, app).await });
        provider
    }

    fn issuer(&self) -> Issuer {
        let rules = Rules::new(&self.url, "aureole", "tenant", "/realm/roles").unwrap();
        Issuer::new(rules).unwrap()
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": "aureole", "sub": "ada", "exp": now() + 300,
            "tenant": "acme", "realm": {"roles": ["submitter", "offline"]},
        })
    }

    fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

fn describe(mood: &Mood, url: &str) -> Response {
    let document = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    match mood {
        Mood::Well => Json(document).into_response(),
        Mood::NamedOtherwise => {
            Json(json!({"issuer": "https://id.example", "jwks_uri": format!("{url}/keys")}))
                .into_response()
        }
        Mood::Failing => StatusCode::BAD_GATEWAY.into_response(),
        Mood::Chatty => Body::from(vec![b' '; 300_000]).into_response(),
        Mood::Garbled => "<html>".into_response(),
        Mood::Elsewhere(keys) => Json(json!({"issuer": url, "jwks_uri": keys})).into_response(),
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

async fn refusal(issuer: &Issuer, token: &str) -> Refusal {
    match issuer.check(token).await {
        Err(CheckError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn away(provider: &Provider) -> String {
    let key = Key::p256("one");
    let token = key.token(&provider.claims());
    match provider.issuer().check(&token).await {
        Err(CheckError::Away { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_of_either_kind_of_key_says_who_its_bearer_is() {
    let (one, two) = (Key::p256("one"), Key::rsa("two"));
    let provider = Provider::start(&[&one, &two]).await;
    let issuer = provider.issuer();
    for key in [&one, &two] {
        let bearer = issuer.check(&key.token(&provider.claims())).await.unwrap();
        let expected = Bearer {
            subject: "ada".to_owned(),
            tenants: vec!["acme".to_owned()],
            roles: vec!["submitter".to_owned(), "offline".to_owned()],
        };
        assert_eq!(bearer, expected);
    }
    assert_eq!(
        provider.asked.load(Ordering::SeqCst),
        1,
        "fetched more than once"
    );
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused() {
    let key = Key::p256("one");
    let provider = Provider::start(&[&key]).await;
    let issuer = provider.issuer();
    let claims = provider.claims();
    let cases = [
        ("exp", json!(now() - 120), Refusal::Time),
        ("nbf", json!(now() + 120), Refusal::Time),
        ("iss", json!("https://id.example"), Refusal::Issuer),
        ("aud", json!(["another"]), Refusal::Audience),
        ("sub", json!(""), Refusal::Claims),
        ("sub", json!("a".repeat(256)), Refusal::Claims),
        ("sub", Value::Null, Refusal::Claims),
        ("exp", Value::Null, Refusal::Claims),
        ("exp", json!("never"), Refusal::Claims),
    ];
    for (name, value, expected) in cases {
        let token = key.token(&with(claims.clone(), name, value.clone()));
        assert_eq!(refusal(&issuer, &token).await, expected, "{name} = {value}");
    }
    for text in ["", "..", "a.b.c", "aur_1_2"] {
        assert_eq!(refusal(&issuer, text).await, Refusal::Malformed, "{text}");
    }
}

#[tokio::test]
async fn a_signature_that_is_not_the_issuers_is_refused() {
    let (key, stranger) = (Key::p256("one"), Key::p256("one"));
    let provider = Provider::start(&[&key]).await;
    let issuer = provider.issuer();
    let claims = provider.claims();
    assert_eq!(
        refusal(&issuer, &stranger.token(&claims)).await,
        Refusal::Signature
    );
    let token = key.token(&claims);
    let changed = key.token(&with(claims.clone(), "tenant", json!("other")));
    let parts: Vec<&str> = token.split('.').collect();
    let body = changed.split('.').nth(1).unwrap();
    let mixed = format!("{}.{body}.{}", parts[0], parts[2]);
    assert_eq!(refusal(&issuer, &mixed).await, Refusal::Signature);
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let unsigned = format!("{unsigned}.{}.", parts[1]);
    assert_eq!(refusal(&issuer, &unsigned).await, Refusal::Malformed);
    // The public key as an HMAC secret: the confusion of RFC 8725, section 2.1.
    let secret = key.published["x"].as_str().unwrap();
    let secret = EncodingKey::from_secret(secret.as_bytes());
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    let confused = encode(&header, &claims, &secret).unwrap();
    assert_eq!(refusal(&issuer, &confused).await, Refusal::Algorithm);
}

#[tokio::test]
async fn an_unknown_key_id_has_the_keys_fetched_once_and_no_more() {
    let (one, two) = (Key::p256("one"), Key::p256("two"));
    let provider = Provider::start(&[&one]).await;
    let issuer = provider.issuer();
    let token = two.token(&provider.claims());
    for _ in 0..20 {
        assert_eq!(refusal(&issuer, &token).await, Refusal::Key);
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
    issuer.check(&one.token(&provider.claims())).await.unwrap();
}

#[tokio::test]
async fn callers_who_go_away_have_the_keys_fetched_once_and_the_fetch_goes_on() {
    let key = Key::p256("new");
    let provider = Provider::start(&[&key]).await;
    provider.open.send_replace(false);
    let issuer = provider.issuer();
    let token = key.token(&provider.claims());
    let asked = || provider.asked.load(Ordering::SeqCst);
    while asked() == 0 {
        let gone = tokio::time::timeout(Duration::from_millis(20), issuer.check(&token));
        gone.await.unwrap_err();
    }
    for _ in 0..20 {
        let gone = tokio::time::timeout(Duration::from_millis(20), issuer.check(&token));
        gone.await.unwrap_err();
    }
    provider.open.send_replace(true);
    issuer.check(&token).await.unwrap();
    assert_eq!(asked(), 1, "fetched more than once");
}

#[tokio::test]
async fn keys_that_are_known_count_while_the_issuer_is_away() {
    let key = Key::p256("one");
    let provider = Provider::start(&[&key]).await;
    let issuer = provider.issuer();
    issuer.check(&key.token(&provider.claims())).await.unwrap();
    provider.becomes(Mood::Failing);
    issuer.check(&key.token(&provider.claims())).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_gives_no_keys_is_away_and_says_why() {
    let key = Key::p256("one");
    let provider = Provider::start(&[&key]).await;
    let moods = [
        (Mood::Failing, "answers 502"),
        (Mood::NamedOtherwise, "speaks for `https://id.example`"),
        (Mood::Chatty, "sends more than 262144 B"),
        (Mood::Garbled, "sends no document of its kind"),
        (
            Mood::Elsewhere("http://192.0.2.1/keys".to_owned()),
            "is not https",
        ),
        (
            Mood::Elsewhere("http://127.0.0.1:1/keys".to_owned()),
            "does not answer",
        ),
    ];
    for (mood, expected) in moods {
        provider.becomes(mood.clone());
        let reason = away(&provider).await;
        assert!(reason.contains(expected), "{mood:?}: {reason}");
    }
    provider.becomes(Mood::Well);
    provider.keys.lock().unwrap().clear();
    let reason = away(&provider).await;
    assert!(reason.ends_with("has no key that counts"), "{reason}");
}
