//! The image and the cluster of `deployments/compose`, as containers, where docker can run.
//!
//! A docker that answers is used as it is. Without one, root starts a daemon of its own in a folder of
//! its own and ends it again. What a registry would give is made where none is reached: the base from
//! Debian's packages, PostgreSQL and Redis on top of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::report::Report;
use super::tools::{is_root, on_path};
use crate::shell;

const GROUP: &str = "containers";

/// What the Dockerfile builds on.
const BASE: &str = "debian:bookworm-slim";

/// The image that is tried; no other has this name.
const IMAGE: &str = "aureole-deploy-check";

/// How often, and how far apart, a daemon that was started is asked whether it answers.
const ASKED: u32 = 300;
const APART: Duration = Duration::from_millis(100);

/// How long a registry may take for an image, in seconds; without one the attempt fails at once.
const PULL_SECONDS: &str = "300";

/// How compose names an image of a server, what it is unless told, and what stands in for it.
const SERVERS: [(&str, &str, &str); 2] = [
    ("AUREOLE_POSTGRES_IMAGE", "postgres:17-bookworm", "postgres"),
    ("AUREOLE_REDIS_IMAGE", "redis:7-bookworm", "redis"),
];

/// The first docker whose client needs a plugin for BuildKit, without which the Dockerfile's stages
/// would all be built.
const PLUGIN_SINCE: u32 = 23;

/// The docker that is used; a daemon that was started here ends with it.
struct Docker {
    path: OsString,
    client: PathBuf,
    host: Option<String>,
    daemon: Option<(Child, TempDir)>,
}

/// Builds the image, and tries it in every role.
pub(super) fn run(
    workspace: &Path,
    path: &OsStr,
    binary: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let docker = match Docker::find(path) {
        Ok(docker) => docker,
        Err(why) => {
            report.lacks(GROUP, "docker", &format!("{why:#}"));
            return Ok(());
        }
    };
    let mut images = Vec::new();
    let ready = docker.base().and_then(|()| {
        for (variable, reference, name) in SERVERS {
            images.push((variable, docker.server(workspace, reference, name)?));
        }
        Ok(())
    });
    if let Err(why) = ready {
        report.lacks(GROUP, "images to build on", &format!("{why:#}"));
        return Ok(());
    }
    let context = context(workspace, binary)?;
    let file = workspace.join("deployments/containers/Dockerfile");
    report.whole(
        GROUP,
        "the image is built of a ready binary",
        docker
            .docker()
            .args(["build", "--quiet", "--build-arg", "BINARY=prebuilt"])
            .args(["--tag", IMAGE, "--file"])
            .arg(file)
            .arg(context.path()),
    );
    if report.failed() > 0 {
        report.lacks(GROUP, "a cluster of containers", "something failed before");
        return Ok(());
    }
    report.whole(
        GROUP,
        "it runs read-only, as nobody in particular",
        docker
            .docker()
            .args(["run", "--rm", "--read-only", "--cap-drop", "ALL"])
            .args(["--network", "none", IMAGE, "--version"]),
    );
    let mut story = docker.command(workspace.join("deployments/compose/try.sh"));
    story.arg("--backup");
    story.env("AUREOLE_IMAGE", IMAGE).envs(images);
    report.whole(
        GROUP,
        "a cluster proves, loses the coordinator that leads, proves, gets it back, proves, and is put back \
         from a copy after the loss of all",
        &mut story,
    );
    Ok(())
}

/// Whether a client builds by BuildKit: an old one does, a newer one with its plugin.
fn builds(client: &Path) -> bool {
    let said = Command::new(client).arg("--version").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    // "Docker version 28.2.2, build ..."
    let version = said.ok().and_then(|said| {
        let number = said.split(' ').nth(2)?.split('.').next()?;
        number.parse::<u32>().ok()
    });
    let mut plugin = Command::new(client);
    let plugin = plugin.args(["buildx", "version"]);
    version.is_some_and(|version| version < PLUGIN_SINCE)
        || plugin.output().is_ok_and(|ran| ran.status.success())
}

/// A folder with nothing in it but the binary, without what only debuggers read, where the Dockerfile
/// looks for it.
fn context(workspace: &Path, binary: &Path) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir_in(workspace.join("target"))?;
    let to = folder.path().join("target/release");
    fs::create_dir_all(&to)?;
    let to = to.join("aureole");
    let mut strip = Command::new("strip");
    let stripped = strip.arg("--strip-debug").arg("-o").arg(&to).arg(binary);
    if shell::run(stripped).is_err() {
        fs::copy(binary, &to)?;
    }
    Ok(folder)
}

