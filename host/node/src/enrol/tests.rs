//! Joining over real TLS, and everybody who is turned away at the door.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1::SignRequest;
use aureole_api::internal::v1::enrol_client::EnrolClient;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status};

use super::{EnrolError, EnrolService, enrol};
use crate::config::{Config, NodeRole};
use crate::tls::{Authority, Identity, Role, TokenError, Transport, enrolment_endpoint, explain};

const HOUR: Duration = Duration::from_secs(3_600);

/// The port of a coordinator that signs or not.
async fn door(authority: &Authority, signs: Option<Authority>) -> String {
    let identity = authority.issue(Role::Coordinator, "c1").unwrap();
    let transport = Transport::Tls(Arc::new(identity));
    let router = transport
        .server()
        .unwrap()
        .add_service(EnrolService::server(signs));
    serve(router).await
}

async fn serve(router: tonic::transport::server::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn again(authority: &Authority) -> Option<Authority> {
    Some(Authority::from_pem(authority.certificate_pem(), &authority.key_pem()).unwrap())
}

fn process(folder: &Path, role: NodeRole) -> Config {
    Config {
        roles: [role].into(),
        data_dir: folder.to_owned(),
        ..Config::default()
    }
}

#[tokio::test]
async fn a_worker_and_a_gateway_join_with_a_token_and_keep_their_certificate() {
    let authority = Authority::new().unwrap();
    let address = door(&authority, again(&authority)).await;
    for (node, role) in [
        (NodeRole::Worker, Role::Worker),
        (NodeRole::Gateway, Role::Gateway),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = process(folder.path(), node);
        let token = authority.token(role, HOUR).unwrap();
        assert!(enrol(&config, &address, &token).await.unwrap());
        let identity = Identity::load(&config.tls_dir(), role).unwrap();
        assert_eq!(identity.name().cluster, authority.cluster());
        let key = std::fs::metadata(config.tls_dir().join("node.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        // Nobody is asked again: the coordinator may be gone by then, and the token expired.
        assert!(!enrol(&config, "127.0.0.1:1", &token).await.unwrap());
    }
}

#[tokio::test]
async fn whoever_may_not_join_is_told_why_and_what_to_do() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let worker = process(folder.path(), NodeRole::Worker);
    let token = authority.token(Role::Worker, HOUR).unwrap();

    let coordinator = process(folder.path(), NodeRole::Coordinator);
    let refused = enrol(&coordinator, "127.0.0.1:1", &token)
        .await
        .unwrap_err();
    assert!(matches!(refused, EnrolError::Coordinator), "{refused:?}");

    let gateway = authority.token(Role::Gateway, HOUR).unwrap();
    let refused = enrol(&worker, "127.0.0.1:1", &gateway).await.unwrap_err();
    assert!(
        matches!(refused, EnrolError::Token(TokenError::OtherRole { .. })),
        "{refused:?}"
    );

    let refused = enrol(&worker, "nowhere", &token).await.unwrap_err();
    assert!(matches!(refused, EnrolError::Transport(_)), "{refused:?}");

    let silent = door(&authority, None).await;
    let refused = enrol(&worker, &silent, &token).await.unwrap_err();
    assert!(
        refused.to_string().contains("tls.enrol = true"),
        "{refused}"
    );

    // Whoever answers with another authority's certificate is not told the token.
    let foreign = door(&other, again(&other)).await;
    let refused = enrol(&worker, &foreign, &token).await.unwrap_err();
    assert!(refused.to_string().contains("another cluster"), "{refused}");
    assert!(!worker.tls_dir().exists(), "somebody was let in");
}

#[tokio::test]
async fn a_request_that_is_none_and_a_name_that_is_none_are_refused() {
    let authority = Authority::new().unwrap();
    let address = door(&authority, again(&authority)).await;
    let token = authority.token(Role::Worker, HOUR).unwrap();
    let channel = enrolment_endpoint(&address, &token).unwrap().connect_lazy();
    let ask = async |name: &str, text: &str| -> Status {
        let request = SignRequest {
            token: text.to_owned(),
            name: name.to_owned(),
            request: vec![1, 2, 3],
        };
        let mut client = EnrolClient::new(channel.clone());
        client.sign(request).await.unwrap_err()
    };
    let refused = ask("w1", token.text()).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    let refused = ask("../w1", token.text()).await;
    assert!(refused.message().contains("no name"), "{refused}");
    let refused = ask("w1", "no token").await;
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
}

#[tokio::test]
async fn a_certificate_in_the_folder_is_never_replaced() {
    let authority = Authority::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = process(folder.path(), NodeRole::Worker);
    let other = authority.issue(Role::Gateway, "g1").unwrap();
    other.store(&config.tls_dir()).unwrap();
    let token = authority.token(Role::Worker, HOUR).unwrap();
    let refused = enrol(&config, "127.0.0.1:1", &token).await.unwrap_err();
    assert!(matches!(refused, EnrolError::Identity(_)), "{refused:?}");
}

#[tokio::test]
async fn a_file_where_the_folder_should_be_is_named() {
    let authority = Authority::new().unwrap();
    let address = door(&authority, again(&authority)).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = process(folder.path(), NodeRole::Worker);
    std::fs::write(folder.path().join("file"), b"").unwrap();
    config.tls.dir = Some(folder.path().join("file/tls"));
    let token = authority.token(Role::Worker, HOUR).unwrap();
    let refused = enrol(&config, &address, &token).await.unwrap_err();
    assert!(matches!(refused, EnrolError::File(_)), "{refused:?}");
    assert!(refused.to_string().contains("file/tls"), "{refused}");
}

#[tokio::test]
async fn strangers_foreigners_and_other_roles_are_refused_over_tls_where_only_coordinators_call() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let identity = authority.issue(Role::Coordinator, "c1").unwrap();
    let transport = Transport::Tls(Arc::new(identity));
    // Any service will do: the guard decides before it sees a request.
    let guarded = InterceptedService::new(
        EnrolService::server(None),
        transport.guard(&[Role::Coordinator]),
    );
    let address = serve(transport.server().unwrap().add_service(guarded)).await;
    let call = async |channel| {
        let mut client = EnrolClient::new(channel);
        client.sign(SignRequest::default()).await.unwrap_err()
    };
    let with = |authority: &Authority, role| {
        let identity = authority.issue(role, "p").unwrap();
        let transport = Transport::Tls(Arc::new(identity));
        transport.endpoint(&address).unwrap().connect_lazy()
    };
    let token = authority.token(Role::Worker, HOUR).unwrap();
    let stranger = enrolment_endpoint(&address, &token).unwrap().connect_lazy();
    let refused = call(stranger).await;
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    for role in [Role::Worker, Role::Gateway, Role::Admin] {
        let refused = call(with(&authority, role)).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        assert!(refused.message().contains(role.name()), "{refused}");
    }
    let refused = call(with(&other, Role::Coordinator)).await;
    let why = explain(&refused).unwrap_or_default();
    assert!(why.contains("another cluster"), "{refused}: {why}");
    // A plain connection ends in the handshake.
    let plain = Transport::Plain.endpoint(&address).unwrap().connect_lazy();
    let refused = call(plain).await;
    assert_ne!(refused.code(), Code::FailedPrecondition, "{refused}");
    // And one who may comes through to the service.
    let allowed = call(with(&authority, Role::Coordinator)).await;
    assert_eq!(allowed.code(), Code::FailedPrecondition, "{allowed}");
}
