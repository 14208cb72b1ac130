// The log of accepted proofs: its newest checkpoint, whether it only grew since this tab looked last,
// and whether a task's proof is in it. Names of verifying keys, and revocations, stand beside.

import { get, text, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { number, short, when } from "../format.js";
import { checkpoint, grew, isSigned, receiptChecks } from "../log.js";
import { hex, unhex } from "../sha256.js";
import { badge, checklist, doing, facts, field, folded, heading, link, problemBox, section, table } from "../ui.js";

const SEEN = "aureole.checkpoint";

// What this tab saw of the log before, held against what it is now.
const growth = async (note, opened, signal) => {
  const kept = sessionStorage.getItem(SEEN);
  sessionStorage.setItem(SEEN, note);
  if (!kept) return { name: "This tab sees the log for the first time; the next look is compared with it.", ok: undefined };
  const older = checkpoint(kept);
  if (older.origin !== opened.origin) return { name: `The log is another one than before: it was ${older.origin}.`, ok: false };
  if (older.size === 0n || older.size === opened.size)
    return { name: `No new leaf since this tab looked last.`, ok: older.size === 0n || hex(older.root) === hex(opened.root) };
  const proof = await get(withQuery("log/consistency", { from: older.size, to: opened.size }), signal);
  return { name: `Since this tab looked last the log only grew, from ${older.size} to ${opened.size} leaves.`, ok: grew(older, opened, proof.hashes.map(unhex)) };
};

const logSection = async (signal) => {
  const [note, key] = await Promise.all([text("log/checkpoint", signal), text("log/key", signal)]);
  const opened = checkpoint(note);
  const signed = await isSigned(opened, key);
  const checks = [
    { name: "The checkpoint is signed by this log's key.", ok: signed, note: signed === undefined ? "This browser has no Ed25519 here; use aureole receipts verify." : undefined },
    await growth(note, opened, signal),
  ];
  return section("Newest checkpoint",
    facts(["Log", h("code", {}, opened.origin)], ["Leaves", number(opened.size)], ["Root", h("code", {}, hex(opened.root))], ["Key", h("code", {}, key.trim())]),
    checklist(checks), folded("The note as it was signed", note));
};

const inclusion = (context) => {
  const id = h("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false", placeholder: "tsk_…", value: context.query.get("task") ?? "" });
  const [told, list] = [h("div", {}), h("div", {})];
  const go = h("button", { type: "submit", class: "main" }, "Look");
  const form = h("form", {}, field("Task", id), told, h("div", { class: "buttons" }, go), list);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const found = await doing(go, told, async () => {
      const [receipt, key] = await Promise.all([get(`tasks/${encodeURIComponent(id.value.trim())}/receipt`, context.signal), text("log/key", context.signal)]);
      return { receipt, checks: await receiptChecks(receipt, key) };
    });
    if (found) put(list, checklist(found.checks), h("h3", {}, "The leaf"),
      facts(...Object.entries(found.receipt.leaf).map(([name, value]) => [name.replaceAll("_", " "), h("code", {}, String(value))])), folded("The receipt", found.receipt));
  });
  return form;
};

const receiptList = (tasks) => table("Newest proofs in the log", [
  ["Leaf", (task) => number(task.receipt.leaf), "right"],
  ["Task", (task) => link(short(task.id), `tasks/${task.id}`)],
  ["Plugin", (task) => task.plugin ?? "–"],
  ["Proof", (task) => short(task.proof?.digest)],
  ["Accepted", (task) => when(task.finished_at)],
], tasks, "No proof of yours yet.");

const keys = (list) => [
  table("Names of verifying keys", [
    ["Name", (key) => h("code", {}, key.name)],
    ["Version", (key) => number(key.versions[0]?.version), "right"],
    ["State", (key) => (key.versions[0] ? badge(key.versions[0].state) : "–")],
    ["Circuit", (key) => (key.versions[0] ? link(short(key.versions[0].circuit, 16), `circuits/${key.versions[0].circuit}`) : "–")],
    ["Published", (key) => when(key.versions[0]?.published_at)],
  ], list.keys, "No key is published under a name."),
  list.revocations.length > 0 && h("h3", {}, "Revoked"),
  list.revocations.length > 0 && table("Revoked keys", [
    ["Key", (each) => short(each.key_digest, 24)],
    ["When", (each) => when(each.at)],
    ["Why", (each) => each.reason, "wide"],
  ], list.revocations),
];

export const show = async (context) => {
  const { signal } = context;
  const [log, page, named] = await Promise.all([
    logSection(signal).catch((problem) => section("Newest checkpoint", problemBox(problem))),
    get(withQuery("tasks", { state: "done", limit: 50 }), signal),
    get("verifying-keys", signal),
  ]);
  const receipts = page.tasks.filter((task) => task.receipt).sort((a, b) => b.receipt.leaf - a.receipt.leaf);
  return [heading("Receipts"), log, section("Is a task's proof in the log?", inclusion(context)),
    section("Newest proofs in the log", receiptList(receipts)), section("Verifying keys", keys(named))];
};
