//! Tokens of an identity provider open a node: with the tenant and the role they say, and no further.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use aureole_client::rest::{Sharing, TaskState, TenantRequest};
use aureole_client::{Client, Error};
use aureole_servers::Redis;
use aureole_tests::{Node, Options, eventually, plugin, preimage_input};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

/// How long a proof may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An identity provider on the loopback interface, with one Ed25519 key.
struct Provider {
    url: String,
    key: SigningKey,
}

impl Provider {
    fn start() -> anyhow::Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let key = SigningKey::from_bytes(&secret);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let keys = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "x": public},
        ]});
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 4096];
                let length = stream.read(&mut head).unwrap_or_default();
                let asked = String::from_utf8_lossy(head.get(..length).unwrap_or_default());
                let document = match asked.starts_with("GET /keys ") {
                    true => keys.to_string(),
                    false => discovery.to_string(),
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{document}",
                    document.len()
                );
                // Whoever has gone does not want it.
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Ok(Self { url, key })
    }

    /// The section of a configuration that has this provider's tokens count.
    fn config(&self) -> String {
        format!(
            "[access.tokens]\nissuer = \"{}\"\naudience = \"aureole\"\nrole_claim = \"/realm/roles\"\n",
            self.url
        )
    }

    fn token(&self, tenant: &str, role: &str) -> anyhow::Result<String> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        self.sign(&json!({
            "iss": self.url, "aud": ["aureole", "other"], "sub": "ada", "exp": seconds + 300,
            "aureole_tenant": tenant, "realm": {"roles": [role, "offline_access"]},
        }))
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "one"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        Ok(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature.to_bytes())
        ))
    }
}

fn bearer(node: &Node, token: &str) -> anyhow::Result<Client> {
    Ok(Client::builder(node.url()).key(token).build()?)
}

fn code<T: std::fmt::Debug>(answer: &Result<T, Error>) -> &str {
    answer
        .as_ref()
        .err()
        .and_then(Error::code)
        .unwrap_or("none")
}

#[tokio::test]
async fn a_token_proves_for_its_tenant_and_does_what_its_role_may() -> anyhow::Result<()> {
    let (provider, redis) = (Provider::start()?, Redis::start()?);
    let node = Node::start_with(Options {
        config: format!("[cache]\nurl = \"{}\"\n{}", redis.url(), provider.config()),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    let admin = node.client()?;
    admin.put_tenant("acme", &TenantRequest::default()).await?;

    let author = bearer(&node, &provider.token("acme", "author")?)?;
    let me = author.me().await?;
    ensure!(
        (me.tenant.as_str(), me.credential.as_str()) == ("acme", "token:ada"),
        "{me:?}"
    );
    ensure!(code(&author.keys(None).await) == "access.forbidden");

    let operator = bearer(&node, &provider.token("default", "admin")?)?;
    let task = operator.submit_to("preimage", &preimage_input(1)).await?;
    let task = node.done(&task.id).await?;
    ensure!(task.state == TaskState::Done, "{task:?}");
    operator.keys(None).await?;
    ensure!(code(&author.task(&task.id, Duration::ZERO).await) == "task.unknown");

    // What a suspended tenant has read a moment ago is in the cache, and not for it.
    admin.share_plugin("preimage", &Sharing::Public).await?;
    let own = author.submit_to("preimage", &preimage_input(2)).await?;
    author.wait_task(&own.id, PATIENCE, |_| {}).await?;
    let _ = redis.command(&["FLUSHALL"])?;
    let documents = "return #redis.call('KEYS', '*:document:*')";
    eventually("the author's task in the cache", || async {
        author.task(&own.id, Duration::ZERO).await?;
        let count = redis.command(&["EVAL", documents, "0"])?;
        Ok((count == "1").then_some(()))
    })
    .await?;
    let suspended = TenantRequest {
        suspended: Some(true),
        ..TenantRequest::default()
    };
    admin.put_tenant("acme", &suspended).await?;
    let answer = author.task(&own.id, Duration::ZERO).await;
    ensure!(code(&answer) == "access.unauthenticated", "{answer:?}");
    let answer = author.proof(&own.id).await;
    ensure!(code(&answer) == "access.unauthenticated", "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_token_of_no_tenant_here_or_of_no_role_opens_nothing() -> anyhow::Result<()> {
    let provider = Provider::start()?;
    let node = Node::start_with(Options {
        config: provider.config(),
        ..Options::default()
    })?;
    let stranger = Provider::start()?;
    let tokens = [
        provider.token("nobody", "author")?,
        provider.token("default", "root")?,
        stranger.token("default", "admin")?,
        provider.sign(&json!({"iss": provider.url, "aud": "aureole", "sub": "ada", "exp": 1}))?,
    ];
    for token in tokens {
        let answer = bearer(&node, &token)?.me().await;
        ensure!(code(&answer) == "access.unauthenticated", "{answer:?}");
    }
    Ok(())
}
