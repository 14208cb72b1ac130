//! A card that holds frames back: what is addressed to it goes on to its real place, only later.
//!
//! It is a macvtap device on this process's end of the net's cable, made by `ip` alone, whose frames are
//! read and written as a file. A host whose table of neighbours points at it for another's address
//! sends everything for that one here. So it needs no packet filter, and no `netem`, which many
//! kernels are built without.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::fs::OFlags;

use super::{card, run};
use crate::random::Random;

/// Its number among the hosts of a net.
pub(super) const SLOW: u8 = 253;

/// Bytes that a macvtap device puts before each frame: what is left to do of its checksum and
/// segments. They go on with it.
const HEADER_BYTES: usize = 10;

/// The largest frame: the cards hand each other segments that no wire would carry.
const FRAME_BYTES_MAX: usize = HEADER_BYTES + (64 << 10) + 64;

/// Frames that wait, a second's worth of a busy link; what comes beyond is lost, as at a router.
const FRAMES_MAX: usize = 16_384;

/// How long it rests between two looks: a hundredth of what it is asked for.
const REST: Duration = Duration::from_millis(1);

/// How long the system may take to make the device's file.
const APPEARS: Duration = Duration::from_secs(5);

/// How long a frame takes.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// At least.
    pub(super) delay: Duration,
    /// And up to so much more, each frame its own time; none overtakes another.
    pub(super) jitter: Duration,
    /// Decides it.
    pub(super) random: Random,
}

/// The card. Dropped, it is gone, and what waited has gone on.
#[derive(Debug)]
pub(super) struct SlowCard {
    name: String,
    stop: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

// === impl SlowCard ===

impl SlowCard {
    /// Puts a card on the cable of a net.
    pub(super) fn new(number: u8, cable: &str, pace: Pace) -> anyhow::Result<Self> {
        let name = format!("aurslow{number}");
        let address = super::written(card(number, SLOW));
        run(&[
            "link", "add", "link", cable, "name", &name, "address", &address, "type", "macvtap",
            "mode", "bridge",
        ])
        .context("delays need a kernel with macvtap")?;
        let mut made = Self {
            name,
            stop: Arc::default(),
            carried: Arc::default(),
            thread: None,
        };
        run(&["link", "set", &made.name, "up"])?;
        let tap = made.open()?;
        let (stop, carried) = (Arc::clone(&made.stop), Arc::clone(&made.carried));
        made.thread = Some(thread::spawn(move || {
            carry(&tap, number, pace, &stop, &carried);
        }));
        Ok(made)
    }

    /// Frames that it has held back so far.
    pub(super) fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }

    /// The device's file, which may take a moment to appear.
    fn open(&self) -> anyhow::Result<File> {
        let index = fs::read_to_string(format!("/sys/class/net/{}/ifindex", self.name))?;
        let path = format!("/dev/tap{}", index.trim());
        let flags = i32::try_from(OFlags::NONBLOCK.bits())?;
        let start = Instant::now();
        loop {
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(flags)
                .open(&path);
            match opened {
                Ok(tap) => return Ok(tap),
                Err(_) if start.elapsed() < APPEARS => thread::park_timeout(REST),
                Err(error) => return Err(error).with_context(|| format!("no {path}")),
            }
        }
    }
}

impl Drop for SlowCard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // It may be gone with its cable, which is as good.
        let _ = run(&["link", "del", &self.name]);
    }
}

// === impl Pace ===

impl Pace {
    /// When a frame that comes now goes on.
    fn due(&mut self) -> Instant {
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let more = Duration::from_micros(self.random.below(jitter.saturating_add(1)));
        Instant::now() + self.delay + more
    }
}

/// Carries frames until it is told to stop.
fn carry(mut tap: &File, number: u8, mut pace: Pace, stop: &AtomicBool, carried: &AtomicU64) {
    let mut waiting = VecDeque::<(Instant, Vec<u8>)>::new();
    let mut buffer = vec![0; FRAME_BYTES_MAX];
    while !stop.load(Ordering::SeqCst) {
        while let Ok(length) = tap.read(&mut buffer)
            && length > 0
        {
            let frame = buffer.get(..length);
            let Some(frame) = frame.and_then(|frame| readdressed(frame, number)) else {
                continue;
            };
            if waiting.len() < FRAMES_MAX {
                // None overtakes another: to TCP that would look like loss.
                let last = waiting.back().map(|(due, _)| *due);
                let due = pace.due();
                waiting.push_back((last.map_or(due, |last| last.max(due)), frame));
                carried.fetch_add(1, Ordering::SeqCst);
            }
        }
        while waiting
            .front()
            .is_some_and(|(due, _)| *due <= Instant::now())
            && let Some((_, frame)) = waiting.pop_front()
        {
            // A frame that finds no room is lost, as on any wire.
            let _ = tap.write_all(&frame);
        }
        thread::park_timeout(REST);
    }
    for (_, frame) in waiting {
        let _ = tap.write_all(&frame);
    }
}

/// A frame that came to this card, made one from it to the host that its packet is for; nothing if it
/// is no such frame.
fn readdressed(frame: &[u8], number: u8) -> Option<Vec<u8>> {
    const IPV4: [u8; 2] = [0x08, 0x00];
    let mut frame = frame.to_vec();
    let ethernet = frame.get_mut(HEADER_BYTES..)?;
    let ours = ethernet.get(..6)? == card(number, SLOW) && ethernet.get(12..14)? == IPV4;
    // The end of the packet's destination: 10.77.NET.HOST.
    let (net, host) = (*ethernet.get(32)?, *ethernet.get(33)?);
    if !ours || net != number {
        return None;
    }
    ethernet.get_mut(..6)?.copy_from_slice(&card(number, host));
    // Its own: by the sender's the bridge would learn that the sender is here.
    ethernet
        .get_mut(6..12)?
        .copy_from_slice(&card(number, SLOW));
    Some(frame)
}
