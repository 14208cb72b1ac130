//! Several hosts on one machine: network namespaces on a bridge, whose links break on demand.
//!
//! ```text
//!   this process ── 10.77.N.254 ──┐
//!                               bridge ── host 1 (10.77.N.1), host 2 (10.77.N.2), ...
//! ```
//!
//! Only `ip` (iproute2) and root are needed, no packet filter: a cut from A to B makes A address its
//! frames for B to a card that does not exist, so they vanish without a word, as they do in a real
//! partition; connections that stand are cut with the rest. A delay makes A address them to a card of
//! this process, which sends them on later. This process reaches every host at all times. What a `Net`
//! makes is gone when it is dropped, and what a killed test left behind when the next one is made.
//! Linux only.

mod delay;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::random::Random;
use delay::{Pace, SLOW, SlowCard};

/// Second part of the addresses; the third is the net's number.
const PREFIX: [u8; 2] = [10, 77];

/// This process's place in each net.
const US: u8 = 254;

/// Longer than any answer on one machine takes.
const LONG: Duration = Duration::from_millis(500);

/// The first part of each namespace's name, before the process id.
const NAME: &str = "aureole-test";

/// Hosts on a bridge of their own.
#[derive(Debug)]
pub struct Net {
    number: u8,
    hosts: u8,
    /// Ways that do not lead straight to where they should: cut, or by the slow card.
    astray: BTreeSet<(u8, u8)>,
    slow: Option<SlowCard>,
}

// === impl Net ===

impl Net {
    /// Makes a net of so many hosts, numbered from 1.
    ///
    /// # Errors
    /// When this machine or user cannot, with what to do about it.
    pub fn new(hosts: u8) -> anyhow::Result<Self> {
        able()?;
        sweep()?;
        // The interface on our side claims the number: another test's net has another one.
        let claimed = (0..=u8::MAX).find(|number| {
            let port = port(*number);
            run(&[
                "link",
                "add",
                &port,
                "type",
                "veth",
                "peer",
                "name",
                &format!("{port}p"),
            ])
            .is_ok()
        });
        let number = claimed.context("no network interface can be made: are 256 nets in use?")?;
        let net = Self {
            number,
            hosts,
            astray: BTreeSet::new(),
            slow: None,
        };
        net.build()?;
        Ok(net)
    }

    fn build(&self) -> anyhow::Result<()> {
        let (port, switch) = (port(self.number), self.namespace(0));
        run(&["netns", "add", &switch])?;
        run(&["-n", &switch, "link", "add", "br0", "type", "bridge"])?;
        run(&["-n", &switch, "link", "set", "br0", "up"])?;
        run(&["link", "set", &format!("{port}p"), "netns", &switch])?;
        run(&[
            "-n",
            &switch,
            "link",
            "set",
            &format!("{port}p"),
            "master",
            "br0",
            "up",
        ])?;
        run(&[
            "addr",
            "add",
            &format!("{}/24", self.address(US)),
            "dev",
            &port,
        ])?;
        run(&["link", "set", &port, "up"])?;
        for host in 1..=self.hosts {
            let (name, plug) = (self.namespace(host), format!("p{host}"));
            run(&["netns", "add", &name])?;
            run(&["-n", &name, "link", "set", "lo", "up"])?;
            run(&[
                "link", "add", &plug, "netns", &switch, "type", "veth", "peer", "name", "eth0",
                "netns", &name,
            ])?;
            run(&["-n", &switch, "link", "set", &plug, "master", "br0", "up"])?;
            let card = self.card(host);
            run(&["-n", &name, "link", "set", "eth0", "address", &card])?;
            let address = format!("{}/24", self.address(host));
            run(&["-n", &name, "addr", "add", &address, "dev", "eth0"])?;
            run(&["-n", &name, "link", "set", "eth0", "up"])?;
        }
        // Known from the start, so that no heal ever waits for somebody to ask who is where.
        self.pairs()
            .try_for_each(|(from, to)| self.point(from, to, &self.card(to)))
    }

    /// A host's address.
    #[must_use]
    pub fn address(&self, host: u8) -> Ipv4Addr {
        let [first, second] = PREFIX;
        Ipv4Addr::new(first, second, self.number, host)
    }

