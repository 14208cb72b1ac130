//! Which worker a task goes to, with how many threads.
//!
//! Slots and memory are limits, cores are not: a lone proof has all of them, and a task that comes
//! then still gets a free slot, with one thread. So one long proof never keeps others out, and no
//! worker has more than `cores + slots - 1` threads at work.

use std::collections::BTreeSet;

use crate::limits::THREADS_MAX;
use crate::{Digest, Need, State, WorkerId};

/// The proof system of every circuit today.
pub(crate) const BACKEND: &str = "halo2-ipa";

/// A worker as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its name.
    pub id: WorkerId,
    /// Attempts it runs at a time.
    pub slots: u32,
    /// Cores it may use. 0 says nothing and counts as one for each slot.
    pub cores: u32,
    /// Memory it may use. 0 says nothing, and nothing is too large for it then.
    pub memory_bytes: u64,
    /// Digests of the circuits whose keys it has in memory.
    pub warm: BTreeSet<Digest>,
    /// Whether it takes no further assignments.
    pub draining: bool,
    /// The proof systems it has; none says nothing and counts as all.
    pub backends: BTreeSet<String>,
}

/// What is left of a worker.
#[derive(Debug)]
struct Place<'a> {
    view: &'a WorkerView,
    slots: u64,
    cores: u64,
    memory_bytes: u64,
    /// Kept free for a task that waits for a gap.
    reserved: bool,
}

/// What is left of all workers.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    places: Vec<Place<'a>>,
}

/// Where a task goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) worker: WorkerId,
    pub(crate) threads: u32,
    pub(crate) memory_bytes: u64,
}

/// Which workers come into question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Only<'a> {
    /// All that are not reserved.
    Any,
    /// All that are not reserved, but for one.
    Not(&'a WorkerId),
    /// One, reserved or not.
    Worker(&'a WorkerId),
}

/// Whether a task has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It has.
    Now(Placed),
    /// Every worker that is large enough is full now.
    Later,
    /// No worker is large enough.
    Never,
}

// === impl WorkerView ===

impl WorkerView {
    /// Makes a view of a worker of which only the slots are known.
    pub fn with_slots(id: WorkerId, slots: u32) -> Self {
        Self {
            id,
            slots,
            cores: 0,
            memory_bytes: 0,
            warm: BTreeSet::new(),
            draining: false,
            backends: BTreeSet::new(),
        }
    }

    fn cores(&self) -> u64 {
        u64::from(if self.cores == 0 {
            self.slots
        } else {
            self.cores
        })
    }

    /// Says whether the worker could run a task when nothing else runs.
    pub(crate) fn is_able(&self, need: Need) -> bool {
        self.slots > 0
            && (self.backends.is_empty() || self.backends.contains(BACKEND))
            && need.on(self.memory_bytes).is_some()
    }
}

// === impl Only ===

impl Only<'_> {
    fn allows(&self, worker: &WorkerId) -> bool {
        match self {
            Self::Any => true,
            Self::Not(other) => worker != *other,
            Self::Worker(one) => worker == *one,
        }
    }
}

// === impl Places ===

impl<'a> Places<'a> {
    /// Subtracts what is leased from what there is. Workers that drain or are in quarantine are left
    /// out.
    pub(crate) fn new(state: &State, workers: &'a [WorkerView]) -> Self {
        let takes = |view: &&WorkerView| {
            !view.draining && state.distrust(&view.id).quarantined_at.is_none()
        };
        let places = workers.iter().filter(takes).map(|view| {
            let held = state.held_by(&view.id);
            let (attempts, threads, memory_bytes) = held.map_or((0, 0, 0), |held| {
                (held.attempts.len() as u64, held.threads, held.memory_bytes)
            });
            Place {
                view,
                slots: u64::from(view.slots).saturating_sub(attempts),
                cores: view.cores().saturating_sub(threads),
                memory_bytes: view.memory_bytes.saturating_sub(memory_bytes),
                reserved: false,
            }
        });
        Self {
            places: places.collect(),
        }
    }

    /// Says whether any worker takes a task at all.
    pub(crate) fn any_free(&self) -> bool {
        self.places.iter().any(Place::is_open)
    }

    /// Returns the slots of all workers, and how many of them are free.
    pub(crate) fn slots(&self) -> (u64, u64) {
        let all = self.places.iter().map(|place| u64::from(place.view.slots));
        let free = self.places.iter().map(|place| place.slots);
        (all.sum(), free.sum())
    }

