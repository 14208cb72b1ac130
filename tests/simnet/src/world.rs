//! The driver: lives through a plan, step by step, and sees to it that everything heals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use aureole_coordinator::{Config, Coordinator, Founding, Simulation};
use aureole_sim::Random;
use aureole_store::Depot;
use tempfile::TempDir;
use turmoil::{Builder, Sim};

use crate::client::Client;
use crate::folder;
use crate::history::{Chronicle, End, History};
use crate::limits::{
    CALM_MAX_MS, CLIENTS, EPOCH_MS, LOOK_MS, SEGMENTS_QUEUED_MAX, STORM_TO_MS, TICK,
};
use crate::member::{Seat, Time, address, live, name};
use crate::plan::{Action, Plan};

/// A group on its simulated network.
struct World {
    sim: Sim<'static>,
    seats: BTreeMap<u64, Arc<Seat>>,
    time: Time,
    chronicle: Chronicle,
    enough: Arc<AtomicBool>,
    /// Longest way of a message when nothing is wrong.
    delay_ms: u64,
    /// Last: the members' folders are in it.
    folder: TempDir,
}

/// Lives through a plan.
///
/// # Errors
/// What ended the world before its time: a member that does not start, or a folder that cannot be
/// written.
pub fn run(plan: &Plan) -> Result<History, String> {
    let mut world = World::new(plan)?;
    let mut actions = plan.actions.iter().peekable();
    while world.time.now() < STORM_TO_MS {
        while let Some((_, action)) = actions.next_if(|(at, _)| *at <= world.time.now()) {
            world.happen(action)?;
        }
        world.step()?;
    }
    for (_, action) in actions {
        world.happen(action)?;
    }
    world.heal();
    world.enough.store(true, Ordering::SeqCst);
    if world.agree(true)? {
        let healed = (world.time.now(), world.ends()?);
        {
            let mut history = world.chronicle.write();
            (history.healed, history.ends) = (Some(healed.0), healed.1);
        }
        // What was on their disks must be as good.
        for id in 1..=plan.members {
            world.happen(&Action::Crash(id))?;
            world.happen(&Action::Restart(id))?;
        }
        if world.agree(false)? {
            let returned = (world.time.now(), world.ends()?);
            let mut history = world.chronicle.write();
            (history.returned, history.kept) = (Some(returned.0), returned.1);
        }
    }
    let history = world.chronicle.write().clone();
    Ok(history)
}

// === impl World ===

