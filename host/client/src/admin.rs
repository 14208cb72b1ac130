//! Calls of administrators, and who the caller is.

use std::time::Duration;

use aureole_api::rest::{
    AuditTrail, Key, KeyList, KeyRequest, Me, NewKey, Plugin, Sharing, Tenant, TenantList,
    TenantRequest, Usage,
};
use reqwest::Method;

use crate::{Client, Error, client::path, retry::Twice};

// === impl Client ===

impl Client {
    /// Who the caller is, and what its tenant has.
    ///
    /// # Errors
    /// See [`Error`]; so with every call.
    pub async fn me(&self) -> Result<Me, Error> {
        self.http.get(&path(&["me"]), &[], Duration::ZERO).await
    }

    /// Says who may use a plugin beside its uploader; it is named as name, name@version or digest.
    pub async fn share_plugin(&self, plugin: &str, sharing: &Sharing) -> Result<Plugin, Error> {
        let path = path(&["plugins", plugin, "visibility"]);
        let request = self.http.request(Method::PUT, &path).json(sharing);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// Every tenant.
    pub async fn tenants(&self) -> Result<TenantList, Error> {
        let path = path(&["admin", "tenants"]);
        self.http.get(&path, &[], Duration::ZERO).await
    }

    /// One tenant.
    pub async fn tenant(&self, tenant: &str) -> Result<Tenant, Error> {
        let path = path(&["admin", "tenants", tenant]);
        self.http.get(&path, &[], Duration::ZERO).await
    }

    /// Makes or changes a tenant.
    pub async fn put_tenant(&self, tenant: &str, change: &TenantRequest) -> Result<Tenant, Error> {
        let path = path(&["admin", "tenants", tenant]);
        let request = self.http.request(Method::PUT, &path).json(change);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// What a tenant has used and has.
    pub async fn usage(&self, tenant: &str) -> Result<Usage, Error> {
        let path = path(&["admin", "tenants", tenant, "usage"]);
        self.http.get(&path, &[], Duration::ZERO).await
    }

    /// Keys: of one tenant, or all.
    pub async fn keys(&self, tenant: Option<&str>) -> Result<KeyList, Error> {
        let query = tenant.map(|tenant| ("tenant", tenant.to_owned()));
        let query: Vec<_> = query.into_iter().collect();
        let path = path(&["admin", "keys"]);
        self.http.get(&path, &query, Duration::ZERO).await
    }

    /// Makes a key; its secret is in the answer and nowhere else.
    pub async fn create_key(&self, request: &KeyRequest) -> Result<NewKey, Error> {
        let path = path(&["admin", "keys"]);
        let answer = self
            .http
            .post(&path, &[], request, Duration::ZERO, Twice::Differs)
            .await?;
        answer.document()
    }

    /// Makes a key open nothing more; it is named by its public part.
    pub async fn revoke_key(&self, key: &str) -> Result<Key, Error> {
        let path = path(&["admin", "keys", key]);
        let request = self.http.request(Method::DELETE, &path);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// The newest administrative acts.
    pub async fn audit(&self) -> Result<AuditTrail, Error> {
        let path = path(&["admin", "audit"]);
        self.http.get(&path, &[], Duration::ZERO).await
    }

    /// Administrative acts, newest first, at most `limit` of them: those before a number, which is the
    /// `next` of the page before.
    pub async fn audit_page(&self, before: Option<u64>, limit: u32) -> Result<AuditTrail, Error> {
        let path = path(&["admin", "audit"]);
        let mut query = vec![("limit", limit.to_string())];
        query.extend(before.map(|before| ("before", before.to_string())));
        self.http.get(&path, &query, Duration::ZERO).await
    }
}
