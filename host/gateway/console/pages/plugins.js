// Plugins: upload by drag and drop with the inspection's progress and verdict, and every version.

import { events, get, upload, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, span, when } from "../format.js";
import { badge, button, heading, link, lints, problemBox, say, section, table } from "../ui.js";

const REFRESH = 5_000;
const INSPECTION_MAX = 600_000;
const LOOK_WAIT = "20s";
const TICK = 200;
// What the worker does at each stage of an inspection.
const STAGES_NOW = {
  compile: "compiled to machine code", inspect: "asked what it is, and its circuit recorded", keygen: "keys are made",
};

const visibility = (plugin) => plugin.sharing?.visibility ?? "another tenant's";

export const pluginName = (plugin) => (plugin.name ? `${plugin.name}@${plugin.version}` : `${plugin.digest.slice(0, 12)}…`);

const versions = (plugins) => {
  const sorted = [...plugins].sort((a, b) =>
    (a.name ?? "~").localeCompare(b.name ?? "~") || b.registered_at.localeCompare(a.registered_at));
  return table("Plugins by name and version", [
    ["Name", (plugin) => link(plugin.name ?? pluginName(plugin), `plugins/${plugin.digest}`)],
    ["Version", (plugin) => plugin.version ?? "–"],
    ["State", (plugin) => badge(plugin.state)],
    ["What it does", (plugin) => plugin.summary ?? plugin.problem?.title ?? "", "wide"],
    ["Size", (plugin) => bytes(plugin.bytes), "right"],
    ["For", visibility],
    ["Uploaded", (plugin) => when(plugin.registered_at)],
  ], sorted, "No plugin yet: upload one above.");
};

// Tells at which stage the inspection is, for as long as its task tells.
const stages = async (plugin, told, signal) => {
  if (plugin.task) await events(`tasks/${plugin.task}/events`, (name, event) => { if (name === "task") told(event); }, signal);
};

// Waits for the verdict, and tells meanwhile how far the inspection is and for how long it has gone on.
const inspected = async (plugin, told, signal) => {
  const began = Date.now();
  let now = "waits for a worker";
  const tell = () => told(`inspection: ${now}, ${span(Date.now() - began)}`);
  const ticking = setInterval(tell, TICK);
  const over = new AbortController();
  // Whoever may not see the task sees the time alone.
  stages(plugin, (task) => {
    now = STAGES_NOW[task.stage] ?? now;
    tell();
  }, AbortSignal.any([signal, over.signal])).catch(() => {});
  try {
    let found = plugin;
    while (found.state === "inspecting" && Date.now() - began < INSPECTION_MAX)
      found = await get(withQuery(`plugins/${plugin.digest}`, { wait: LOOK_WAIT }), signal);
    return found;
  } finally {
    clearInterval(ticking);
    over.abort();
  }
};

const verdict = (plugin) => {
  if (plugin.state === "rejected") return problemBox({ body: plugin.problem ?? { title: "rejected without a reason" } });
  if (plugin.state === "inspecting") return h("p", {}, "The inspection still goes on; the list below will show how it ends.");
  return [h("p", {}, badge(plugin.state), " ", link(pluginName(plugin), `plugins/${plugin.digest}`), " ", plugin.summary ?? ""), lints(plugin.lints)];
};

const send = async (file, list, context, refresh) => {
  const bar = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const stage = h("span", { class: "quiet" }, "uploading");
  const result = h("div", {});
  list.prepend(h("li", { class: "upload" }, h("div", { class: "upload-head" }, h("strong", {}, file.name), h("span", { class: "quiet" }, bytes(file.size)), bar, stage), result));
  const told = (text) => put(stage, text);
  try {
    const plugin = await upload(file, (loaded, total) => {
      bar.value = total > 0 ? loaded / total : 1;
      if (loaded === total) told("inspection");
    });
    bar.removeAttribute("value");
    const found = await inspected(plugin, told, context.signal);
    told(found.state === "rejected" ? "rejected" : "inspected");
    put(result, verdict(found));
    say(`${file.name}: ${found.state}`);
  } catch (problem) {
    if (context.signal.aborted) return;
    told("refused");
    put(result, problemBox(problem));
  }
  bar.remove();
  await refresh();
};

const dropZone = (context, refresh) => {
  const list = h("ul", { class: "uploads", "aria-live": "polite" });
  const input = h("input", { type: "file", accept: ".wasm,application/wasm", multiple: true, hidden: true, id: "component" });
  const take = (files) => { for (const file of files) send(file, list, context, refresh); };
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  const zone = h("div", { class: "drop", id: "drop" },
    h("p", {}, "Drop components here (", h("code", {}, ".wasm"), "), or ", button("choose files", () => input.click(), "main"), input),
    h("p", { class: "quiet" }, "A component is inspected in the sandbox before anybody can use it."));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
  return [zone, list];
};

export const show = async (context) => {
  const [place, told] = [h("div", {}), h("div", {})];
  const refresh = async () => {
    const { plugins } = await get("plugins", context.signal);
    put(told);
    put(place, versions(plugins));
  };
  await refresh();
  const failed = (problem) => put(told, problemBox(problem));
  setTimeout(() => context.every(REFRESH, refresh, failed), REFRESH);
  const mayUpload = context.may("admin", "author");
  return [heading("Plugins"), mayUpload && dropZone(context, () => refresh().catch(failed)), told, section("Versions", place)];
};
