//! The compile child: scans and compiles one component.
//!
//! No limit inside covers Cranelift, so this runs in a process of its own with little processor
//! time and memory, and ends after one component.

use std::time::Instant;

use aureole_runtime::Limits;
use rayon::ThreadPoolBuilder;

use super::process::Replies;
use super::{Service, foreign, micros, plain, take};
use crate::capacity::cores;
use crate::frame::Blobs;
use crate::limits::COMPILE_THREADS;
use crate::message::{Reply, Request};
use crate::problem::Problem;

pub(super) struct Compiler {
    limits: Limits,
}

impl Compiler {
    pub(super) fn new(limits: Limits) -> Self {
        let threads = usize::try_from(cores().min(COMPILE_THREADS)).unwrap_or(1);
        // With other threads than wished for it compiles the same code, only at another pace.
        let _ = ThreadPoolBuilder::new().num_threads(threads).build_global();
        Self { limits }
    }
}

impl Service for Compiler {
    fn handle(&mut self, request: Request, blobs: Blobs, _: &mut Replies) -> (Reply, Blobs) {
        let Request::Compile = request else {
            return foreign();
        };
        let [component] = match take(blobs) {
            Ok(blobs) => blobs,
            Err(reply) => return plain(reply),
        };
        let start = Instant::now();
        // Scans first.
        match aureole_runtime::compile(&component, &self.limits) {
            Ok(code) => (
                Reply::Compiled {
                    micros: micros(start.elapsed()),
                },
                vec![code],
            ),
            Err(error) if error.is_retryable() => plain(Reply::Failed {
                detail: error.to_string(),
            }),
            Err(error) => plain(Reply::Refused(Problem::new(error.code(), &error))),
        }
    }
}
