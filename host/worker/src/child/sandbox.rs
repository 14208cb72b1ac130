//! The sandbox child: runs plugins, one call at a time, each on a fresh instance.
//!
//! Loaded plugins stay mapped, the least used goes first. Compiled code comes from the node's
//! cache, which trusts only what this node compiled; what is not there is asked for.

use std::path::Path;
use std::str;

use aureole_runtime::{Call, CodeCache, Failure, Limits, Plugin, Sandbox};

use super::process::{Replies, wipe};
use super::{Service, foreign, micros, plain, take};
use crate::frame::Blobs;
use crate::limits::{LOADED_PLUGINS_MAX, PLUGIN_LOG_LINES};
use crate::message::{Key, Reply, Request};
use crate::problem::Problem;

pub(super) struct Plugins {
    sandbox: Sandbox,
    code: CodeCache,
    /// Most recently used last.
    loaded: Vec<(Key, Plugin)>,
}

/// Whether a call's log may be shown: a plugin may have written its input there.
#[derive(Clone, Copy)]
enum Privacy {
    Public,
    Private,
}

impl Plugins {
    pub(super) fn new(limits: Limits, code_dir: &Path) -> Result<Self, String> {
        let code = CodeCache::open(code_dir).map_err(|error| error.to_string())?;
        let sandbox = Sandbox::new(limits).map_err(|error| error.to_string())?;
        Ok(Self {
            sandbox,
            code,
            loaded: Vec::new(),
        })
    }

    fn plugin(&mut self, component: Key) -> Result<Plugin, Reply> {
        if let Some(at) = self.loaded.iter().position(|(key, _)| *key == component) {
            let entry = self.loaded.remove(at);
            let plugin = entry.1.clone();
            self.loaded.push(entry);
            return Ok(plugin);
        }
        let trusted = self.code.get(&component.0).ok_or(Reply::NeedCode)?;
        let plugin = match self.sandbox.load(&trusted) {
            Ok(plugin) => plugin,
            // Code of another engine version: it is compiled again like missing code.
            Err(aureole_runtime::Error::Artifact) => return Err(Reply::NeedCode),
            Err(error) => return Err(refusal(&error)),
        };
        if self.loaded.len() >= LOADED_PLUGINS_MAX {
            self.loaded.remove(0);
        }
        self.loaded.push((component, plugin.clone()));
        Ok(plugin)
    }

    fn answer(&mut self, request: &Request, blobs: Blobs) -> Result<(Reply, Blobs), Reply> {
        match request {
            Request::Describe { component } => {
                let call = self
                    .plugin(*component)?
                    .describe()
                    .map_err(|error| failure(&error))?;
                let (log, micros) = (log(&call, Privacy::Public), micros(call.duration));
                Ok(plain(Reply::Described {
                    description: Box::new(call.value),
                    log,
                    micros,
                }))
            }
            Request::Circuit { component } => {
                let [params] = take(blobs)?;
                let plugin = self.plugin(*component)?;
                let call = plugin
                    .circuit(text(&params, "params")?)
                    .map_err(|e| failure(&e))?;
                Ok(made(&call, call.value.encode(), Privacy::Public))
            }
            Request::Annotate { component } => {
                let [params] = take(blobs)?;
                let plugin = self.plugin(*component)?;
                let call = plugin
                    .annotate(text(&params, "params")?)
                    .map_err(|e| failure(&e))?;
                Ok(made(&call, call.value.encode(), Privacy::Public))
            }
            Request::Witness { component } => {
                let [params, input] = take(blobs)?;
                let plugin = self.plugin(*component)?;
                let result = text(&params, "params")
                    .and_then(|params| Ok((params, text(&input, "input")?)))
                    .and_then(|(params, input)| {
                        plugin
                            .witness(params, input)
                            .map_err(|error| failure(&error))
                    });
                wipe(vec![input]);
                let mut call = result?;
                let reply = made(&call, call.value.encode(), Privacy::Private);
                wipe(vec![std::mem::take(&mut call.value.advice_values)]);
                Ok(reply)
            }
            _ => Ok(foreign()),
        }
    }
}

impl Service for Plugins {
    fn handle(&mut self, request: Request, blobs: Blobs, _: &mut Replies) -> (Reply, Blobs) {
        self.answer(&request, blobs).unwrap_or_else(plain)
    }
}

fn made<T>(call: &Call<T>, bytes: Vec<u8>, privacy: Privacy) -> (Reply, Blobs) {
    (
        Reply::Made {
            log: log(call, privacy),
            micros: micros(call.duration),
        },
        vec![bytes],
    )
}

fn log<T>(call: &Call<T>, privacy: Privacy) -> Vec<String> {
    match privacy {
        Privacy::Private => Vec::new(),
        Privacy::Public => call
            .log
            .lines
            .iter()
            .take(PLUGIN_LOG_LINES)
            .map(|line| line.message.clone())
            .collect(),
    }
}

fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Reply> {
    str::from_utf8(bytes).map_err(|error| {
        let detail = format!("not UTF-8 after byte {}", error.valid_up_to());
        Reply::Refused(Problem::new(format!("{what}.invalid"), detail))
    })
}

fn failure(failure: &Failure) -> Reply {
    refusal(&failure.error)
}

fn refusal(error: &aureole_runtime::Error) -> Reply {
    if error.is_retryable() {
        return Reply::Failed {
            detail: error.to_string(),
        };
    }
    Reply::Refused(Problem::new(error.code(), error).at(error.path()))
}
