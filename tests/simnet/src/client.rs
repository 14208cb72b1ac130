//! Clients: one deed in hand at a time, asked of whoever is said to lead until somebody answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aureole_ledger::{Digest, TaskId};
use aureole_sim::Random;
use turmoil::net::TcpStream;

use crate::history::{Chronicle, Deed, Promise};
use crate::limits::{AGAIN, ANSWER_PATIENCE, CLIENTS_PORT, PAUSE_MAX_MS};
use crate::member::{Time, name};
use crate::wire::{Reply, hear, say};

/// A client of a group.
pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) members: u64,
    pub(crate) random: Random,
    pub(crate) time: Time,
    pub(crate) chronicle: Chronicle,
    /// Set when no more deeds are to be begun.
    pub(crate) enough: Arc<AtomicBool>,
}

/// Where a client asks.
struct Line {
    /// The member asked last, and the connection to it.
    member: u64,
    stream: Option<TcpStream>,
}

// === impl Client ===

impl Client {
    /// Does deeds until there are enough. The last one is done too.
    pub(crate) async fn live(mut self) -> turmoil::Result {
        let mut line = Line {
            member: self.number % self.members + 1,
            stream: None,
        };
        let mut tasks = Vec::new();
        if self.number == 0 {
            for step in 0..3 {
                self.insist(&mut line, Deed::Prepare(step)).await;
            }
        }
        while !self.enough.load(Ordering::SeqCst) {
            let deed = self.choose(&mut tasks);
            self.insist(&mut line, deed).await;
            let pause = self.random.between(1, PAUSE_MAX_MS);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    fn choose(&mut self, tasks: &mut Vec<TaskId>) -> Deed {
        let cancels = self.random.chance(200);
        match self.random.pick(tasks).filter(|_| cancels) {
            Some(task) => Deed::Cancel(*task),
            None if self.random.chance(60) => {
                let weight = self.random.between(1, 1000);
                Deed::Weigh(self.number, u32::try_from(weight).unwrap_or(1))
            }
            None => {
                let task = task_id(self.number, tasks.len());
                tasks.push(task);
                let hurried = self.random.chance(100);
                Deed::Submit(task, hurried.then(|| self.random.between(500, 5_000)))
            }
        }
    }

    /// Asks until there is an answer, and remembers it.
    async fn insist(&mut self, line: &mut Line, deed: Deed) {
        loop {
            let asked = tokio::time::timeout(ANSWER_PATIENCE, ask(line, deed)).await;
            let next = match asked {
                Ok(Ok(Reply::Done(outcome))) => {
                    let promise = Promise {
                        at: self.time.now(),
                        client: self.number,
                        deed,
                        outcome,
                    };
                    self.chronicle.write().promises.push(promise);
                    return;
                }
                Ok(Ok(Reply::NotLeader(Some(leader)))) if leader != line.member => leader,
                Ok(Ok(Reply::NotLeader(_) | Reply::Unsure) | Err(_)) | Err(_) => {
                    self.random.between(1, self.members)
                }
            };
            if next != line.member || !matches!(asked, Ok(Ok(_))) {
                // What was asked may still be on its way; its answer is not for the next question.
                line.stream = None;
            }
            line.member = next;
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn ask(line: &mut Line, deed: Deed) -> std::io::Result<Reply> {
    let mut stream = match line.stream.take() {
        Some(stream) => stream,
        None => TcpStream::connect((name(line.member), CLIENTS_PORT)).await?,
    };
    say(&mut stream, &deed).await?;
    let reply = hear(&mut stream).await?;
    line.stream = Some(stream);
    Ok(reply)
}

/// The id of a client's task.
fn task_id(client: u64, number: usize) -> TaskId {
    let digest = Digest::of(format!("task {number} of client {client}").as_bytes());
    let mut id = [0; 16];
    id.iter_mut()
        .zip(digest.as_bytes())
        .for_each(|(to, from)| *to = *from);
    TaskId::from_bytes(id)
}
