//! A client's settings, before it is one.

use std::time::Duration;

use crate::{Client, Error, Retries, http::Http};

/// Makes a [`Client`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    base: String,
    key: Option<String>,
    authorities: Option<Vec<u8>>,
    patience: Option<Duration>,
    retries: Retries,
}

// === impl Builder ===

impl Builder {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            key: None,
            authorities: None,
            patience: None,
            retries: Retries::default(),
        }
    }

    /// The API key (`aur_...`) that each request carries.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The authorities, in PEM, that an `https` node is to be believed by: those of this machine (or of
    /// the file that `SSL_CERT_FILE` names) unless given.
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// How long an answer may take beyond what the node was asked to wait: 30 s unless set. A stream
    /// of events that is silent for as long counts as broken; a node is never for more than ten
    /// seconds.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// How often a call that may be made twice is made again: a few times unless set.
    pub const fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Makes the client; it connects when it is used.
    ///
    /// # Errors
    /// [`Error::Address`] when the text is no address of a node, [`Error::Key`] when the key cannot
    /// stand in a header, [`Error::Authorities`] when what was given as such holds no certificate.
    pub fn build(self) -> Result<Client, Error> {
        let mut http = Http::new(&self.base, self.authorities.as_deref())?;
        if let Some(key) = &self.key {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Error::Key);
            }
            http.set_key(key);
        }
        if let Some(patience) = self.patience {
            http.set_patience(patience);
        }
        http.set_retries(self.retries);
        Ok(Client { http })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("base", &self.base)
            .field("has_key", &self.key.is_some())
            .field("patience", &self.patience)
            .field("retries", &self.retries)
            .finish()
    }
}
