// The list of tasks, with a filter that is part of the place, so that it can be kept as a bookmark.

import { get, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { button, choice, field, heading, problemBox } from "../ui.js";
import { newest } from "./overview.js";

const REFRESH = 3_000;
const LIMIT = 50;
const STATES = [["", "any state"], ["queued"], ["running"], ["done"], ["failed"], ["cancelled"]];
const SPANS = [["", "any time"], ["3600", "last hour"], ["86400", "last day"], ["604800", "last week"]];
const NAMES = ["state", "plugin", "circuit", "since", "sort"];

// The API's query of what the reader chose.
const asked = (query, before) => {
  const since = Number(query.get("since"));
  return {
    state: query.get("state") ?? "",
    plugin: query.get("plugin") ?? "",
    circuit: query.get("circuit") ?? "",
    since: since > 0 ? new Date(Date.now() - since * 1000).toISOString() : "",
    sort: query.get("sort") ?? "",
    limit: LIMIT,
    before,
  };
};

const filter = (context) => {
  const { query } = context;
  const controls = {
    state: choice(STATES, query.get("state") ?? ""),
    plugin: h("input", { type: "search", value: query.get("plugin") ?? "", placeholder: "merkle@0.1.0", autocomplete: "off" }),
    circuit: h("input", { type: "search", value: query.get("circuit") ?? "", placeholder: "cir_…", autocomplete: "off" }),
    since: choice(SPANS, query.get("since") ?? ""),
    sort: choice([["", "newest first"], ["oldest", "oldest first"]], query.get("sort") ?? ""),
  };
  const form = h("form", { class: "filter", role: "search", "aria-label": "Which tasks" },
    field("State", controls.state), field("Plugin", controls.plugin), field("Circuit", controls.circuit),
    field("Submitted", controls.since), field("Order", controls.sort),
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "main" }, "Show"), button("All", () => context.go("tasks"))));
  const apply = () => context.go(withQuery("tasks", Object.fromEntries(NAMES.map((name) => [name, controls[name].value.trim()]))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  for (const name of ["state", "since", "sort"]) controls[name].addEventListener("change", apply);
  return form;
};

export const show = async (context) => {
  const { query, signal } = context;
  const [list, more, told] = [h("div", {}), h("div", { class: "buttons" }), h("div", {})];
  let pages = 1;
  const look = async () => {
    const tasks = [];
    let before;
    for (let page = 0; page < pages; page += 1) {
      const answer = await get(withQuery("tasks", asked(query, before)), signal);
      tasks.push(...answer.tasks);
      before = answer.next ?? undefined;
      if (!before) break;
    }
    put(told);
    put(list, newest(tasks));
    put(more, before && button("Show more", () => { pages += 1; look().catch((problem) => put(told, problemBox(problem))); }));
  };
  const failed = (problem) => put(told, problemBox(problem));
  await look().catch(failed);
  setTimeout(() => context.every(REFRESH, async () => { if (pages === 1) await look(); }, failed), REFRESH);
  return [heading("Tasks"), filter(context), told, list, more];
};
