//! Following a task as a stream.

use std::time::Duration;

use aureole_api::rest::Task;
use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use crate::{Client, Error};

// === impl Client ===

impl Client {
    /// Follows a task: a stream of the task as it changes, its end last. It goes on over restarts of
    /// the node as [`Client::wait_task`] does, and dropping it stops the asking, not the task.
    ///
    /// # Errors
    /// An error is the stream's last item; they are those of [`Client::wait_task`].
    pub fn watch(
        &self,
        id: &str,
        within: Duration,
    ) -> impl Stream<Item = Result<Task, Error>> + Send + 'static {
        let (client, id) = (self.clone(), id.to_owned());
        let (seen, tasks) = mpsc::unbounded_channel();
        let following = async move {
            // At most one a change of state, stage or attempt: the queue is as long as a task's life.
            let told = client.wait_task(&id, within, |task| drop(seen.send(Ok(task.clone()))));
            if let Err(error) = told.await {
                drop(seen.send(Err(error)));
            }
            None
        };
        let tasks = futures::stream::unfold(tasks, |mut tasks| async move {
            let task = tasks.recv().await?;
            Some((task, tasks))
        });
        let asking = futures::stream::once(following).filter_map(std::future::ready);
        // One asks and gives nothing, the other tells what it was told, in that order.
        futures::stream::select(tasks, asking)
    }
}
