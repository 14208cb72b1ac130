//! What a failed connection means, in words that say what to do.
//!
//! TLS errors lie some causes deep; this looks for one it knows.

use std::error::Error;
use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Explains why a connection failed, if the reason is one of TLS.
#[must_use]
pub fn explain(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(words(tls));
        }
        // An io::Error's source() skips the error it holds.
        if let Some(held) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            && let Some(tls) = held.downcast_ref::<TlsError>()
        {
            return Some(words(tls));
        }
        cause = error.source();
    }
    None
}

fn words(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the other side's certificate has expired, or this machine's clock is ahead"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the other side's certificate is not valid yet: this machine's clock is late"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the other side's certificate is of another cluster: its authority is not the one \
                 in this process's ca.pem"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the other side is no coordinator: its certificate is one of another role"
            }
            other => return format!("the other side's certificate is not accepted: {other:?}"),
        }
        .to_owned(),
        TlsError::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                "the other side does not know this process's authority: the certificate is of \
                 another cluster"
            }
            AlertDescription::CertificateExpired => {
                "the other side says that this process's certificate has expired; check both clocks"
            }
            AlertDescription::CertificateRequired => "the other side asks for a certificate",
            AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
                "the other side does not accept this process's certificate"
            }
            other => return format!("the other side ended the handshake: {other:?}"),
        }
        .to_owned(),
        TlsError::InvalidMessage(_) => {
            "the other side does not speak TLS: is tls.enabled the same on both?".to_owned()
        }
        other => format!("the secure connection failed: {other}"),
    }
}

#[cfg(test)]
mod tests {
    //! Causes are found where they hide, and each is told apart.

    use super::explain;
    use std::io;
    use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError};

    #[test]
    fn a_tls_error_is_found_within_an_io_error() {
        let hidden = TlsError::InvalidCertificate(CertificateError::Expired);
        let error = io::Error::new(io::ErrorKind::InvalidData, hidden);
        let words = explain(&error);
        assert!(words.is_some_and(|words| words.contains("clock")));
    }

    #[test]
    fn the_usual_mistakes_are_told_apart() {
        let cases = [
            (CertificateError::NotValidYet, "late"),
            (CertificateError::UnknownIssuer, "another cluster"),
            (CertificateError::NotValidForName, "another role"),
            (CertificateError::Revoked, "not accepted"),
        ];
        for (error, expected) in cases {
            let words = explain(&TlsError::InvalidCertificate(error)).unwrap_or_default();
            assert!(words.contains(expected), "{words}");
        }
        let alerts = [
            (AlertDescription::UnknownCA, "another cluster"),
            (AlertDescription::CertificateExpired, "clocks"),
            (AlertDescription::CertificateRequired, "asks for"),
            (AlertDescription::BadCertificate, "does not accept"),
            (AlertDescription::HandshakeFailure, "ended the handshake"),
        ];
        for (alert, expected) in alerts {
            let words = explain(&TlsError::AlertReceived(alert)).unwrap_or_default();
            assert!(words.contains(expected), "{words}");
        }
    }

    #[test]
    fn what_is_no_matter_of_tls_is_left_alone() {
        assert_eq!(
            explain(&io::Error::from(io::ErrorKind::ConnectionRefused)),
            None
        );
    }
}
