//! `aureole task list`: page after page, as many as are wanted.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use aureole_client::rest::{TaskPage, Timestamp};
use aureole_client::{Sort, TaskQuery};

use crate::arguments::{List, Moment, Order, Output};
use crate::commands::Context;
use crate::print;

/// Tasks asked for at a time: the most that a node gives.
const PAGE: u32 = 200;

/// Lists.
pub(super) async fn run(context: &Context, options: List) -> anyhow::Result<()> {
    let client = context.client()?;
    let mut left = if options.all {
        u64::MAX
    } else {
        options.limit.into()
    };
    let mut query = query(options)?;
    let mut listed = TaskPage {
        tasks: Vec::new(),
        next: None,
    };
    let mut empty = true;
    while left > 0 {
        query.limit = Some(u32::try_from(left).map_or(PAGE, |left| left.min(PAGE)));
        let page = client.tasks(&query).await?;
        left = left.saturating_sub(page.tasks.len() as u64);
        empty &= page.tasks.is_empty();
        query.before.clone_from(&page.next);
        match context.output {
            // As they come: a list of all may be long.
            Output::Text => print::tasks(&page),
            Output::Json => listed.tasks.extend(page.tasks),
        }
        if query.before.is_none() {
            break;
        }
    }
    listed.next = query.before;
    print::result(context.output, &listed, |listed| {
        if empty {
            print::line("no tasks");
        }
        if let Some(next) = &listed.next {
            print::remark(format_args!("there are more: --before {next}"));
        }
    })
}

fn query(options: List) -> anyhow::Result<TaskQuery> {
    Ok(TaskQuery {
        state: options.state,
        plugin: options.plugin,
        circuit: options.circuit,
        since: options.since.map(instant).transpose()?,
        until: options.until.map(instant).transpose()?,
        sort: match options.sort {
            Order::Newest => Sort::Newest,
            Order::Oldest => Sort::Oldest,
        },
        before: options.before,
        limit: None,
    })
}

/// The instant that a moment means.
fn instant(given: Moment) -> anyhow::Result<Timestamp> {
    let ago = match given {
        Moment::At(instant) => return Ok(instant),
        Moment::Ago(ago) => ago,
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock stands before 1970")?;
    let millis = now.saturating_sub(ago).as_millis();
    Ok(Timestamp::from_millis(u64::try_from(millis)?))
}