// === impl Docker ===

impl Docker {
    fn find(path: &OsStr) -> anyhow::Result<Self> {
        ensure!(on_path("docker"), "it is not installed");
        let folders = std::env::split_paths(path).map(|folder| folder.join("docker"));
        let mut clients = folders.filter(|client| client.is_file());
        let client = clients.find(|client| builds(client));
        let mut docker = Self {
            path: path.to_owned(),
            client: client.context("its client lacks the plugin buildx")?,
            host: None,
            daemon: None,
        };
        if docker.answers() {
            return Ok(docker);
        }
        ensure!(
            is_root() && on_path("dockerd"),
            "no daemon answers, and none can be started: that takes root and dockerd"
        );
        // A socket's path has to be short.
        let folder = tempfile::Builder::new().prefix("docker-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let host = format!("unix://{}", at("socket").display());
        shell::step("starting a docker daemon");
        let daemon = Command::new("dockerd")
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .args(["--host", &host, "--bip", "10.88.250.1/24"])
            .args(["--storage-driver", "overlay2"])
            .args(["--default-ulimit", "nofile=20000:20000"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log"))?)
            .spawn()?;
        docker.host = Some(host);
        docker.daemon = Some((daemon, folder));
        for _ in 0..ASKED {
            if docker.answers() {
                return Ok(docker);
            }
            thread::park_timeout(APART);
        }
        let log = docker
            .daemon
            .as_ref()
            .map(|(_, folder)| folder.path().join("log"));
        let log = fs::read_to_string(log.context("no log")?).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it said nothing").to_owned();
        anyhow::bail!("a daemon was started and does not answer: {last}")
    }

    /// A program that finds this docker.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("DOCKER_BUILDKIT", "1");
        if let Some(host) = &self.host {
            command.env("DOCKER_HOST", host);
        }
        command
    }

    fn docker(&self) -> Command {
        self.command(&self.client)
    }

    fn answers(&self) -> bool {
        self.quietly(&["info"])
    }

    /// Runs docker without showing what it says, and tells whether it did.
    fn quietly(&self, arguments: &[&str]) -> bool {
        let mut command = self.docker();
        command.args(arguments);
        let ran = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran.is_ok_and(|status| status.success())
    }

    /// Whether an image is here, or a registry gives it.
    fn has(&self, image: &str) -> bool {
        if self.quietly(&["image", "inspect", image]) {
            return true;
        }
        let mut pull = self.command("timeout");
        let pull = pull.arg(PULL_SECONDS).arg(&self.client);
        shell::run(pull.args(["pull", "--quiet", image])).is_ok()
    }

    /// The image that all others are built on.
    fn base(&self) -> anyhow::Result<()> {
        if self.has(BASE) {
            return Ok(());
        }
        ensure!(
            is_root() && on_path("mmdebstrap"),
            "no registry gives {BASE}, and to make it takes root and mmdebstrap"
        );
        shell::step(&format!("making {BASE} of Debian's packages"));
        let folder = tempfile::tempdir()?;
        let tar = folder.path().join("root.tar");
        shell::run(
            Command::new("mmdebstrap")
                .args(["--quiet", "--variant=apt", "--include=ca-certificates,curl"])
                .arg("bookworm")
                .arg(&tar),
        )?;
        shell::run(self.docker().arg("import").arg(&tar).arg(BASE))
    }

    /// The image of a server, or what stands in for it.
    fn server(&self, workspace: &Path, reference: &str, name: &str) -> anyhow::Result<String> {
        if self.has(reference) {
            return Ok(reference.to_owned());
        }
        shell::step(&format!("making what stands in for {reference}"));
        let folder: PathBuf = workspace.join("deployments/containers/stand-ins");
        let image = format!("{IMAGE}-{name}");
        shell::run(
            self.docker()
                .args(["build", "--quiet", "--tag", &image, "--file"])
                .arg(folder.join(format!("{name}.Dockerfile")))
                .arg(&folder),
        )?;
        Ok(image)
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let Some((daemon, _)) = &mut self.daemon else {
            // The images of a docker that others use: nobody else needs them.
            self.quietly(&["image", "rm", "--force", IMAGE]);
            return;
        };
        // It ends its containers, and unmounts what they had. Gone already is as good.
        let id = daemon.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = daemon.wait();
    }
}
