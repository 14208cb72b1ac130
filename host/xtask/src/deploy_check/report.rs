//! What was tried, and what came of it: one row a group, and by name what failed or could not be tried.
//!
//! Scripts tell `ok NAME`, `FAIL NAME` with indented lines of why, and `MISSING WHAT: where from`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::shell;

/// Groups in the order in which they were begun.
#[derive(Debug, Default)]
pub(crate) struct Report {
    groups: Vec<Group>,
}

#[derive(Debug, Default)]
struct Group {
    name: String,
    passed: u32,
    failed: Vec<String>,
    /// What is lacking, and where it comes from or why it cannot be.
    absent: BTreeMap<String, String>,
    took: Duration,
}

// === impl Report ===

impl Report {
    /// Runs a script that tells of each of its checks.
    pub(crate) fn checks(&mut self, group: &str, command: &mut Command) -> anyhow::Result<()> {
        shell::step(group);
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("the script of {group} does not start"))?;
        let said = child.stdout.take().context("the script says nothing")?;
        for line in BufReader::new(said).lines() {
            let line = line?;
            eprintln!("    {line}");
            self.group(group).read(&line);
        }
        let status = child.wait()?;
        let group = self.group(group);
        group.took += begun.elapsed();
        if !status.success() && group.failed.is_empty() && group.absent.is_empty() {
            group.failed.push(format!("the script ended with {status}"));
        }
        Ok(())
    }

    /// Runs a command that is one check; an exit code of 2 says that something is lacking.
    pub(crate) fn whole(&mut self, group: &str, check: &str, command: &mut Command) {
        shell::step(&format!("{group}: {check}"));
        let begun = Instant::now();
        let ended = command.stdin(Stdio::null()).status();
        let group = self.group(group);
        group.took += begun.elapsed();
        match ended {
            Ok(status) if status.success() => group.passed += 1,
            Ok(status) if status.code() == Some(2) => {
                group.lacks(check, "what it lacks stands above");
            }
            Ok(status) => group.failed.push(format!("{check}: {status}")),
            Err(error) => group.failed.push(format!("{check}: {error}")),
        }
    }

    /// Notes what cannot be tried here.
    pub(crate) fn lacks(&mut self, group: &str, what: &str, why: &str) {
        self.group(group).lacks(what, why);
    }

    /// How many checks failed.
    pub(crate) fn failed(&self) -> usize {
        self.groups.iter().map(|group| group.failed.len()).sum()
    }

    /// How many groups were not tried, or not whole.
    pub(crate) fn absent(&self) -> usize {
        let lacking = self.groups.iter().filter(|group| !group.absent.is_empty());
        lacking.count()
    }

    fn group(&mut self, name: &str) -> &mut Group {
        let at = self.groups.iter().position(|group| group.name == name);
        let at = at.unwrap_or_else(|| {
            self.groups.push(Group {
                name: name.to_owned(),
                ..Group::default()
            });
            self.groups.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found, or just pushed")]
        &mut self.groups[at]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:>6} {:>6} {:>6} {:>8}",
            "group", "passed", "failed", "absent", "seconds"
        )?;
        for group in &self.groups {
            writeln!(
                f,
                "{:<12} {:>6} {:>6} {:>6} {:>8.1}",
                group.name,
                group.passed,
                group.failed.len(),
                group.absent.len(),
                group.took.as_secs_f64()
            )?;
        }
        for group in &self.groups {
            for failed in &group.failed {
                writeln!(f, "FAILED  {}: {failed}", group.name)?;
            }
            for (what, why) in &group.absent {
                writeln!(f, "ABSENT  {}: {what}: {why}", group.name)?;
            }
        }
        Ok(())
    }
}

// === impl Group ===

impl Group {
    fn read(&mut self, line: &str) {
        if line.starts_with("ok ") {
            self.passed += 1;
        } else if let Some(name) = line.strip_prefix("FAIL ") {
            self.failed.push(name.trim().to_owned());
        } else if let Some(lacking) = line.strip_prefix("MISSING ") {
            let (what, why) = lacking.split_once(": ").unwrap_or((lacking, "no reason"));
            self.lacks(what, why);
        }
    }

    fn lacks(&mut self, what: &str, why: &str) {
        self.absent.insert(what.to_owned(), why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    //! What scripts say, and what the table makes of it.

    use super::*;

    fn script(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn what_a_script_tells_is_counted_and_named() -> anyhow::Result<()> {
        let mut report = Report::default();
        let said = "echo 'ok   a: b'; echo 'FAIL c: d'; echo '     why'; echo 'ok   e'; exit 1";
        report.checks("helm", &mut script(said))?;
        let said = "echo 'MISSING helm: the releases'; exit 2";
        report.checks("kubernetes", &mut script(said))?;
        assert_eq!((report.failed(), report.absent()), (1, 1));
        let shown = report.to_string();
        for line in [
            "helm              2      1      0",
            "FAILED  helm: c: d",
            "ABSENT  kubernetes: helm: the releases",
        ] {
            assert!(shown.contains(line), "{line} is not in\n{shown}");
        }
        Ok(())
    }

    #[test]
    fn a_script_that_ends_badly_without_a_word_failed() -> anyhow::Result<()> {
        let mut report = Report::default();
        report.checks("yaml", &mut script("exit 3"))?;
        assert_eq!(report.failed(), 1);
        assert!(
            report
                .to_string()
                .contains("FAILED  yaml: the script ended")
        );
        Ok(())
    }

    #[test]
    fn one_command_passes_fails_or_lacks_something() {
        let mut report = Report::default();
        report.whole("scan", "a", &mut script("exit 0"));
        report.whole("scan", "b", &mut script("exit 1"));
        report.whole("scan", "c", &mut script("exit 2"));
        report.whole("scan", "d", &mut Command::new("/nowhere/at/all"));
        assert_eq!((report.failed(), report.absent()), (2, 1));
    }
}