    /// A command that runs on a host. The process that it starts is the program itself.
    #[must_use]
    pub fn command(&self, host: u8, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace(host)])
            .arg(program);
        command
    }

    /// Drops what `from` sends to `to`, in that direction only.
    ///
    /// # Errors
    /// When the system refuses; so with the others.
    pub fn cut(&mut self, from: u8, to: u8) -> anyhow::Result<()> {
        self.astray.insert((from, to));
        // A locally administered address that no card here has.
        self.point(from, to, "02:ff:ff:ff:ff:ff")
    }

    /// Drops everything between hosts of different sets.
    ///
    /// # Errors
    /// See [`Net::cut`].
    pub fn partition(&mut self, sets: &[&[u8]]) -> anyhow::Result<()> {
        let set = |host: u8| sets.iter().position(|set| set.contains(&host));
        let pairs: Vec<_> = self.pairs().collect();
        for (from, to) in pairs {
            if set(from) != set(to) {
                self.cut(from, to)?;
            }
        }
        Ok(())
    }

    /// Drops everything between a host and all others, but for this process.
    ///
    /// # Errors
    /// See [`Net::cut`].
    pub fn isolate(&mut self, host: u8) -> anyhow::Result<()> {
        self.partition(&[&[host]])
    }

    /// Lets everything between two hosts take so long, and up to `jitter` more, in either direction.
    /// Pairs that are slow already take as long from now on.
    ///
    /// # Errors
    /// See [`Net::cut`]; and when the kernel has no macvtap.
    pub fn delay(
        &mut self,
        one: u8,
        other: u8,
        delay: Duration,
        jitter: Duration,
        random: Random,
    ) -> anyhow::Result<()> {
        let pace = Pace {
            delay,
            jitter,
            random,
        };
        self.slow = None;
        self.slow = Some(SlowCard::new(self.number, &port(self.number), pace)?);
        for (from, to) in [(one, other), (other, one)] {
            self.astray.insert((from, to));
            self.point(from, to, &self.card(SLOW))?;
        }
        Ok(())
    }

    /// Frames that a delay has held back so far.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.slow.as_ref().map_or(0, SlowCard::carried)
    }

    /// Ends all cuts and delays.
    ///
    /// # Errors
    /// See [`Net::cut`].
    pub fn heal(&mut self) -> anyhow::Result<()> {
        for (from, to) in std::mem::take(&mut self.astray) {
            self.point(from, to, &self.card(to))?;
        }
        self.slow = None;
        Ok(())
    }

    /// Whether a connection from one host to a port of another can be made just now.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn reaches(&self, from: u8, to: u8, port: u16) -> anyhow::Result<bool> {
        let address = SocketAddr::from((self.address(to), port));
        self.on(from, move || {
            TcpStream::connect_timeout(&address, LONG).is_ok()
        })
    }

    /// Does something as a program on that host would.
    fn on<T: Send>(&self, host: u8, act: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let name = self.namespace(host);
        thread::scope(|scope| {
            // A thread of its own, because it stays there.
            let there = scope.spawn(move || {
                enter(&name)?;
                Ok(act())
            });
            there.join().map_err(|_| anyhow!("it panicked"))?
        })
    }

    /// Every ordered pair of hosts.
    fn pairs(&self) -> impl Iterator<Item = (u8, u8)> + use<> {
        let hosts = 1..=self.hosts;
        let all = hosts
            .clone()
            .flat_map(move |from| hosts.clone().map(move |to| (from, to)));
        all.filter(|(from, to)| from != to)
    }

    /// Tells one host which card another has.
    fn point(&self, from: u8, to: u8, card: &str) -> anyhow::Result<()> {
        let (name, address) = (self.namespace(from), self.address(to).to_string());
        run(&[
            "-n",
            &name,
            "neigh",
            "replace",
            &address,
            "lladdr",
            card,
            "dev",
            "eth0",
            "nud",
            "permanent",
        ])
    }

    fn card(&self, host: u8) -> String {
        written(card(self.number, host))
    }

    /// The name of a host's namespace; that of the bridge is number 0.
    fn namespace(&self, host: u8) -> String {
        format!("{NAME}-{}-{}-{host}", std::process::id(), self.number)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.slow = None;
        // What was never made cannot be removed, which is as good.
        let _ = run(&["link", "del", &port(self.number)]);
        for host in 0..=self.hosts {
            let _ = run(&["netns", "del", &self.namespace(host)]);
        }
    }
}

/// The address of a host's card: a locally administered one.
const fn card(number: u8, host: u8) -> [u8; 6] {
    [2, 0, 0, 0, number, host]
}

/// A card's address as `ip` wants it.
fn written(card: [u8; 6]) -> String {
    card.map(|byte| format!("{byte:02x}")).join(":")
}

/// Our end of a net's cable.
fn port(number: u8) -> String {
    format!("aurtest{number}")
}

/// Whether namespaces can be made here.
fn able() -> anyhow::Result<()> {
    const LEAVE_OUT: &str = "or leave these tests out with `cargo xtask test -- --skip network`";
    if !cfg!(target_os = "linux") {
        bail!("partitions need Linux's network namespaces: use a Linux machine, {LEAVE_OUT}");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("partitions need network namespaces, and those need root: run as root, {LEAVE_OUT}");
    }
    let found = Command::new("ip").arg("-V").output();
    ensure!(
        found.is_ok_and(|output| output.status.success()),
        "partitions need the command `ip`: apt-get install iproute2, {LEAVE_OUT}"
    );
    Ok(())
}

