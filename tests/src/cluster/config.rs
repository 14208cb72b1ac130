//! The configuration files of a cluster under test, with certificates from `aureole cluster init`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use super::{Layout, Server, quoted};
use crate::net::Net;
use crate::place::params_dir;

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
        "[worker]\nslots = 1\nthreads = {}\nlease_ms = {}\n",
        layout.threads, layout.lease_ms
    );
    let log = format!(
        "[log]\nfilter = \"{}\"\n[tls]\nenabled = false\n",
        layout.log
    );
    std::fs::write(folder.join("secret"), secret()?)?;
    let mut servers = BTreeMap::new();
    for (id, at) in (1_u8..).zip(&addresses) {
        let name = format!("c{id}");
        let config = format!(
            "roles = [\"coordinator\", \"gateway\"]\n{}[http]\nlisten = \"{}\"\n[cluster]\nid = {id}\nfounding = \"founders\"\nmembers = {{ {members} }}\nsecret_file = {}\n{worker}{log}",
            common(&name)?,
            at.rest,
            quoted(&folder.join("secret"))
        );
        let mut server = Server::new(&name, folder.join(&name), &config, layout.faults)?;
        server.url = Some(format!("http://{}", at.rest));
        server.host = net.map(|_| id);
        servers.insert(name, server);
    }
    for number in 1..=layout.workers {
        let name = format!("w{number}");
        let named = worker.replace("[worker]\n", &format!("[worker]\nname = \"{name}\"\n"));
        let config = format!(
            "roles = [\"worker\"]\n{}[cluster]\ncoordinators = [{known}]\n{named}{log}",
            common(&name)?
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
                    internal: at(7400),
                    rest: at(8080),
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

/// What the coordinators share.
fn secret() -> anyhow::Result<[u8; 32]> {
    let mut secret = [0; 32];
    for chunk in secret.chunks_mut(8) {
        chunk.copy_from_slice(&getrandom::u64()?.to_ne_bytes());
    }
    Ok(secret)
}
