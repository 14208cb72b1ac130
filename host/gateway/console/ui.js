// The parts that pages are made of: tables, states, problems, dialogs, meters. No page state in here.

import { explained } from "./api.js";
import { fresh, h, put } from "./dom.js";

// Which colour a state has; the word always stands beside it.
const TONES = {
  done: "good", ready: "good", ok: "good", current: "good", joined: "good", satisfied: "good", valid: "good", delivered: "good", leader: "good",
  running: "busy", inspecting: "busy", preparing: "busy", queued: "wait", draining: "wait", superseded: "wait", pending: "wait", learner: "wait",
  failed: "bad", rejected: "bad", revoked: "bad", quarantined: "bad", missing: "bad", suspended: "bad", invalid: "bad", dead: "bad",
};

export const badge = (state) => h("span", { class: `badge ${TONES[state] ?? "plain"}` }, state);

// Tells readers of screens what happened.
export const say = (text) => { document.getElementById("said").textContent = text; };

// A text for those who hear the page only.
export const unseen = (text) => h("span", { class: "hidden-text" }, text);

// A table that scrolls within itself when it is wider than the window.
// Columns are `[title, row => cell, class]`.
export const table = (caption, columns, rows, nothing = "Nothing here yet.") => {
  if (rows.length === 0) return h("p", { class: "quiet" }, nothing);
  const head = h("tr", {}, columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title)));
  const body = rows.map((row) => h("tr", {}, columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row)))));
  return h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `${caption}: the table` },
    h("table", {}, h("caption", { class: "hidden-text" }, caption), h("thead", {}, head), h("tbody", {}, body)));
};

// Names and values in two columns; values that are absent are left out.
export const facts = (...pairs) => h("dl", { class: "facts" }, pairs
  .filter(([, value]) => value !== undefined && value !== null && value !== "")
  .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

export const tile = (name, value, note, tone) => h("div", { class: `tile ${tone ?? ""}` },
  h("span", { class: "tile-name" }, name), h("span", { class: "tile-value" }, value),
  note !== undefined && h("span", { class: "tile-note" }, note));

export const section = (title, ...children) => {
  const id = fresh("part");
  return h("section", { "aria-labelledby": id, class: "part" }, h("h2", { id }, title), ...children);
};

export const heading = (title, ...beside) => h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title), ...beside);

export const button = (text, onclick, kind, more) =>
  h("button", { type: "button", class: kind, onclick, ...more }, text);

export const link = (text, place) => h("a", { href: `#/${place}` }, text);

// A refusal of the API: what, where, and what can be done about it.
export const problemBox = (problem) => {
  const body = problem.body ?? { code: "console.fault", title: "a fault of this page", detail: String(problem?.message ?? problem) };
  const advice = h("p", { class: "advice" });
  if (body.code && !body.code.startsWith("console."))
    explained(body.code).then((code) => { if (code) put(advice, h("strong", {}, "What to do: "), code.what_to_do); });
  else if (body.code === "console.network") put(advice, h("strong", {}, "What to do: "), "Look whether the node runs and this window can reach it, then try again.");
  return h("div", { class: "problem", role: "alert" },
    h("p", {}, h("strong", {}, body.title ?? "refused"), " ", h("code", {}, body.code ?? "")),
    body.detail && body.detail !== body.title && h("p", {}, body.detail),
    body.path && h("p", {}, "At ", h("code", {}, body.path)),
    advice,
    body.task && h("p", {}, "The task: ", link(h("code", {}, body.task), `tasks/${body.task}`)),
    body.retry_after && h("p", {}, `Try again after ${body.retry_after} s.`),
    body.request_id && h("p", { class: "quiet" }, "Request ", h("code", {}, body.request_id)));
};

// Runs what a button does: the button is off meanwhile, and a refusal is shown in `place`.
export const doing = async (control, place, act) => {
  control.disabled = true;
  put(place);
  try {
    return await act();
  } catch (problem) {
    put(place, problemBox(problem));
    return undefined;
  } finally {
    control.disabled = false;
  }
};

// A dialog over the page: the browser keeps the focus inside, closes it with Escape and gives the focus
// back to what opened it. `make` gets the function that closes it and returns what it holds.
export const dialog = (title, make) => {
  const id = fresh("dialog");
  const opener = document.activeElement;
  const box = h("dialog", { "aria-labelledby": id });
  const close = () => box.close();
  box.append(h("h2", { id }, title), h("div", {}, make(close)));
  box.addEventListener("close", () => {
    box.remove();
    if (opener?.isConnected) opener.focus();
  });
  document.body.append(box);
  box.showModal();
  return box;
};

// Asks before something that cannot be undone.
export const ask = (title, text, verb, act) => dialog(title, (close) => {
  const place = h("div", {});
  const go = button(verb, async () => {
    const done = await doing(go, place, async () => { await act(); return true; });
    if (done) close();
  }, "danger");
  return [h("p", {}, text), place, h("div", { class: "buttons" }, go, button("Keep it as it is", close))];
});

// A labelled control.
export const field = (name, control, hint) => {
  control.id ||= fresh("field");
  const note = hint && fresh("hint");
  if (note) control.setAttribute("aria-describedby", note);
  return h("div", { class: "field" }, h("label", { for: control.id }, name), control,
    hint && h("p", { class: "hint", id: note }, hint));
};

export const choice = (options, chosen, onchange) => h("select", { onchange },
  options.map(([value, text]) => h("option", { value, selected: value === chosen }, text ?? value)));

// How much of a limit is used; without a limit only how much.
export const meter = (name, used, limit, show) => h("div", { class: "meter" },
  h("span", {}, name),
  limit === undefined || limit === null
    ? h("span", { class: "quiet" }, `${show(used)}, no limit`)
    : [h("meter", { min: 0, max: Math.max(limit, 1), value: Math.min(used, limit), high: limit * 0.8, "aria-label": name }),
      h("span", { class: "quiet" }, `${show(used)} of ${show(limit)}`)]);

// Puts bytes into the reader's downloads.
export const save = (name, content, type = "application/octet-stream") => {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const anchor = h("a", { href: url, download: name, class: "hidden-text" }, name);
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

// A list of checks that were made, each with how it ended.
export const checklist = (checks) => h("ul", { class: "checks" }, checks.map(({ name, ok, note }) =>
  h("li", { class: ok === true ? "good" : ok === false ? "bad" : "wait" },
    h("span", { class: "mark", "aria-hidden": "true" }, ok === true ? "✓" : ok === false ? "✗" : "–"),
    h("span", {}, h("span", { class: "hidden-text" }, ok === true ? "holds: " : ok === false ? "does not hold: " : "not checked: "), name,
      note && h("span", { class: "quiet" }, ` ${note}`)))));

// JSON for people, folded away.
export const folded = (title, value) => h("details", {}, h("summary", {}, title),
  h("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2)));

// What an author should look at.
export const lints = (list) => list?.length > 0 && h("ul", { class: "lints" }, list.map((lint) =>
  h("li", {}, h("code", {}, lint.code), " ", h("strong", {}, lint.item), ": ", lint.detail)));
