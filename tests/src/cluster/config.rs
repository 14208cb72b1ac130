//! The configuration files of a cluster under test, with certificates from `aureole cluster init`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::{INTERNAL_PORT, Layout, REST_PORT, Server, output, quoted};
use crate::key::ACCESS;
use crate::net::Net;
use crate::place::{binary, params_dir};

/// Where one process listens.
struct Addresses {
    internal: SocketAddr,
    rest: SocketAddr,
}

/// All servers, none started.
pub(super) fn servers(
    layout: &Layout,
    net: Option<&Net>,
    folder: &Path,
) -> anyhow::Result<BTreeMap<String, Server>> {
    let addresses = addresses(layout, net)?;
    let members: Vec<String> = (1..)
        .zip(&addresses)
        .map(|(id, at)| format!("{id} = \"{}\"", at.internal))
        .collect();
    let members = members.join(", ");
    let known: Vec<String> = addresses
        .iter()
        .map(|at| format!("\"{}\"", at.internal))
        .collect();
    let known = known.join(", ");
    let common = |name: &str| -> anyhow::Result<String> {
        Ok(format!(
            "data_dir = {}\nparams_dir = {}\n",
            quoted(&folder.join(name).join("data")),
            quoted(&params_dir()?)
        ))
    };
    let worker = format!(
        "[worker]\nslots = {}\nthreads = {}\nlease_ms = {}\n",
        layout.slots, layout.threads, layout.lease_ms
    );
    let made = folder.join("cluster");
    found(layout, &addresses, &made)?;
    let tls = |role: &str, number: u8| {
        let folder = made.join(format!("{role}-{number}/tls"));
        let filter = layout.log;
        format!(
            "[log]\nfilter = \"{filter}\"\n[tls]\ndir = {}\n",
            quoted(&folder)
        )
    };
    let mut servers = BTreeMap::new();
    for (id, at) in (1_u8..).zip(&addresses) {
        let name = format!("c{id}");
        let config = format!(
            "roles = [\"coordinator\", \"gateway\"]\n{}[http]\nlisten = \"{}\"\n[cluster]\nid = {id}\nfounding = \"founders\"\nmembers = {{ {members} }}\nsecret_file = {}\n[receipts]\nkey_file = {}\n{worker}{}{}{}",
            common(&name)?,
            at.rest,
            quoted(&made.join("coordinator-1/secret")),
            quoted(&made.join("coordinator-1/log.key")),
            tls("coordinator", id),
            layout.services,
            ACCESS
        );
        let mut server = Server::new(&name, folder.join(&name), &config, layout.faults)?;
        server.internal = Some(at.internal.to_string());
        server.url = Some(format!("http://{}", at.rest));
        server.host = net.map(|_| id);
        servers.insert(name, server);
    }
    for number in 1..=layout.workers {
        let name = format!("w{number}");
        let named = worker.replace("[worker]\n", &format!("[worker]\nname = \"{name}\"\n"));
        let config = format!(
            "roles = [\"worker\"]\n{}[cluster]\ncoordinators = [{known}]\n{named}{}",
            common(&name)?,
            tls("worker", number)
        );
        let mut server = Server::new(&name, folder.join(&name), &config, layout.faults)?;
        server.host = net.map(|_| layout.coordinators + number);
        servers.insert(name, server);
    }
    Ok(servers)
}

/// The coordinators' addresses: fixed ports of hosts of their own, or free ports of this one.
fn addresses(layout: &Layout, net: Option<&Net>) -> anyhow::Result<Vec<Addresses>> {
    // All are held until all are known, so that none is given twice.
    let mut held = Vec::new();
    let mut free = || -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        held.push(listener);
        Ok(address)
    };
    let one = |host: u8| -> anyhow::Result<Addresses> {
        match net {
            Some(net) => {
                let at = |port| SocketAddr::from((IpAddr::from(net.address(host)), port));
                Ok(Addresses {
                    internal: at(INTERNAL_PORT),
                    rest: at(REST_PORT),
                })
            }
            None => Ok(Addresses {
                internal: free()?,
                rest: free()?,
            }),
        }
    };
    (1..=layout.coordinators).map(one).collect()
}

/// Has the cluster's authority, certificates and secret made.
fn found(layout: &Layout, addresses: &[Addresses], folder: &Path) -> anyhow::Result<()> {
    let internal: Vec<String> = addresses.iter().map(|at| at.internal.to_string()).collect();
    let mut command = Command::new(binary()?);
    command
        .args(["cluster", "init", "--coordinators", &internal.join(",")])
        .args(["--workers", &layout.workers.to_string(), "--dir"])
        .arg(folder);
    output(&mut command).map(drop)
}
