//! `aureole task submit`: one task or a file of them, without waiting for what becomes of them.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{BATCH_TASKS_MAX, BatchItem, BatchReport, TaskRequest};

use crate::arguments::Submit;
use crate::commands::{Context, prove, read_json};
use crate::print;

/// Bytes of the lines that go into one batch: half of what a node takes as a body. A line that is
/// longer goes alone.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A line of a file of tasks.
#[derive(Debug)]
struct Line {
    /// From 1, as editors count.
    number: usize,
    bytes: usize,
    task: TaskRequest,
}

/// Submits.
pub(super) async fn run(context: &Context, options: Submit) -> anyhow::Result<ExitCode> {
    let client = context.client()?;
    if let Some(file) = &options.batch {
        let key = options.idempotency_key.as_deref();
        return submit_file(context, &client, file, key).await;
    }
    let (Some(circuit), Some(input)) = (&options.circuit, &options.input) else {
        anyhow::bail!("name a circuit or a plugin and give --input, or give --batch");
    };
    let mut request = TaskRequest {
        params: options.params.as_deref().map(read_json).transpose()?,
        input: read_json(input)?,
        priority: options.priority,
        deadline: options.deadline.map(prove::deadline).transpose()?,
        ..TaskRequest::default()
    };
    if circuit.starts_with("cir_") {
        request.circuit = Some(circuit.clone());
    } else {
        let named = circuit.parse();
        request.plugin = Some(named.with_context(|| format!("`{circuit}` names no plugin"))?);
    }
    let task = match &options.idempotency_key {
        Some(key) => client.submit_once(key, &request).await?,
        None => client.submit(&request).await?,
    };
    print::result(context.output, &task, |task| print::line(&task.id))?;
    Ok(ExitCode::SUCCESS)
}

async fn submit_file(
    context: &Context,
    client: &Client,
    file: &Path,
    key: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let lines = read(&text(file)?).with_context(|| format!("{}", file.display()))?;
    ensure!(!lines.is_empty(), "{} has no task", file.display());
    let (mut items, mut failure) = (Vec::new(), None);
    for (number, batch) in split(lines).into_iter().enumerate() {
        let lines: Vec<usize> = batch.iter().map(|line| line.number).collect();
        let tasks = batch.into_iter().map(|line| line.task).collect();
        let sent = match key {
            // The same file is split in the same way.
            Some(key) => {
                client
                    .submit_batch_once(&format!("{key}.{number}"), tasks)
                    .await
            }
            None => client.submit_batch(tasks).await,
        };
        match sent {
            Ok(report) => items.extend(lines.into_iter().zip(report.items)),
            // What was accepted before is told all the same.
            Err(error) => {
                let first = lines.first().copied().unwrap_or_default();
                failure = Some(
                    anyhow::Error::new(error)
                        .context(format!("lines from {first} on are not sent")),
                );
                break;
            }
        }
    }
    show(context, items, failure)
}

fn show(
    context: &Context,
    items: Vec<(usize, BatchItem)>,
    failure: Option<anyhow::Error>,
) -> anyhow::Result<ExitCode> {
    let (lines, items): (Vec<usize>, Vec<BatchItem>) = items.into_iter().unzip();
    let refused = items.iter().filter(|item| item.task.is_none()).count();
    let report = BatchReport { items };
    print::result(context.output, &report, |report| {
        for (line, item) in lines.iter().zip(&report.items) {
            match (&item.task, &item.problem) {
                (Some(task), _) => print::line(&task.id),
                (None, Some(problem)) => print::remark(format_args!("line {line}: {problem}")),
                (None, None) => print::remark(format_args!("line {line}: status {}", item.status)),
            }
        }
    })?;
    match failure {
        Some(failure) => Err(failure),
        None if refused > 0 => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file)
            .with_context(|| format!("could not read {}", file.display()));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("could not read standard input")?;
    Ok(text)
}

/// Reads the lines; nothing is sent of a file in which one is no task.
fn read(text: &str) -> anyhow::Result<Vec<Line>> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(index, line)| {
        let number = index + 1;
        let task = serde_json::from_str(line);
        let task = task.with_context(|| format!("line {number} is no task"))?;
        Ok(Line {
            number,
            bytes: line.len(),
            task,
        })
    });
    parsed.collect()
}

/// Cuts the lines into batches that a node takes, always in the same places.
fn split(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
    for line in lines {
        let full = batch.len() >= BATCH_TASKS_MAX as usize;
        if full || (!batch.is_empty() && bytes + line.bytes > BATCH_BYTES_MAX) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += line.bytes;
        batch.push(line);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    //! Files of tasks, cut and refused.

    use super::{BATCH_BYTES_MAX, read, split};

    #[test]
    fn a_file_is_cut_by_number_and_by_size() {
        let small = "{\"plugin\":\"a\",\"input\":1}\n\n".repeat(250);
        let batches = split(read(&small).unwrap_or_default());
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let last = batches.last().and_then(|batch| batch.last());
        assert_eq!(last.map(|line| line.number), Some(499));
        let input = "x".repeat(BATCH_BYTES_MAX / 3);
        let large = format!("{{\"plugin\":\"a\",\"input\":\"{input}\"}}\n").repeat(5);
        let sizes: Vec<usize> = split(read(&large).unwrap_or_default())
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(sizes, [2, 2, 1]);
        let input = "x".repeat(BATCH_BYTES_MAX * 2);
        let alone = format!("{{\"input\":\"{input}\"}}\n{{\"input\":1}}");
        assert_eq!(split(read(&alone).unwrap_or_default()).len(), 2);
    }

    #[test]
    fn a_line_that_is_no_task_is_named() {
        for bad in ["{", "[]", "{\"input\":1,\"novel\":1}"] {
            let text = format!("{{\"plugin\":\"a\",\"input\":1}}\n{bad}\n");
            let refused = read(&text).err().map(|error| format!("{error:#}"));
            let said = refused.unwrap_or_default();
            assert!(said.contains("line 2"), "{bad}: {said}");
        }
    }
}
