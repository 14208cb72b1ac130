//! Which code is measured, and on which day: written into each bench's line.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde_json::Value;

/// The page itself does not count as a change of what is measured.
const NO_CHANGE: [&str; 2] = [":!host/BENCHMARKS.md", ":!host/BENCHMARKS.svg"];

/// The commit that is checked out, and today.
#[derive(Debug)]
pub(super) struct Stamp {
    commit: String,
    date: String,
}

// === impl Stamp ===

impl Stamp {
    pub(super) fn now(workspace: &Path) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let days = since.map_or(0, |since| since.as_secs() / 86_400);
        Self {
            commit: commit(workspace).unwrap_or_else(|| "an unknown commit".to_owned()),
            date: date(days),
        }
    }

    /// The line with the stamp on it.
    pub(super) fn on(&self, mut line: Value) -> anyhow::Result<Value> {
        let fields = line
            .as_object_mut()
            .context("a bench's line is no object")?;
        fields.insert("commit".to_owned(), self.commit.clone().into());
        fields.insert("date".to_owned(), self.date.clone().into());
        Ok(line)
    }
}

/// The commit's short name, and whether files differ from it. Nothing where there is no git.
fn commit(workspace: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let output = git.args(arguments).current_dir(workspace).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--untracked-files=no", "--", "."];
    status.extend(NO_CHANGE);
    let changed = !git(&status)?.is_empty();
    Some(if changed {
        format!("{commit} with changes")
    } else {
        commit
    })
}

/// The date of a day in UTC, counted from 1970-01-01.
fn date(days: u64) -> String {
    // Years are counted from the first of March, so that the day that is not always there is the last;
    // 400 of them have 146,097 days, and 719,468 days lie between the first of March 0000 and 1970.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March, and from August, have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + later)
}

#[cfg(test)]
mod tests {
    //! Days as dates.

    use serde_json::json;

    use super::*;

    #[test]
    fn days_are_told_as_dates() {
        for (days, told) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
            (20_781, "2026-11-24"),
        ] {
            assert_eq!(date(days), told);
        }
    }

    #[test]
    fn a_line_keeps_its_figures_under_the_stamp() {
        let stamp = Stamp {
            commit: "0123abcd".to_owned(),
            date: "2026-11-24".to_owned(),
        };
        let line = stamp.on(json!({"bench": "scale", "ratio": 1.9})).unwrap();
        assert_eq!(
            line,
            json!({"bench": "scale", "ratio": 1.9, "commit": "0123abcd", "date": "2026-11-24"})
        );
        assert!(stamp.on(json!(1.9)).is_err());
    }
}
