//! `aureole cluster`: founding, certificates, tokens, status, membership, collection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use aureole_node::tls::{Authority, Identity, Role, Transport};
use aureole_node::{Collection, Config, Operator, Plan, Standing, found};
use serde_json::json;

use super::Context;
use crate::arguments::{Cluster, JoinToken, Way};
use crate::print;

/// Runs a verb.
pub(crate) async fn run(context: &Context, verb: Cluster) -> anyhow::Result<()> {
    let standing = match verb {
        Cluster::Init {
            dir,
            coordinators,
            http,
            workers,
            enrol,
            origin,
        } => {
            let plan = Plan {
                coordinators,
                http,
                workers,
                enrol,
                origin,
                params_dir: None,
            };
            return init(context, &dir, &plan);
        }
        Cluster::Certificate {
            dir,
            role,
            name,
            out,
        } => {
            return certificate(context, &dir, &role, &name, &out);
        }
        Cluster::Token(JoinToken::New { dir, role, ttl }) => {
            return token(context, &dir, &role, ttl);
        }
        Cluster::Gc { dry_run, way } => {
            let collection = operator(&way)?.collect(dry_run).await?;
            return print::result(context.output, &collection, collected);
        }
        Cluster::Status { local, way } => operator(&way)?.status(local).await?,
        Cluster::Add { id, address, way } => operator(&way)?.add(id, &address).await?,
        Cluster::Remove { id, way } => operator(&way)?.remove(id).await?,
        Cluster::TransferLeader { id, way } => operator(&way)?.transfer(id).await?,
    };
    print::result(context.output, &standing, show)
}

fn init(context: &Context, dir: &Path, plan: &Plan) -> anyhow::Result<()> {
    let founded = found(dir, plan)?;
    let made = json!({
        "cluster": founded.cluster,
        "coordinators": founded.coordinators,
        "workers": founded.workers,
        "admin": founded.admin,
        "log_key": founded.log_key,
    });
    print::result(context.output, &made, |_| {
        print::line(format_args!(
            "cluster {} is founded in {}",
            founded.cluster,
            dir.display()
        ));
        print::line(
            "copy each folder to its machine, set data_dir to where it stands there, and run:",
        );
        for config in founded.coordinators.iter().chain(&founded.workers) {
            print::line(format_args!(
                "  aureole serve --config {}",
                config.display()
            ));
        }
        print::line(format_args!(
            "receipts of its log verify with the key {}",
            founded.log_key
        ));
        print::line("keep ca.key: with it anybody can be anybody in the cluster");
    })
}

fn certificate(
    context: &Context,
    dir: &Path,
    role: &str,
    name: &str,
    out: &Path,
) -> anyhow::Result<()> {
    let role = read_role(role)?;
    let identity = Authority::load(dir)?.issue(role, name)?;
    identity.store(out)?;
    let made = json!({"name": identity.name().to_string(), "dir": out});
    print::result(context.output, &made, |_| {
        print::line(format_args!("{} in {}", identity.name(), out.display()));
    })
}

fn token(context: &Context, dir: &Path, role: &str, ttl: Duration) -> anyhow::Result<()> {
    let role = read_role(role)?;
    let token = Authority::load(dir)?.token(role, ttl)?;
    let made = json!({
        "token": token.text(),
        "cluster": token.cluster(),
        "role": role.name(),
        "ttl_s": ttl.as_secs(),
    });
    // The token alone, so that `> FILE` makes the file.
    print::result(context.output, &made, |_| print::line(token.text()))
}

fn read_role(role: &str) -> anyhow::Result<Role> {
    role.parse()
        .map_err(|()| anyhow!("`{role}` is no role: coordinator, worker, gateway or admin"))
}

fn collected(collection: &Collection) {
    let verb = match collection.dry_run {
        true => "would remove",
        false => "removed",
    };
    for member in &collection.members {
        match &member.failure {
            Some(why) => print::line(format_args!("  {:<4} failed: {why}", member.member)),
            None => print::line(format_args!(
                "  {:<4} {verb} {} blobs of {} bytes; {} are referred to, {} too young",
                member.member, member.count, member.bytes, member.referenced, member.young
            )),
        }
    }
}

fn operator(way: &Way) -> anyhow::Result<Operator> {
    let (coordinator, admin) = match way {
        Way::Beside(file) => return Ok(Operator::beside(&Config::load(file)?)?),
        Way::To { coordinator, admin } => (coordinator, admin),
    };
    let transport = match admin {
        Some(folder) => Transport::Tls(Arc::new(Identity::load(folder, Role::Admin)?)),
        None => Transport::Plain,
    };
    Ok(Operator::new(coordinator, &transport)?)
}

fn show(standing: &Standing) {
    let number =
        |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    print::line(format_args!(
        "cluster {}  term {}  leader {}  applied {}  snapshot {}",
        standing.cluster,
        standing.term,
        standing
            .leader
            .map_or_else(|| "none".to_owned(), |id| id.to_string()),
        number(standing.applied),
        number(standing.snapshot),
    ));
    for member in &standing.members {
        let part = match (member.leader, member.voter) {
            (true, _) => "leader",
            (false, true) => "voter",
            (false, false) => "learner",
        };
        print::line(format_args!(
            "  {:<4} {part:<8} {:<28} lag {}",
            member.id,
            member.address,
            number(member.lag)
        ));
    }
}
