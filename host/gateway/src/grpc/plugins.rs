//! Plugins in gRPC.

use async_trait::async_trait;
use aureole_api::{
    Problem,
    codes::{self, request},
    public::v1::{self, plugins_server::Plugins, put_plugin_request::Part},
    rest::{ComponentSignature, PluginState},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tonic::{Request, Response, Status, Streaming};

use super::{Wire, caller, read, show, status};
use crate::{Component, routes::rejected, shared::Shared};

#[async_trait]
impl Plugins for Wire {
    async fn put_plugin(
        &self,
        request: Request<Streaming<v1::PutPluginRequest>>,
    ) -> Result<Response<v1::PutPluginReply>, Status> {
        let done = self.upload(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn list_plugins(
        &self,
        request: Request<v1::ListPluginsRequest>,
    ) -> Result<Response<v1::ListPluginsReply>, Status> {
        let listed = async {
            let caller = caller(&request)?;
            self.0.platform.plugins(&caller).await
        };
        let listed = listed.await.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(v1::ListPluginsReply {
            plugins: listed.plugins.into_iter().map(show::plugin).collect(),
        }))
    }

    async fn get_plugin(
        &self,
        request: Request<v1::GetPluginRequest>,
    ) -> Result<Response<v1::Plugin>, Status> {
        let done = self.find(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn retire_plugin(
        &self,
        request: Request<v1::RetirePluginRequest>,
    ) -> Result<Response<v1::Plugin>, Status> {
        let done = self.retire(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }
}

// === impl Wire ===

impl Wire {
    async fn upload(
        &self,
        request: Request<Streaming<v1::PutPluginRequest>>,
    ) -> Result<v1::PutPluginReply, Problem> {
        let caller = caller(&request)?;
        let mut parts = request.into_inner();
        let first = parts.message().await.map_err(|status| unread(&status))?;
        let Some(Part::Head(head)) = first.and_then(|first| first.part) else {
            return Err(malformed("the first message of an upload is its head"));
        };
        let shared = &self.0;
        let wait = read::wait(head.wait, shared.config.wait_default)?;
        let signature = head.signature.map(|text| {
            let read: Result<ComponentSignature, _> = text.parse();
            read.map_err(|error| Problem::new(codes::plugin::SIGNATURE, format!("{error}")))
        });
        let (component, fault) = Component::new(component(shared, parts), None);
        let component = component.signed(signature.transpose()?);
        let put = shared.platform.put_plugin(&caller, component).await;
        let (mut plugin, created) = put.map_err(|problem| fault.take().unwrap_or(problem))?;
        if !plugin.is_settled()
            && !wait.is_zero()
            && let Some(exact) = plugin.exact()
        {
            plugin = shared
                .waiting(wait, |wait| shared.platform.plugin(&caller, &exact, wait))
                .await?;
        }
        if plugin.state == PluginState::Rejected {
            return Err(rejected(plugin.problem));
        }
        Ok(v1::PutPluginReply {
            plugin: Some(show::plugin(plugin)),
            created,
        })
    }

    async fn find(&self, request: Request<v1::GetPluginRequest>) -> Result<v1::Plugin, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let plugin = read::plugin(&asked.plugin)?;
        let wait = read::wait(asked.wait, std::time::Duration::ZERO)?;
        let shared = &self.0;
        let found = shared.waiting(wait, |wait| shared.platform.plugin(&caller, &plugin, wait));
        found.await.map(show::plugin)
    }

    async fn retire(
        &self,
        request: Request<v1::RetirePluginRequest>,
    ) -> Result<v1::Plugin, Problem> {
        let caller = caller(&request)?;
        let plugin = read::plugin(&request.get_ref().plugin)?;
        if !plugin.is_exact() {
            let detail = format!("{plugin} may mean several versions: name one");
            return Err(Problem::new(codes::plugin::VERSION_REQUIRED, detail));
        }
        let retired = self.0.platform.retire_plugin(&caller, &plugin).await;
        retired.map(show::plugin)
    }
}

/// The bytes of an upload, at most as many as a component may have.
fn component(
    shared: &Shared,
    parts: Streaming<v1::PutPluginRequest>,
) -> impl futures::Stream<Item = Result<Bytes, Problem>> + Send + 'static {
    let max = shared.config.component_max;
    stream::unfold(Some((parts, 0_u64)), move |state| async move {
        let (mut parts, seen) = state?;
        let bytes = match parts.next().await? {
            Ok(v1::PutPluginRequest {
                part: Some(Part::Bytes(bytes)),
            }) => Bytes::from(bytes),
            Ok(_) => return Some((Err(malformed("only bytes follow the head")), None)),
            Err(status) => return Some((Err(unread(&status)), None)),
        };
        let seen = seen.saturating_add(bytes.len() as u64);
        if seen > max {
            let detail = format!("a component has at most {max} bytes");
            let problem = Problem::new(codes::plugin::TOO_LARGE, detail);
            return Some((Err(problem), None));
        }
        Some((Ok(bytes), Some((parts, seen))))
    })
}

fn malformed(detail: &str) -> Problem {
    Problem::new(request::MESSAGE, detail)
}

/// Why the next message of an upload did not come.
fn unread(refused: &Status) -> Problem {
    status::read(refused)
}
