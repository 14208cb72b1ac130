// The tasks of the last while, kept up to date by asking only for what can have changed: the newest
// page, and those that had not ended when they were last seen.

import { get, withQuery } from "./api.js";

const PAGE = 200;
const PAGES_MAX = 5;
const ASKED_AGAIN_MAX = 20;

const isFinal = (task) => ["done", "failed", "cancelled"].includes(task.state);

export class Recent {
  constructor(millis, signal) {
    this.millis = millis;
    this.signal = signal;
    this.tasks = new Map();
    this.whole = true;
  }

  since() { return new Date(Date.now() - this.millis).toISOString(); }

  async page(query) { return get(withQuery("tasks", { limit: PAGE, ...query }), this.signal); }

  // The first look: up to a thousand tasks; whether that was all is in `whole`.
  async load() {
    let before;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const page = await this.page({ since: this.since(), before });
      this.keep(page.tasks);
      before = page.next ?? undefined;
      if (!before) break;
    }
    this.whole = before === undefined;
  }

  keep(tasks) { for (const task of tasks) this.tasks.set(task.id, task); }

  // Every later look.
  async refresh() {
    const [newest, queued, running] = await Promise.all([
      this.page({ since: this.since() }), this.page({ state: "queued", sort: "oldest" }), this.page({ state: "running" }),
    ]);
    const seen = new Set([newest, queued, running].flatMap((page) => page.tasks.map((task) => task.id)));
    const ended = [...this.tasks.values()].filter((task) => !isFinal(task) && !seen.has(task.id));
    [newest, queued, running].forEach((page) => this.keep(page.tasks));
    const again = await Promise.all(ended.slice(0, ASKED_AGAIN_MAX).map((task) => get(`tasks/${task.id}`, this.signal).catch(() => undefined)));
    this.keep(again.filter(Boolean));
    const oldest = Date.now() - this.millis;
    for (const [id, task] of this.tasks) if (isFinal(task) && new Date(task.submitted_at) < oldest) this.tasks.delete(id);
    this.queued = queued.tasks;
    this.moreQueued = Boolean(queued.next);
    this.running = running.tasks;
  }

  ended() { return [...this.tasks.values()].filter((task) => isFinal(task) && task.finished_at); }
}
