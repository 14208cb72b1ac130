//! `aureole webhook`: who is told of the ends of tasks.

use aureole_client::rest::EventKind;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Have the ends of tasks sent to a URL; prints the secret that signs them, once
    Create {
        /// Where to, such as https://hooks.example/aureole
        #[arg(value_name = "URL")]
        receiver: String,
        /// Only this event: task.done, task.failed or task.cancelled; may be given again [default: all]
        #[arg(long = "event", value_name = "EVENT", value_parser = event)]
        events: Vec<EventKind>,
        /// Tell the public inputs, too
        #[arg(long)]
        public_inputs: bool,
    },
    /// List the webhooks
    List,
    /// Show a webhook and how many events wait for it
    Show {
        /// Webhook id (whk_...)
        id: String,
    },
    /// End a webhook; what waits for it is forgotten
    Delete {
        /// Webhook id (whk_...)
        id: String,
    },
    /// Send a test event now; exits 1 if it does not arrive
    Test {
        /// Webhook id (whk_...)
        id: String,
    },
    /// List the events that wait, and what came of the others
    Deliveries {
        /// Webhook id (whk_...)
        id: String,
    },
    /// Deliver the end of a task again
    Replay {
        /// Webhook id (whk_...)
        id: String,
        /// Task id (tsk_...)
        task: String,
    },
}

/// Reads the name of an event.
fn event(text: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| {
        let names = EventKind::ALL.map(EventKind::name).join(", ");
        format!("the events are {names}")
    })
}