impl World {
    fn new(plan: &Plan) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the world was not made: {error}");
        let folder = folder::temporary().map_err(|error| failed(&error))?;
        let depot = Depot::open(&folder.path().join("depot")).map_err(|error| failed(&error))?;
        let (time, chronicle) = (Time::default(), Chronicle::default());
        let mut sim = Builder::new()
            .rng_seed(plan.seed)
            .tick_duration(TICK)
            .epoch(UNIX_EPOCH + Duration::from_millis(EPOCH_MS))
            .simulation_duration(Duration::from_secs(3_600))
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::from_millis(plan.delay_ms))
            .tcp_capacity(SEGMENTS_QUEUED_MAX)
            .enable_random_order()
            .build();
        let founders: BTreeMap<u64, String> =
            (1..=plan.members).map(|id| (id, address(id))).collect();
        let mut seats = BTreeMap::new();
        for id in 1..=plan.members {
            let mut config = Config::new(id, folder.path().join(name(id)));
            config.address = address(id);
            config.founding = Founding::Founders(founders.clone());
            config.snapshot_every = plan.snapshot_every;
            // A thousand lives apart from each other.
            let seed = plan.seed.wrapping_mul(1 << 20).wrapping_add(id << 10);
            config.simulation = Some(Simulation { seed });
            let seat = Seat::new(config, depot.clone(), time.clone(), chronicle.clone());
            let seat = Arc::new(seat);
            seats.insert(id, Arc::clone(&seat));
            sim.host(name(id), move || live(Arc::clone(&seat)));
        }
        let enough = Arc::new(AtomicBool::new(false));
        for number in 0..CLIENTS {
            let client = Client {
                number,
                members: plan.members,
                random: Random::new(plan.seed.wrapping_add(number).wrapping_mul(7_919)),
                time: time.clone(),
                chronicle: chronicle.clone(),
                enough: Arc::clone(&enough),
            };
            sim.client(format!("client-{number}"), client.live());
        }
        Ok(Self {
            sim,
            seats,
            time,
            chronicle,
            enough,
            delay_ms: plan.delay_ms,
            folder,
        })
    }

    /// Moves the world on. True when all clients are done.
    fn step(&mut self) -> Result<bool, String> {
        let stepped = self.sim.step();
        self.time.set(self.sim.elapsed());
        stepped.map_err(|error| format!("{} ms: {error}", self.time.now()))
    }

    fn happen(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Cut(side) => self.between(side, |sim, a, b| sim.partition(a, b)),
            Action::Mend(side) => self.between(side, |sim, a, b| sim.repair(a, b)),
            Action::CutOneWay(from, to) => self.sim.partition_oneway(name(*from), name(*to)),
            Action::MendOneWay(from, to) => self.sim.repair_oneway(name(*from), name(*to)),
            Action::Hold(a, b) => self.sim.hold(name(*a), name(*b)),
            Action::Release(a, b) => self.sim.release(name(*a), name(*b)),
            Action::Delay(longest) => self
                .sim
                .set_max_message_latency(Duration::from_millis(*longest)),
            Action::Loss(permille) => {
                let permille = u32::try_from(*permille).unwrap_or(1_000);
                self.sim.set_fail_rate(f64::from(permille) / 1_000.0);
            }
            Action::Crash(id) => self.crash(*id),
            Action::Restart(id) => {
                if !self.sim.is_host_running(name(*id)) {
                    self.sim.bounce(name(*id));
                }
            }
            Action::Clock(id, wrong) => {
                if let Some(seat) = self.seats.get(id) {
                    seat.wrong.store(*wrong, Ordering::SeqCst);
                }
            }
            Action::Keep(id) => self.copy(*id, |folder, kept| folder::copy(folder, kept))?,
            Action::Forget(id) => self.copy(*id, |folder, kept| folder::copy(kept, folder))?,
        }
        Ok(())
    }

    /// Does something to every wire between one side and the other.
    fn between(
        &self,
        side: &std::collections::BTreeSet<u64>,
        change: impl Fn(&Sim<'_>, String, String),
    ) {
        for a in self.seats.keys().filter(|id| side.contains(id)) {
            for b in self.seats.keys().filter(|id| !side.contains(id)) {
                change(&self.sim, name(*a), name(*b));
            }
        }
    }

    fn crash(&mut self, id: u64) {
        if let Some(seat) = self.seats.get(&id)
            && self.sim.is_host_running(name(id))
        {
            // Let go of it first: its log must be closed when its host is gone.
            drop(seat.running().take());
            self.sim.crash(name(id));
            self.chronicle.write().now.remove(&id);
        }
    }

    fn copy(
        &self,
        id: u64,
        copy: impl Fn(&std::path::Path, &std::path::Path) -> std::io::Result<()>,
    ) -> Result<(), String> {
        let Some(seat) = self.seats.get(&id) else {
            return Ok(());
        };
        let kept = self.folder.path().join(format!("kept-{id}"));
        copy(seat.folder(), &kept).map_err(|error| format!("the folder of member {id}: {error}"))
    }

    /// Ends everything that is wrong.
    fn heal(&mut self) {
        let ids: Vec<u64> = self.seats.keys().copied().collect();
        for a in &ids {
            for b in ids.iter().filter(|b| *b > a) {
                self.sim.repair(name(*a), name(*b));
                self.sim.release(name(*a), name(*b));
            }
        }
        self.sim.set_fail_rate(0.0);
        let usual = Duration::from_millis(self.delay_ms);
        self.sim.set_max_message_latency(usual);
        for id in ids {
            if let Some(seat) = self.seats.get(&id) {
                seat.wrong.store(0, Ordering::SeqCst);
            }
            if !self.sim.is_host_running(name(id)) {
                self.sim.bounce(name(id));
            }
        }
    }

    /// Waits until all members agree, and the clients are done. False when that takes too long.
    fn agree(&mut self, clients: bool) -> Result<bool, String> {
        let members = u64::try_from(self.seats.len()).unwrap_or(u64::MAX);
        let until = self.time.now() + CALM_MAX_MS;
        let mut look = self.time.now();
        while self.time.now() < until {
            let done = self.step()?;
            if self.time.now() < look || (clients && !done) {
                continue;
            }
            look = self.time.now() + LOOK_MS;
            let lives = self.seats.iter();
            let lives = lives.map(|(id, seat)| (*id, seat.life.load(Ordering::SeqCst)));
            if self.chronicle.write().agrees(members, &lives.collect()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ends(&self) -> Result<BTreeMap<u64, End>, String> {
        let ends = self.seats.iter().map(|(id, seat)| {
            let running = seat.running();
            let coordinator = running
                .as_ref()
                .ok_or_else(|| format!("member {id} does not run"))?;
            Ok((*id, end(coordinator)?))
        });
        ends.collect()
    }
}

fn end(coordinator: &Coordinator) -> Result<End, String> {
    let tasks = |state: &aureole_ledger::State| {
        let tasks = state.tasks().map(|task| (task.id, task.phase()));
        tasks.collect()
    };
    Ok(End {
        digest: coordinator
            .state_digest()
            .map_err(|error| error.to_string())?,
        tasks: coordinator.read(tasks),
    })
}
