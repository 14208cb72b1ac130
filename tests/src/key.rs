//! The one key of all nodes under test: the administrator's first.

use aureole_client::Client;
use aureole_client::rest::{KeyRequest, NewKey, Role, TenantRequest};

/// Opens every node of the testkit, and none that is not.
pub const KEY: &str = "aur_7e57000000000000_7e577e577e577e577e577e577e577e577e577e57";

/// The section of a configuration that makes a gateway know [`KEY`].
pub const ACCESS: &str = "[access]\nbootstrap_key = \"aur_7e57000000000000:ea8e102ca70dd4a90170f963a2d19745a002d0869d97ce78f63e0d5e9bb296e4\"\n";

/// A client of a node under test.
///
/// # Errors
/// When the address is none.
pub fn client(url: &str) -> anyhow::Result<Client> {
    Ok(Client::new(url)?.with_key(KEY))
}

/// Makes a tenant, where it is not there yet, and a key of it.
///
/// # Errors
/// When either is refused.
pub async fn key_of(url: &str, tenant: &str, role: Role) -> anyhow::Result<NewKey> {
    let admin = client(url)?;
    admin.put_tenant(tenant, &TenantRequest::default()).await?;
    let request = KeyRequest {
        tenant: tenant.to_owned(),
        role,
        label: None,
        expires_at: None,
    };
    Ok(admin.create_key(&request).await?)
}

/// A client with a fresh key of a tenant.
///
/// # Errors
/// As [`key_of`].
pub async fn client_of(url: &str, tenant: &str, role: Role) -> anyhow::Result<Client> {
    let key = key_of(url, tenant, role).await?;
    Ok(Client::new(url)?.with_key(&key.secret))
}
