//! `aureole migrate`: the schema of the archive, brought up to date without a node, or looked at.

use std::fmt;

use aureole_store::{ArchiveError, ArchivePlace, SchemaStep};

use crate::config::{Config, ConfigError};

/// An archive and what its schema lacks.
#[derive(Debug)]
pub struct Schema {
    place: ArchivePlace,
    steps: Vec<SchemaStep>,
}

/// One numbered step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether the archive has it.
    pub applied: bool,
}

/// Why the schema is not known or not up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The configuration names no archive that can be reached.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A member of a group without a database has no archive.
    #[error("there is no archive: archive.url is not set, and the process belongs to a group")]
    None,
    /// The archive failed or refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

// === impl Schema ===

impl Schema {
    /// Looks at the archive of a configuration and changes nothing.
    ///
    /// # Errors
    /// [`SchemaError`]: there is none, or it does not answer.
    pub async fn look(config: &Config) -> Result<Self, SchemaError> {
        let place = config.archive_place()?.ok_or(SchemaError::None)?;
        let steps = aureole_store::schema_steps(&place).await?;
        Ok(Self { place, steps })
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        self.steps.iter().map(|step| Step {
            version: step.version,
            name: step.name.clone(),
            applied: step.applied,
        })
    }

    /// Runs the steps that the archive lacks; nodes that start meanwhile wait.
    ///
    /// # Errors
    /// [`SchemaError::Archive`].
    pub async fn migrate(self) -> Result<Self, SchemaError> {
        aureole_store::migrate(&self.place).await?;
        let steps = aureole_store::schema_steps(&self.place).await?;
        let place = self.place;
        Ok(Self { place, steps })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    //! What is told before and after, and what is refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[tokio::test]
    async fn the_steps_are_told_before_they_are_run_and_after() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&format!("data_dir = {:?}\n", folder.path()));
        let schema = Schema::look(&config).await.unwrap();
        assert!(schema.to_string().ends_with("archive.sqlite"));
        assert!(schema.steps().all(|step| !step.applied));
        let schema = schema.migrate().await.unwrap();
        assert!(schema.steps().all(|step| step.applied));
        assert!(schema.steps().any(|step| step.name == "tasks"));
    }

    #[tokio::test]
    async fn without_an_archive_there_is_nothing_to_migrate() {
        let member =
            "[cluster]\nid = 1\nfounding = \"founders\"\nmembers = { 1 = \"10.0.0.1:1\" }\n";
        let error = Schema::look(&config(member)).await.unwrap_err();
        assert!(matches!(error, SchemaError::None), "{error}");
        let away = config("[archive]\nurl = \"postgres://u@127.0.0.1:1/d\"\n");
        let error = Schema::look(&away).await.unwrap_err();
        assert!(matches!(error, SchemaError::Archive(_)), "{error}");
        let unread = "[archive]\nurl = \"postgres://u@h/d\"\npassword_file = \"/nowhere/p\"\n";
        let error = Schema::look(&config(unread)).await.unwrap_err();
        assert!(matches!(error, SchemaError::Config(_)), "{error}");
    }
}
