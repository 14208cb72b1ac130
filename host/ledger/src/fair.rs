//! The one order in which tasks are leased: fair among tenants, by urgency within each.
//!
//! It costs what is taken from it: a queue of a hundred thousand tasks is looked at from its heads.
//! [`plan`](crate::plan) and [`explain`](crate::explain) read the same order.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::{Lane, QueueKey, TenantQueue};
use crate::{Millis, Share, State, TenantId};

/// A task that is due for a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) key: QueueKey,
    pub(crate) lane: Lane,
}

/// The leasable tasks of one tenant, from the first on.
#[derive(Debug)]
struct Cursor<'a> {
    queue: Option<&'a TenantQueue>,
    /// First tasks of their lanes, tasks that moved up behind one that was taken, and tasks whose
    /// back-off is over. Those (`true`) bring nobody after them.
    open: BTreeSet<(QueueKey, Lane, bool)>,
    share: Share,
    running: u64,
}

/// An iteration over all leasable tasks at a time.
#[derive(Debug)]
pub(crate) struct FairQueue<'a> {
    cursors: BTreeMap<&'a TenantId, Cursor<'a>>,
    /// Tenants with a task left, by the start of their next lease; among equals those first who have
    /// fewest attempts running.
    order: BTreeSet<(u64, u64, &'a TenantId)>,
    virtual_time: u64,
    /// Lanes that no worker has room for in this round.
    blocked: BTreeSet<Lane>,
    left: u64,
}

// === impl Cursor ===

impl Cursor<'_> {
    /// Returns the first task outside of blocked lanes, and forgets those inside.
    fn first(&mut self, blocked: &BTreeSet<Lane>) -> Option<Candidate> {
        loop {
            let (key, lane, _) = *self.open.first()?;
            if !blocked.contains(&lane) {
                return Some(Candidate { key, lane });
            }
            self.open.pop_first();
        }
    }

    /// Moves on behind the first task.
    fn advance(&mut self) {
        let Some((key, lane, alone)) = self.open.pop_first() else {
            return;
        };
        let next = self.queue.filter(|_| !alone);
        if let Some(next) = next.and_then(|queue| queue.after(key, lane)) {
            self.open.insert((next, lane, false));
        }
    }
}

// === impl FairQueue ===

impl<'a> FairQueue<'a> {
    pub(crate) fn new(state: &'a State, now: Millis) -> Self {
        let cursor = |tenant, queue| Cursor {
            queue,
            open: BTreeSet::new(),
            share: state.share(tenant),
            running: state.running_of(tenant),
        };
        let mut cursors = BTreeMap::new();
        for (tenant, queue) in state.queues() {
            let mut cursor = cursor(tenant, Some(queue));
            cursor.open = queue
                .heads()
                .map(|(key, lane)| (key, lane, false))
                .collect();
            cursors.insert(tenant, cursor);
        }
        for key in state.due(now) {
            if let Some(task) = state.task(&key.task) {
                let cursor = cursors
                    .entry(&task.tenant)
                    .or_insert_with(|| cursor(&task.tenant, None));
                cursor.open.insert((key, Lane::of(&task.kind), true));
            }
        }
        let virtual_time = state.virtual_time();
        let order = cursors
            .iter()
            .map(|(tenant, cursor)| (cursor.share.start(virtual_time), cursor.running, *tenant));
        Self {
            order: order.collect(),
            cursors,
            virtual_time,
            blocked: BTreeSet::new(),
            left: state.queued_count(),
        }
    }

    /// Returns the task that is next.
    pub(crate) fn peek(&mut self) -> Option<Candidate> {
        loop {
            let (_, _, tenant) = *self.order.first()?;
            let cursor = self.cursors.get_mut(tenant)?;
            if let Some(candidate) = cursor.first(&self.blocked) {
                return Some(candidate);
            }
            self.order.pop_first();
        }
    }

    /// Takes the task that is next, for a charge.
    pub(crate) fn take(&mut self, charge: u64) {
        let Some((_, _, tenant)) = self.order.pop_first() else {
            return;
        };
        if let Some(cursor) = self.cursors.get_mut(tenant) {
            cursor.advance();
            cursor.running += 1;
            self.virtual_time = cursor.share.lease(self.virtual_time, charge);
            let start = cursor.share.start(self.virtual_time);
            self.order.insert((start, cursor.running, tenant));
        }
        self.left = self.left.saturating_sub(1);
    }

    /// Counts a lease that was planned before this round looked at the queue.
    pub(crate) fn charge(&mut self, tenant: &TenantId, charge: u64) {
        let Some((tenant, _)) = self.cursors.get_key_value(tenant) else {
            return;
        };
        let tenant = *tenant;
        if let Some(cursor) = self.cursors.get_mut(tenant) {
            let before = (
                cursor.share.start(self.virtual_time),
                cursor.running,
                tenant,
            );
            self.order.remove(&before);
            cursor.running += 1;
            self.virtual_time = cursor.share.lease(self.virtual_time, charge);
            let start = cursor.share.start(self.virtual_time);
            self.order.insert((start, cursor.running, tenant));
        }
    }

    /// Passes over the task that is next.
    pub(crate) fn skip(&mut self) {
        let tenant = self.order.first().map(|(_, _, tenant)| *tenant);
        if let Some(cursor) = tenant.and_then(|tenant| self.cursors.get_mut(tenant)) {
            cursor.advance();
        }
    }

    /// Passes over all tasks that need what the next one needs.
    pub(crate) fn block(&mut self, lane: Lane) {
        self.blocked.insert(lane);
    }

    /// Returns how many tasks are queued behind those that were taken, back-offs included.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }
}
