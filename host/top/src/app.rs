//! What the screen shows beside the frame: which pane has the keys, how far each is scrolled, whether
//! time stands still. Keys and frames go in, nothing comes out.

use crate::Frame;

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// What waits, by tenant.
    Queue,
    /// Who works.
    Workers,
    /// How much, and how fast.
    Throughput,
    /// What fails, and why.
    Failures,
    /// Who leads, and how far the others are behind.
    Cluster,
}

/// A key, as far as it means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// To the next pane.
    Next,
    /// To the one before.
    Previous,
    /// A line up.
    Up,
    /// A line down.
    Down,
    /// Stands still, or goes on.
    Pause,
    /// Ends.
    Quit,
}

/// The state.
#[derive(Clone, Debug)]
pub struct App {
    frame: Option<Frame>,
    failure: Option<String>,
    pane: Pane,
    scrolled: [u16; Pane::ALL.len()],
    paused: bool,
    quit: bool,
    color: bool,
}

// === impl Pane ===

impl Pane {
    /// Every pane, in the order of the keys.
    pub const ALL: [Self; 5] = [
        Self::Queue,
        Self::Workers,
        Self::Throughput,
        Self::Failures,
        Self::Cluster,
    ];

    const fn place(self) -> usize {
        match self {
            Self::Queue => 0,
            Self::Workers => 1,
            Self::Throughput => 2,
            Self::Failures => 3,
            Self::Cluster => 4,
        }
    }

    fn moved(self, by: usize) -> Self {
        let mut all = Self::ALL.into_iter().cycle();
        all.nth(self.place() + by).unwrap_or(self)
    }
}

// === impl App ===

impl App {
    /// A screen that nothing was seen for yet.
    pub const fn new(color: bool) -> Self {
        Self {
            frame: None,
            failure: None,
            pane: Pane::Queue,
            scrolled: [0; Pane::ALL.len()],
            paused: false,
            quit: false,
            color,
        }
    }

    /// Takes a look, or why there is none: the last one stays on the screen then, with the reason.
    /// While time stands still nothing changes.
    pub fn take(&mut self, look: Result<Frame, String>) {
        if self.paused {
            return;
        }
        match look {
            Ok(frame) => {
                self.frame = Some(frame);
                self.failure = None;
            }
            Err(why) => self.failure = Some(why),
        }
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Key) {
        match key {
            Key::Next => self.pane = self.pane.moved(1),
            Key::Previous => self.pane = self.pane.moved(Pane::ALL.len() - 1),
            Key::Up => self.scroll(|line| line.saturating_sub(1)),
            Key::Down => {
                let last = self.rows(self.pane).saturating_sub(1);
                self.scroll(|line| line.saturating_add(1).min(last));
            }
            Key::Pause => self.paused = !self.paused,
            Key::Quit => self.quit = true,
        }
    }

    fn scroll(&mut self, to: impl FnOnce(u16) -> u16) {
        if let Some(line) = self.scrolled.get_mut(self.pane.place()) {
            *line = to(*line);
        }
    }

    /// How many lines a pane has.
    fn rows(&self, pane: Pane) -> u16 {
        let Some(frame) = &self.frame else {
            return 0;
        };
        let rows = match pane {
            Pane::Queue => frame.overview.tenants.len(),
            Pane::Workers => frame.overview.workers.len(),
            Pane::Throughput => frame.recent.stages.len(),
            Pane::Failures => frame.recent.failures.len(),
            Pane::Cluster => frame.overview.cluster.members.len(),
        };
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// What was seen last.
    pub const fn frame(&self) -> Option<&Frame> {
        self.frame.as_ref()
    }

    /// Why nothing newer was seen.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The pane that has the keys.
    pub const fn pane(&self) -> Pane {
        self.pane
    }

    /// The first line that a pane shows; fewer lines than before leave none empty-handed.
    pub fn first_line(&self, pane: Pane) -> u16 {
        let line = self.scrolled.get(pane.place()).copied().unwrap_or(0);
        line.min(self.rows(pane).saturating_sub(1))
    }

    /// Whether time stands still.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether it is over.
    pub const fn is_over(&self) -> bool {
        self.quit
    }

    /// Whether the terminal may be given colors.
    pub const fn color(&self) -> bool {
        self.color
    }
}
