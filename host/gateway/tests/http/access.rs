//! Who is let in, for what, how often: the whole table, each role and no key at all.

use std::num::NonZeroU32;

use aureole_gateway::{Access, Config, Rates, table};
use aureole_ledger::Role;
use axum::http::Method;
use tokio::io::AsyncWriteExt as _;

use crate::{
    house::{CIRCUIT, DONE, KEY, TOKEN, TOKEN_OF_ONE_AWAY, admit, done},
    wire::{Reply, Server, last_reply, server, server_at, server_with},
};

/// A key for each role, all of one tenant.
const KEYS: [(Role, &str); 4] = [
    (
        Role::Admin,
        "aur_a000000000000000_a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0",
    ),
    (
        Role::Author,
        "aur_b000000000000000_b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
    ),
    (
        Role::Submitter,
        "aur_c000000000000000_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
    ),
    (
        Role::Auditor,
        "aur_d000000000000000_d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0",
    ),
];

/// A path of a route, with something well formed in each place.
fn path(template: &str) -> String {
    template
        .replace("{circuit}", CIRCUIT)
        .replace("{task}", DONE)
        .replace("{plugin}", "merkle")
        .replace("{version}", "0.1.0")
        .replace("{tenant}", "acme")
        .replace("{key}", "aur_0123456789abcdef")
        .replace("{code}", "json.syntax")
        .replace("{*file}", "app.js")
}

impl Server {
    /// A request with these headers and no body.
    async fn with(&self, method: &Method, path: &str, headers: &str) -> Reply {
        let length = match *method {
            Method::POST | Method::PUT => "content-length: 0\r\n",
            _ => "",
        };
        self.raw(format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{length}{headers}\r\n"
        ))
        .await
    }

    fn admit(&self, tenant: &str, keys: &[(Role, &str)]) {
        self.house.change(|facts| {
            for (role, key) in keys {
                facts.keys.push(admit(key, tenant, *role));
            }
        });
    }
}

fn bearer(key: &str) -> String {
    format!("authorization: Bearer {key}\r\n")
}

#[tokio::test]
async fn every_route_lets_in_the_roles_of_its_row_and_nobody_else() {
    let server = server().await;
    server.admit("acme", &KEYS);
    for (method, template, access) in table() {
        let path = path(template);
        let open = access == Access::Open;
        let nobody = server.with(&method, &path, "").await;
        assert_eq!(nobody.status != 401, open, "{method} {path} {nobody:?}");
        for (role, key) in KEYS {
            let reply = server.with(&method, &path, &bearer(key)).await;
            let may = match access {
                Access::Open => true,
                Access::Roles(roles) => roles.contains(&role),
            };
            let forbidden = reply.status == 403 && reply.code() == "access.forbidden";
            assert_eq!(forbidden, !may, "{method} {path} {role} {reply:?}");
            assert_ne!(reply.status, 401, "{method} {path} {role} {reply:?}");
            assert!(reply.status < 500, "{method} {path} {role} {reply:?}");
        }
    }
}

#[tokio::test]
async fn only_health_codes_descriptions_of_the_api_and_the_consoles_files_are_open() {
    let open: Vec<_> = table()
        .filter(|(_, _, access)| *access == Access::Open)
        .map(|(_, path, _)| path)
        .collect();
    let allowed = |path: &&str| {
        path.starts_with("/health/")
            || path.starts_with("/api/v1/errors")
            || *path == "/openapi.json"
            || path.starts_with("/docs")
            || *path == "/"
            || path.starts_with("/console")
            || path.starts_with("/grpc.health.v1.")
            || path.starts_with("/grpc.reflection.v1.")
    };
    assert!(open.iter().all(|path| allowed(path)), "{open:?}");
}

