//! Rows and statements that both databases have in common.

use std::str::FromStr;

use aureole_ledger::{Digest, TaskId};
use sqlx::{ColumnIndex, Database, Decode, Encode, QueryBuilder, Row, Type};

use super::{ActFilter, ArchiveError, ArchivedAct, ArchivedTask, Cursor, Expiry, Page, TaskFilter};
use crate::limits::ARCHIVE_PAGE_MAX;

/// The columns, in the order in which they are written.
pub(super) const COLUMNS: &str = "id, tenant, kind, plugin, circuit, state, code, \
                                  submitted_at_ms, finished_at_ms, document";

/// Builds the statement of a page: one row more than asked for, which tells whether there is a next
/// page.
pub(super) fn page_query<DB>(filter: &TaskFilter) -> Result<QueryBuilder<DB>, ArchiveError>
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut query = QueryBuilder::<DB>::new("SELECT * FROM tasks WHERE TRUE");
    for (condition, value) in [
        (" AND tenant = ", &filter.tenant),
        (" AND kind = ", &filter.kind),
        (" AND state = ", &filter.state),
        (" AND plugin = ", &filter.plugin),
        (" AND circuit = ", &filter.circuit),
        (" AND code = ", &filter.code),
    ] {
        if let Some(value) = value {
            query.push(condition).push_bind(value.clone());
        }
    }
    for (condition, time) in [
        (" AND submitted_at_ms >= ", filter.since_ms),
        (" AND submitted_at_ms < ", filter.until_ms),
    ] {
        if let Some(time) = time {
            query.push(condition).push_bind(stored_time(time)?);
        }
    }
    if let Some(after) = &filter.after {
        query
            .push(match filter.oldest_first {
                true => " AND (submitted_at_ms, id) > (",
                false => " AND (submitted_at_ms, id) < (",
            })
            .push_bind(stored_time(after.submitted_at_ms)?)
            .push(", ")
            .push_bind(after.id.to_string())
            .push(")");
    }
    query
        .push(match filter.oldest_first {
            true => " ORDER BY submitted_at_ms, id LIMIT ",
            false => " ORDER BY submitted_at_ms DESC, id DESC LIMIT ",
        })
        .push_bind(i64::from(page_limit(filter)) + 1);
    Ok(query)
}

/// Builds the statement that removes what is past its time.
pub(super) fn expire_query<DB>(
    expiry: &Expiry,
    limit: u32,
) -> Result<QueryBuilder<DB>, ArchiveError>
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut query = QueryBuilder::<DB>::new(
        "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE finished_at_ms < ",
    );
    query.push_bind(stored_time(expiry.finished_before_ms)?);
    for (condition, value) in [
        (" AND tenant = ", &expiry.tenant),
        (" AND state = ", &expiry.state),
    ] {
        if let Some(value) = value {
            query.push(condition).push_bind(value.clone());
        }
    }
    for (condition, values) in [
        (" AND tenant NOT IN (", &expiry.other_tenants),
        (" AND state NOT IN (", &expiry.other_states),
    ] {
        if values.is_empty() {
            continue;
        }
        query.push(condition);
        let mut listed = query.separated(", ");
        for value in values {
            listed.push_bind(value.clone());
        }
        query.push(")");
    }
    query
        .push(" ORDER BY finished_at_ms LIMIT ")
        .push_bind(i64::from(limit))
        .push(")");
    Ok(query)
}

/// Builds the statement of a page of acts.
pub(super) fn acts_query<DB>(filter: &ActFilter) -> QueryBuilder<DB>
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut query = QueryBuilder::<DB>::new("SELECT * FROM acts WHERE TRUE");
    if let Some(tenant) = &filter.tenant {
        query.push(" AND tenant = ").push_bind(tenant.clone());
    }
    if let Some(before) = filter.before {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        query.push(" AND number < ").push_bind(before);
    }
    query
        .push(" ORDER BY number DESC LIMIT ")
        .push_bind(i64::from(filter.limit.clamp(1, ARCHIVE_PAGE_MAX)));
    query
}

/// Reads an act's row.
pub(super) fn read_act<R>(row: &R) -> Result<ArchivedAct, ArchiveError>
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let number = row.try_get::<i64, _>("number").ok();
    let number = number.and_then(|number| u64::try_from(number).ok());
    let id = || number.map_or("(unreadable)".to_owned(), |number| number.to_string());
    let bad = |column| ArchiveError::BadRow { id: id(), column };
    let text = |column| row.try_get::<String, _>(column).map_err(|_| bad(column));
    Ok(ArchivedAct {
        number: number.ok_or_else(|| bad("number"))?,
        tenant: text("tenant")?,
        document: serde_json::from_str(&text("document")?).map_err(|_| bad("document"))?,
    })
}

/// Makes a page of its rows and the one after them.
pub(super) fn page<R>(rows: &[R], filter: &TaskFilter) -> Result<Page, ArchiveError>
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let limit = page_limit(filter) as usize;
    let mut tasks = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    let next = tasks.last().filter(|_| more).map(|task| Cursor {
        submitted_at_ms: task.submitted_at_ms,
        id: task.id,
    });
    Ok(Page { tasks, next })
}

/// Reads a row.
pub(super) fn read<R>(row: &R) -> Result<ArchivedTask, ArchiveError>
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let id: String = row.try_get("id").map_err(|_| ArchiveError::BadRow {
        id: "(unreadable)".to_owned(),
        column: "id",
    })?;
    let bad = |column| ArchiveError::BadRow {
        id: id.clone(),
        column,
    };
    let text = |column| row.try_get::<String, _>(column).map_err(|_| bad(column));
    let optional = |column| {
        row.try_get::<Option<String>, _>(column)
            .map_err(|_| bad(column))
    };
    let time = |column| {
        let stored: i64 = row.try_get(column).map_err(|_| bad(column))?;
        u64::try_from(stored).map_err(|_| bad(column))
    };
    Ok(ArchivedTask {
        id: TaskId::from_str(&id).map_err(|_| bad("id"))?,
        tenant: text("tenant")?,
        kind: text("kind")?,
        plugin: text("plugin")?,
        circuit: optional("circuit")?,
        state: text("state")?,
        code: optional("code")?,
        submitted_at_ms: time("submitted_at_ms")?,
        finished_at_ms: time("finished_at_ms")?,
        document: serde_json::from_str(&text("document")?).map_err(|_| bad("document"))?,
    })
}

/// The digests that a document names.
pub(super) fn digests_in(document: &str) -> impl Iterator<Item = Digest> + '_ {
    document
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter_map(|word| word.parse::<Digest>().ok())
}

/// Sorted, each once.
pub(super) fn each_once(mut digests: Vec<Digest>) -> Vec<Digest> {
    digests.sort_unstable();
    digests.dedup();
    digests
}

/// A text as both databases take it. PostgreSQL refuses NUL, and one code that a worker made up must
/// not keep everything that ended with it out of history.
pub(super) fn stored_text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(super) fn stored_time(ms: u64) -> Result<i64, ArchiveError> {
    i64::try_from(ms).map_err(|_| ArchiveError::BadTime { ms })
}

fn page_limit(filter: &TaskFilter) -> u32 {
    filter.limit.clamp(1, ARCHIVE_PAGE_MAX)
}
