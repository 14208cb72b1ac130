//! A node behind TLS: believed where its authority is, and not otherwise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use aureole_client::{Client, Error, Retries};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server that answers every request with an empty list of plugins; its URL, and its authority.
async fn server() -> (String, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut head = [0; 4096];
                drop(stream.read(&mut head).await);
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                              content-length: 14\r\nconnection: close\r\n\r\n{\"plugins\":[]}";
                drop(stream.write_all(answer.as_bytes()).await);
                drop(stream.shutdown().await);
            });
        }
    });
    (format!("https://localhost:{port}"), authority.pem())
}

#[tokio::test]
async fn a_node_is_believed_by_its_authority_alone() {
    let (url, authority) = server().await;
    let node = Client::builder(&url).authorities(authority.as_bytes());
    assert!(
        node.build()
            .unwrap()
            .plugins()
            .await
            .unwrap()
            .plugins
            .is_empty()
    );

    let (_, stranger) = server().await;
    for node in [
        Client::builder(&url).authorities(stranger.as_bytes()),
        Client::builder(&url),
    ] {
        let node = node.retries(Retries::NONE).build().unwrap();
        let error = node.plugins().await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    }
}

#[test]
fn authorities_that_are_none_are_refused() {
    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ] {
        let node = Client::builder("https://localhost").authorities(text.as_bytes());
        let error = node.build().unwrap_err();
        assert!(matches!(error, Error::Authorities { .. }), "{error:?}");
    }
}