/// Removes what tests left that were killed.
fn sweep() -> anyhow::Result<()> {
    let listing = Command::new("ip").args(["netns", "list"]).output()?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    for name in listing.lines().filter_map(|line| line.split(' ').next()) {
        let Some(rest) = name
            .strip_prefix(NAME)
            .and_then(|rest| rest.strip_prefix('-'))
        else {
            continue;
        };
        let process = rest.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            // Another test may sweep the same.
            let _ = run(&["netns", "del", name]);
        }
    }
    Ok(())
}

/// Moves the calling thread to a host.
#[cfg(target_os = "linux")]
fn enter(namespace: &str) -> anyhow::Result<()> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd as _;
    let namespace = std::fs::File::open(format!("/var/run/netns/{namespace}"))?;
    let network = Some(LinkNameSpaceType::Network);
    Ok(move_into_link_name_space(namespace.as_fd(), network)?)
}

#[cfg(not(target_os = "linux"))]
fn enter(_namespace: &str) -> anyhow::Result<()> {
    able()
}

fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    ensure!(
        output.status.success(),
        "`ip {}`: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    //! Cuts have their direction, hold for connections that stand, and heal; delays delay.

    use super::Net;
    use crate::random::Random;
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::LONG;

    const PORT: u16 = 7000;

    /// Accepts connections and sends back what comes, for as long as the test runs.
    fn echo(listener: &TcpListener) {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let (mut stream, mut byte) = (stream, [0]);
                while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
            });
        }
    }

    #[test]
    fn cuts_on_the_network_have_a_direction_and_heal() -> anyhow::Result<()> {
        let mut net = Net::new(3)?;
        for host in 1..=3 {
            let listener = net.on(host, || TcpListener::bind(("0.0.0.0", PORT)))??;
            thread::spawn(move || echo(&listener));
        }
        assert!(net.reaches(1, 2, PORT)? && net.reaches(2, 1, PORT)? && net.reaches(3, 1, PORT)?);
        let address = SocketAddr::from((net.address(2), PORT));
        let mut standing = net.on(1, || TcpStream::connect_timeout(&address, LONG))??;
        standing.set_read_timeout(Some(LONG))?;
        net.partition(&[&[1], &[2, 3]])?;
        assert!(
            !net.reaches(1, 2, PORT)? && !net.reaches(2, 1, PORT)? && !net.reaches(3, 1, PORT)?
        );
        assert!(net.reaches(2, 3, PORT)? && net.reaches(3, 2, PORT)?);
        standing.write_all(b"x")?;
        assert!(
            standing.read_exact(&mut [0]).is_err(),
            "a standing connection was not cut"
        );
        let ours = SocketAddr::from((net.address(1), PORT));
        TcpStream::connect_timeout(&ours, LONG)?;
        net.heal()?;
        assert!(net.reaches(1, 2, PORT)? && net.reaches(2, 1, PORT)? && net.reaches(3, 1, PORT)?);
        standing.set_read_timeout(Some(crate::PATIENCE))?;
        standing.read_exact(&mut [0])?;
        Ok(())
    }

    /// How long a byte takes from one host to another and back.
    fn there_and_back(net: &Net, from: u8, to: u8) -> anyhow::Result<Duration> {
        let address = SocketAddr::from((net.address(to), PORT));
        let patience = crate::PATIENCE;
        let mut stream = net.on(from, || TcpStream::connect_timeout(&address, patience))??;
        stream.set_read_timeout(Some(patience))?;
        let sent = Instant::now();
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
        Ok(sent.elapsed())
    }

    #[test]
    fn a_delay_on_the_network_is_between_two_hosts_both_ways_and_heals() -> anyhow::Result<()> {
        let mut net = Net::new(3)?;
        for host in 1..=3 {
            let listener = net.on(host, || TcpListener::bind(("0.0.0.0", PORT)))??;
            thread::spawn(move || echo(&listener));
        }
        let (delay, jitter) = (Duration::from_millis(100), Duration::from_millis(30));
        net.delay(1, 2, delay, jitter, Random::from_seed(1))?;
        assert!(there_and_back(&net, 1, 2)? >= delay * 2);
        assert!(there_and_back(&net, 2, 1)? >= delay * 2);
        assert!(net.held_back() > 0, "nothing was held back");
        assert!(there_and_back(&net, 1, 3)? < delay * 2);
        net.heal()?;
        assert!(there_and_back(&net, 1, 2)? < delay * 2);
        assert_eq!(net.held_back(), 0);
        Ok(())
    }
}
