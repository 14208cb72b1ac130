//! HTTPS: the certificate must be good for the name in the URL, whatever address it leads to.

use std::net::SocketAddr;
use std::sync::Arc;

use aureole_ledger::Failure;
use aureole_webhooks::{Letter, Rules, SendError, Sender, TrustError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::kit::{KEY, Told, request};

/// A receiver with a certificate for a name, and the file of the authority that gave it.
async fn receiver(name: &str) -> (SocketAddr, tempfile::NamedTempFile) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let asked_for = stream.get_ref().1.server_name().map(str::to_owned);
            let got = request(&mut stream).await.unwrap();
            assert!(got.is_signed(&KEY) && asked_for.as_deref() == Some("hooks.example"));
            let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    (address, file)
}

fn rules(port: u16) -> Rules {
    Rules {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: false,
        ports: [port].into_iter().collect(),
    }
}

async fn send(name_of_certificate: &str, trusted: bool) -> Result<u16, SendError> {
    let (address, file) = receiver(name_of_certificate).await;
    let file = trusted.then(|| file.path());
    let sender = Sender::new(rules(address.port()), Told::new(&["127.0.0.1"]), file).unwrap();
    let letter = Letter {
        id: "evt_1",
        seconds: 1,
        body: "{}".into(),
        key: &KEY,
    };
    let url = format!("https://hooks.example:{}/", address.port());
    sender.send(&url, &letter).await
}

#[tokio::test]
async fn a_receiver_is_known_by_the_name_in_the_url() {
    assert_eq!(send("hooks.example", true).await.unwrap(), 202);
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_nobody_is_refused() {
    for (name, trusted) in [("other.example", true), ("hooks.example", false)] {
        let error = send(name, trusted).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Tls, "{name}: {error}");
    }
}

#[test]
fn a_file_of_authorities_that_is_none_is_refused() {
    let new = |path: &std::path::Path| {
        Sender::new(Rules::default(), Told::new(&[]), Some(path)).unwrap_err()
    };
    let missing = new(std::path::Path::new("/nowhere/ca.pem"));
    assert!(matches!(missing, TrustError::File { .. }), "{missing}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let empty = new(file.path());
    assert!(matches!(empty, TrustError::Empty { .. }), "{empty}");
}