#[tokio::test]
async fn a_token_lets_its_bearer_in_with_the_role_it_says() {
    let server = server().await;
    let me = server
        .with(&Method::GET, "/api/v1/me", &bearer(TOKEN))
        .await;
    assert_eq!(me.status, 200, "{me:?}");
    assert!(me.body.contains("\"token:ada\""), "{me:?}");
    let refused = server
        .with(&Method::GET, "/api/v1/admin/keys", &bearer(TOKEN))
        .await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(refused.code(), "access.forbidden");
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_now_is_not_refused_but_put_off() {
    let server = server().await;
    let reply = server
        .with(&Method::GET, "/api/v1/me", &bearer(TOKEN_OF_ONE_AWAY))
        .await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.code(), "access.issuer_away");
    assert_eq!(reply.header("retry-after"), Some("10"));
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_the_answer_is_the_same() {
    let server = server().await;
    let other_secret = format!("{}0", &KEY[..KEY.len() - 1]);
    let unknown = "aur_0000000000000000_7e577e577e577e577e577e577e577e577e577e57";
    let wrong = [
        String::new(),
        bearer(""),
        bearer("x"),
        bearer(&KEY[..40]),
        bearer(&format!("{KEY}00")),
        bearer(&KEY.to_uppercase()),
        bearer(&other_secret),
        bearer(unknown),
        bearer(&"a".repeat(9000)),
        format!("authorization: Basic {KEY}\r\n"),
        format!("authorization: {KEY}\r\n"),
        format!("{}{}", bearer(KEY), bearer(KEY)),
        format!("{}{}", bearer(KEY), bearer(unknown)),
        format!("x-api-key: {KEY}\r\n"),
        format!("cookie: authorization=Bearer {KEY}\r\n"),
    ];
    let mut bodies = Vec::new();
    for headers in wrong {
        let reply = server.with(&Method::GET, "/api/v1/plugins", &headers).await;
        assert_eq!(reply.status, 401, "{headers:?} {reply:?}");
        assert_eq!(reply.code(), "access.unauthenticated");
        assert_eq!(reply.header("www-authenticate"), Some("bearer"));
        let mut body = reply.problem();
        body["request_id"].take();
        bodies.push(body);
    }
    let query = format!("/api/v1/plugins?key={KEY}&access_token={KEY}");
    let mut body = server.with(&Method::GET, &query, "").await.problem();
    body["request_id"].take();
    bodies.push(body);
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn a_scheme_is_read_in_any_case() {
    let server = server().await;
    let headers = format!("authorization: bEARER {KEY}\r\n");
    let reply = server.with(&Method::GET, "/api/v1/me", &headers).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains("\"role\":\"admin\""), "{reply:?}");
}

#[tokio::test]
async fn a_request_without_a_key_is_answered_before_its_body_comes() {
    let server = server().await;
    for expect in ["expect: 100-continue\r\n", ""] {
        let mut stream = server.connect().await;
        let head = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
             {expect}content-length: 5000000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let reply = last_reply(stream).await;
        assert_eq!(reply.status, 401, "no 100 before it: {reply:?}");
    }
    assert!(server.house.0.borrow().submissions.is_empty());
}

#[tokio::test]
async fn an_unknown_path_or_method_tells_nobody_more_than_the_table_does() {
    let server = server().await;
    for path in [
        "/metrics",
        "/debug/vars",
        "/admin",
        "/api/v1/admin",
        "/api/admin/tenants",
    ] {
        let reply = server.with(&Method::GET, path, "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (404, "request.route"),
            "{path}"
        );
    }
    let reply = server.with(&Method::PATCH, "/api/v1/tasks", "").await;
    assert_eq!(reply.status, 405, "{reply:?}");
}

#[tokio::test]
async fn a_tenant_that_asks_too_often_waits_and_the_others_do_not() {
    let server = server_at(Rates {
        tenant: NonZeroU32::new(5),
        key: None,
    })
    .await;
    let [(role, loud), (_, other), (_, quiet), _] = KEYS;
    server.admit("loud", &[(role, loud), (role, other)]);
    server.admit("quiet", &[(role, quiet)]);
    let ask = async |key: &str, more: &str| {
        let headers = format!("{}{more}", bearer(key));
        server.with(&Method::GET, "/api/v1/me", &headers).await
    };
    let mut refused = None;
    for _ in 0..100 {
        let reply = ask(loud, "").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let refused = refused.expect("a hundred requests passed a limit of five a second");
    assert_eq!(refused.code(), "access.rate");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Another key of the same tenant shares the bucket; a header that anybody can set opens no other.
    let more = "x-forwarded-for: 10.1.2.3\r\nx-tenant: quiet\r\n";
    let statuses = [ask(other, "").await.status, ask(loud, more).await.status];
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(ask(quiet, "").await.status, 200);
}

#[tokio::test]
async fn a_tenant_with_all_the_requests_in_work_it_may_have_leaves_others_theirs() {
    let server = server_with(Config {
        tenant_requests_max: 1,
        ..Config::default()
    })
    .await;
    let [(role, first), (_, second), (_, other), _] = KEYS;
    server.admit("loud", &[(role, first), (role, second)]);
    server.admit("quiet", &[(role, other)]);
    let mut waiting = server.connect().await;
    let body = r#"{"plugin":"merkle","input":{}}"#;
    let submit = format!(
        "POST /api/v1/tasks?wait=60s HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        bearer(first),
        body.len()
    );
    waiting.write_all(submit.as_bytes()).await.unwrap();
    server.house.until(|facts| facts.waits == 1).await;
    let ask = async |key: &str| {
        let headers = bearer(key);
        server.with(&Method::GET, "/api/v1/me", &headers).await
    };
    // Another key of the same tenant is one more of it.
    let refused = ask(second).await;
    let answer = (refused.status, refused.code());
    assert_eq!(answer, (429, "access.concurrency".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(other).await.status, 200);
    server.house.change(|facts| {
        for task in facts.tasks.values_mut() {
            *task = done(task.clone());
        }
    });
    assert_eq!(last_reply(waiting).await.status, 200);
    assert_eq!(ask(second).await.status, 200);
}

#[tokio::test]
async fn a_key_that_asks_too_often_leaves_the_tenants_other_keys_their_share() {
    let server = server_at(Rates {
        tenant: None,
        key: NonZeroU32::new(5),
    })
    .await;
    let [(role, loud), (_, other), ..] = KEYS;
    server.admit("acme", &[(role, loud), (role, other)]);
    let ask = async |key: &str| {
        server
            .with(&Method::GET, "/api/v1/me", &bearer(key))
            .await
            .status
    };
    let mut statuses = Vec::new();
    while !statuses.contains(&429) && statuses.len() < 100 {
        statuses.push(ask(loud).await);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(ask(other).await, 200);
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_goes_to_the_platform_as_a_hash() {
    let server = server().await;
    let body = br#"{"tenant":"default","role":"submitter","label":"ci"}"#;
    let reply = server.post("/api/v1/admin/keys", body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let made: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let (secret, id) = (
        made["secret"].as_str().unwrap(),
        made["key"]["id"].as_str().unwrap(),
    );
    assert!(secret.starts_with(id) && secret.len() == 61, "{made}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let second = server.post("/api/v1/admin/keys", body).await;
    assert!(!second.body.contains(secret));
}

#[tokio::test]
async fn what_an_administrator_asks_wrongly_is_refused_by_its_place() {
    let server = server().await;
    for (body, code) in [
        (&br#"{"tenant":"default","role":"owner"}"#[..], "json.type"),
        (br#"{"tenant":"no/tenant","role":"admin"}"#, "request.id"),
        (br#"{"role":"admin"}"#, "json.missing_field"),
        (
            br#"{"tenant":"a","role":"admin","secret":"x"}"#,
            "json.unknown_field",
        ),
    ] {
        let reply = server.post("/api/v1/admin/keys", body).await;
        assert_eq!(reply.code(), code, "{reply:?}");
    }
    for query in ["limit=0", "limit=201", "before=x", "before=-1", "after=3"] {
        let path = format!("/api/v1/admin/audit?{query}");
        let reply = server.ask("GET", &path).await;
        assert_eq!(reply.code(), "request.query", "{path} {reply:?}");
    }
    for (method, path) in [
        ("GET", "/api/v1/admin/tenants/No%20Tenant"),
        ("DELETE", "/api/v1/admin/keys/x"),
        ("GET", "/api/v1/admin/keys?tenant=%2e%2e"),
    ] {
        let reply = server.ask(method, path).await;
        assert_eq!(reply.code(), "request.id", "{path} {reply:?}");
    }
}