    /// Returns how many cores all workers have.
    pub(crate) fn cores(&self) -> u64 {
        self.places.iter().map(|place| place.view.cores()).sum()
    }

    /// Looks for a place: by free cores, where warm keys count twice; then the warm one, then by free
    /// slots, then by name.
    ///
    /// Making keys takes a sixth of a proof's time on one thread, and a proof with half the threads
    /// takes 1.63 times as long: warm keys are worth a little less than half the cores.
    pub(crate) fn find(
        &self,
        need: Need,
        circuit: Option<&Digest>,
        waiting: u64,
        only: &Only<'_>,
    ) -> Fit {
        let able = |place: &&Place<'_>| place.view.is_able(need) && only.allows(&place.view.id);
        let is_warm = |place: &Place<'_>| circuit.is_some_and(|d| place.view.warm.contains(d));
        let score = |place: &Place<'_>| {
            let warm = is_warm(place);
            (place.cores * (1 + u64::from(warm)), warm, place.slots)
        };
        let fitting = self
            .places
            .iter()
            .filter(able)
            .filter(|place| place.slots > 0 && place.has_room(need))
            .filter(|place| !place.reserved || matches!(only, Only::Worker(_)));
        let best = fitting.max_by(|a, b| {
            let by_name = b.view.id.cmp(&a.view.id);
            score(a).cmp(&score(b)).then(by_name)
        });
        match best {
            Some(place) => Fit::Now(Placed {
                worker: place.view.id.clone(),
                threads: self.threads(place, waiting),
                memory_bytes: need.on(place.view.memory_bytes).unwrap_or(0),
            }),
            None if self.places.iter().any(|place| able(&place)) => Fit::Later,
            None => Fit::Never,
        }
    }

    /// Divides a worker's free cores among the tasks it will get now: a lone task has all of them,
    /// a long queue one each, which finishes 22% more proofs than two each in turn.
    fn threads(&self, place: &Place<'_>, waiting: u64) -> u32 {
        let open = self.places.iter().filter(|place| place.is_open()).count();
        let portion = waiting.div_ceil((open as u64).max(1));
        let tasks = portion.min(place.slots).min(place.cores).max(1);
        let threads = (place.cores / tasks).max(1);
        u32::try_from(threads)
            .unwrap_or(THREADS_MAX)
            .min(THREADS_MAX)
    }

    /// Takes what a task was given.
    pub(crate) fn take(&mut self, placed: &Placed) {
        let place = self
            .places
            .iter_mut()
            .find(|place| place.view.id == placed.worker);
        if let Some(place) = place {
            place.slots = place.slots.saturating_sub(1);
            place.cores = place.cores.saturating_sub(placed.threads.into());
            place.memory_bytes = place.memory_bytes.saturating_sub(placed.memory_bytes);
        }
    }

    /// Keeps a worker free of other tasks. False when it is not here, or could never run the task.
    pub(crate) fn reserve(&mut self, worker: &WorkerId, need: Need) -> bool {
        let mut able = self
            .places
            .iter_mut()
            .filter(|place| place.view.is_able(need));
        let place = able.find(|place| place.view.id == *worker);
        place.map(|place| place.reserved = true).is_some()
    }

    /// Returns the worker that is nearest to having room for a task, and what is free of its memory.
    pub(crate) fn nearest(&self, need: Need) -> Option<(&WorkerId, u64)> {
        let able = self.places.iter().filter(|place| place.view.is_able(need));
        let best = able.max_by(|a, b| {
            let by_name = b.view.id.cmp(&a.view.id);
            a.memory_bytes.cmp(&b.memory_bytes).then(by_name)
        })?;
        Some((&best.view.id, best.memory_bytes))
    }

    /// Says whether a worker that is large enough has a free slot.
    pub(crate) fn has_slot(&self, need: Need) -> bool {
        let mut able = self.places.iter().filter(|place| place.view.is_able(need));
        able.any(|place| place.slots > 0)
    }
}

// === impl Place ===

impl Place<'_> {
    const fn is_open(&self) -> bool {
        self.slots > 0 && !self.reserved
    }

    fn has_room(&self, need: Need) -> bool {
        let silent = self.view.memory_bytes == 0;
        need.on(self.view.memory_bytes)
            .is_some_and(|bytes| silent || bytes <= self.memory_bytes)
    }
}
