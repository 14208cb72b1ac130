//! Documents with their validators: acts that are done only if nobody changed the document since.

use std::{fmt, time::Duration};

use aureole_api::rest::{Plugin, Task};
use reqwest::{Method, header};

use crate::{
    Client, Error,
    client::{path, plugin_path},
    retry::Twice,
};

/// A document and the name of the state it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged<T> {
    /// The document.
    pub document: T,
    /// The name of exactly this state of it.
    pub tag: EntityTag,
}

/// The name of a document's state, as the node gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

// === impl Client ===

impl Client {
    /// A task as it is now, with its tag.
    ///
    /// # Errors
    /// See [`Error`]; so with every call.
    pub async fn task_tagged(&self, id: &str) -> Result<Tagged<Task>, Error> {
        self.tagged(&["tasks", id]).await
    }

    /// A plugin as it is now, with its tag; named as name, name@version or digest.
    pub async fn plugin_tagged(&self, plugin: &str) -> Result<Tagged<Plugin>, Error> {
        self.tagged(&plugin_path(plugin)).await
    }

    /// Cancels a task if it still is as it was.
    ///
    /// # Errors
    /// [`Error::Problem`] with `request.precondition` when it is not; see [`Error`] for the rest.
    pub async fn cancel_if(&self, id: &str, tag: &EntityTag) -> Result<Task, Error> {
        self.delete_if(&["tasks", id], tag).await
    }

    /// Retires a plugin, named exactly, if it still is as it was.
    ///
    /// # Errors
    /// As [`Client::cancel_if`].
    pub async fn retire_plugin_if(&self, plugin: &str, tag: &EntityTag) -> Result<Plugin, Error> {
        self.delete_if(&plugin_path(plugin), tag).await
    }

    async fn tagged<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
    ) -> Result<Tagged<T>, Error> {
        let request = self.http.request(Method::GET, &path(segments));
        let answer = self.http.send(request, Duration::ZERO, Twice::Same).await?;
        let (document, tag) = answer.tagged()?;
        let tag = EntityTag(tag);
        Ok(Tagged { document, tag })
    }

    /// Done twice, the second finds what the first has changed: it is made again only when it
    /// certainly did not arrive.
    async fn delete_if<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
        tag: &EntityTag,
    ) -> Result<T, Error> {
        let request = self
            .http
            .request(Method::DELETE, &path(segments))
            .header(header::IF_MATCH, &tag.0);
        let answer = self.http.send(request, Duration::ZERO, Twice::Differs);
        answer.await?.document()
    }
}
