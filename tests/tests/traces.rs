//! One task across the processes of a cluster, as a receiver of OTLP sees it, and log lines that name
//! its trace.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use aureole_api::public::v1::{ListTasksRequest, tasks_client::TasksClient};
use aureole_client::Client;
use aureole_tests::{
    KEY, Node, Options, binary, eventually, http, params_dir, plugin, preimage_input,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

/// The span of the caller in every trace of these tests.
const CALLER: &str = "00f067aa0ba902b7";

/// The traces of two requests whose lines are looked for.
const REST: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const GRPC: u128 = REST + 1;

/// A span, and the process that told it.
#[derive(Clone, Debug)]
struct Told {
    instance: String,
    roles: String,
    span: Span,
}

/// A receiver: what was told so far.
#[derive(Clone, Debug, Default)]
struct Receiver(Arc<Mutex<Vec<Told>>>);

impl Receiver {
    async fn start() -> anyhow::Result<(Self, SocketAddr)> {
        let receiver = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serving = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Ok((receiver, address))
    }

    fn told(&self) -> Vec<Told> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The spans of a trace by name; of several of one name the last.
    fn trace(&self, trace: &str) -> BTreeMap<String, Told> {
        let told = self.told().into_iter();
        let of_trace = told.filter(|told| hex::encode(&told.span.trace_id) == trace);
        of_trace
            .map(|told| (told.span.name.clone(), told))
            .collect()
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let text = |key: &str| {
                let found = attributes.iter().find(|attribute| attribute.key == key);
                match found.and_then(|found| found.value.clone()?.value) {
                    Some(Any::StringValue(text)) => text,
                    _ => String::new(),
                }
            };
            let (instance, roles) = (text("service.instance.id"), text("aureole.roles"));
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            told.extend(spans.map(|span| Told {
                instance: instance.clone(),
                roles: roles.clone(),
                span,
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The processes of `aureole dev`, which tell their spans; gone when dropped.
struct Cluster {
    parent: Child,
    ready: Value,
    key: String,
}

impl Cluster {
    fn start(folder: &Path, receiver: SocketAddr) -> anyhow::Result<Self> {
        let mut parent = Command::new(binary()?)
            .args(["--output", "json", "dev", "--nodes", "3", "--workers", "1"])
            .args(["--log", "warn", "--data-dir"])
            .arg(folder)
            .arg("--params-dir")
            .arg(params_dir()?)
            .env("AUREOLE_TRACES_ENDPOINT", format!("http://{receiver}"))
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = parent.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value =
            serde_json::from_str(&line).with_context(|| format!("not ready: {line}"))?;
        let admin = ready["admin"].as_str().context("no admin")?;
        let key = std::fs::read_to_string(Path::new(admin).join("admin.key"))?;
        let key = key.trim().to_owned();
        Ok(Self { parent, ready, key })
    }

    fn url(&self, index: usize) -> anyhow::Result<&str> {
        let url = self.ready["processes"][index]["url"].as_str();
        url.with_context(|| format!("process {index} is no gateway"))
    }

    /// Submits a proof through a gateway, as a part of a trace.
    fn submit(&self, index: usize, trace: &str) -> anyhow::Result<()> {
        let bearer = format!("Bearer {}", self.key);
        let parent = format!("00-{trace}-{CALLER}-01");
        let headers = [
            ("authorization", bearer.as_str()),
            ("traceparent", parent.as_str()),
            ("content-type", "application/json"),
        ];
        let input = preimage_input(7).to_string();
        let path = "/api/v1/tasks/preimage";
        let answer = http::send(self.url(index)?, "POST", path, &headers, input.as_bytes())?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = i32::try_from(self.parent.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It stops its own; what is gone already is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.parent.wait();
    }
}

/// A span's name and its parent's, as the tree of a task through a gateway that does not lead has them.
const TREE: [(&str, &str); 10] = [
    ("desk submit", "POST /api/v1/tasks/{task}"),
    ("queue", "desk submit"),
    ("attempt", "desk submit"),
    ("witness", "attempt"),
    ("keygen", "attempt"),
    ("sandbox", "witness"),
    ("check", "attempt"),
    ("prove", "attempt"),
    ("complete", "attempt"),
    ("verify", "complete"),
];

fn check_tree(spans: &BTreeMap<String, Told>) -> anyhow::Result<()> {
    let of = |name: &str| {
        spans
            .get(name)
            .with_context(|| format!("no {name} in {spans:?}"))
    };
    let request = of("POST /api/v1/tasks/{task}")?;
    ensure!(
        hex::encode(&request.span.parent_span_id) == CALLER,
        "{request:?}"
    );
    for (name, parent) in TREE {
        let (child, parent) = (of(name)?, of(parent)?);
        ensure!(
            child.span.parent_span_id == parent.span.span_id,
            "{child:?} is not below {parent:?}"
        );
        ensure!(
            child.span.start_time_unix_nano <= child.span.end_time_unix_nano,
            "{child:?} ends before it begins"
        );
    }
    let instances = ["POST /api/v1/tasks/{task}", "desk submit", "attempt"];
    let mut instances: Vec<String> = instances
        .into_iter()
        .map(|name| Ok(of(name)?.instance.clone()))
        .collect::<anyhow::Result<_>>()?;
    instances.dedup();
    ensure!(
        instances.len() == 3,
        "the task went through {instances:?} alone"
    );
    ensure!(of("attempt")?.roles == "worker", "{:?}", of("attempt")?);
    ensure!(
        of("complete")?.instance == of("desk submit")?.instance,
        "{spans:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_one_trace_across_gateway_leader_worker_and_sandbox() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (receiver, address) = Receiver::start().await?;
    let cluster = Cluster::start(&folder.path().join("cluster"), address)?;
    let client = Client::new(cluster.url(0)?)?.with_key(&cluster.key);
    let wait = std::time::Duration::from_secs(60);
    let component = plugin("preimage")?.into();
    client.upload_plugin(component, wait, |_, _| {}).await?;
    // One of the three leads; the others pass on.
    let traces: Vec<String> = (1..=3)
        .map(|number| format!("{:032x}", 0xabcd_0000_u32 + number))
        .collect();
    for (index, trace) in traces.iter().enumerate() {
        cluster.submit(index, trace)?;
    }
    let spans = eventually("a whole trace", || async {
        let whole = traces
            .iter()
            .map(|trace| receiver.trace(trace))
            .find(|spans| TREE.iter().all(|(name, _)| spans.contains_key(*name)));
        Ok(whole)
    })
    .await?;
    check_tree(&spans)?;
    // Those that were passed on are told as well, when their processes next tell.
    eventually("an attempt in each trace", || async {
        let told = traces.iter().all(|trace| {
            let spans = receiver.trace(trace);
            spans.contains_key("attempt") && spans.contains_key("prove")
        });
        Ok(told.then_some(()))
    })
    .await?;
    // Nothing of the input and no key: neither its bytes nor the key's secret part.
    let told = format!("{:?}", receiver.told());
    let input = preimage_input(7);
    let private = input["message"]
        .as_array()
        .context("an input without a message")?;
    for secret in private
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| text.len() > 16)
    {
        ensure!(!told.contains(secret), "the input is in a span");
    }
    ensure!(!told.contains(&cluster.key), "the key is in a span");
    Ok(())
}

/// Asks for tasks over gRPC, as a part of a trace.
async fn list_by_grpc(url: &str, parent: &str) -> anyhow::Result<()> {
    let channel = Channel::from_shared(url.to_owned())?.connect().await?;
    let mut request = Request::new(ListTasksRequest::default());
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", parent.parse()?);
    metadata.insert("authorization", format!("Bearer {KEY}").parse()?);
    TasksClient::new(channel).list_tasks(request).await?;
    Ok(())
}

#[tokio::test]
async fn log_lines_are_flat_json_and_name_the_trace_of_their_request() -> anyhow::Result<()> {
    let node = Node::start_with(Options {
        config: "[log]\nformat = \"json\"\n".to_owned(),
        log: "info,openraft=warn",
        ..Options::default()
    })?;
    let (rest, grpc) = (format!("{REST:032x}"), format!("{GRPC:032x}"));
    let parent = format!("00-{rest}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str())];
    let answer = http::send(node.url(), "GET", "/api/v1/me", &headers, b"")?;
    ensure!(answer.status == 200, "{answer:?}");
    list_by_grpc(node.url(), &format!("00-{grpc}-{CALLER}-01")).await?;
    let of = |lines: &[Value], trace: &str| {
        let mut lines = lines.iter();
        let found = lines.find(|line| line["trace_id"] == trace && line["message"] == "answered");
        found.cloned()
    };
    let (lines, line, called) = eventually("both requests' lines", || async {
        let log = node.log()?;
        let lines: Result<Vec<Value>, _> = log.lines().map(serde_json::from_str).collect();
        let lines = lines.context("a line is no JSON")?;
        let both = of(&lines, &rest).zip(of(&lines, &grpc));
        Ok(both.map(|(line, called)| (lines, line, called)))
    })
    .await?;
    ensure!(
        line["route"] == "/api/v1/me" && line["status"] == 200,
        "{line}"
    );
    let route = called["route"].as_str().unwrap_or_default();
    ensure!(route.starts_with("/aureole.v1.Tasks/"), "{called}");
    for key in [
        "@timestamp",
        "level",
        "target",
        "message",
        "request_id",
        "tenant",
    ] {
        ensure!(line[key].is_string(), "{key}: {line}");
    }
    for line in &lines {
        let line = line.as_object().context("a line is no object")?;
        ensure!(
            line.values()
                .all(|value| !value.is_object() && !value.is_array()),
            "{line:?}"
        );
    }
    Ok(())
}
