// Webhooks: where the ends of the tenant's proofs are sent to, and what came of each.

import { get, post, remove, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { number, short, span, when } from "../format.js";
import { ask, badge, button, dialog, doing, facts, field, heading, link, problemBox, section, table, unseen } from "../ui.js";

const REFRESH = 5_000;
const EVENTS = [["task.done", "a proof was made"], ["task.failed", "a task failed"], ["task.cancelled", "a task was stopped"]];
// In place of the code by which the API names why an attempt did not succeed.
const FAULTS = {
  unresolved: "the name has no address", denied: "the address is not allowed", connect: "nobody took the connection",
  tls: "no safe connection", timeout: "no answer in time", answer: "no answer of HTTP", forgotten: "no longer known", unattempted: "not tried yet",
};

const fault = (code, status) => (code === "status" ? `answered with ${status}` : FAULTS[code] ?? code);

const mayChange = (context) => context.may("admin", "author", "submitter");

// The secret, which no answer shows again.
const shown = (made) => dialog("The secret of the new webhook", (close) => [
  h("p", {}, "The receiver checks signatures with it (Standard Webhooks). It is shown this once."),
  h("p", {}, h("code", { class: "secret" }, made.secret)),
  h("div", { class: "buttons" }, button("It is kept", close, "main"))]);

const make = (context, again) => dialog("New webhook", (close) => {
  const url = h("input", { type: "url", required: true, maxlength: 1024, placeholder: "address of your server", autocomplete: "off" });
  const events = EVENTS.map(([name, text]) => [name, h("input", { type: "checkbox", checked: true, id: `event-${name}` }), text]);
  const inputs = h("input", { type: "checkbox", id: "event-inputs" });
  const told = h("div", {});
  const go = button("Make it", async () => {
    const asked = { url: url.value.trim(), public_inputs: inputs.checked, events: events.filter(([, box]) => box.checked).map(([name]) => name) };
    const made = await doing(go, told, () => post("webhooks", asked, context.signal));
    if (!made) return;
    close();
    again();
    shown(made);
  }, "main");
  return [field("URL", url),
    h("fieldset", { class: "field" }, h("legend", {}, "Told when"), events.map(([, box, text]) => h("label", { class: "flag", for: box.id }, box, ` ${text}`))),
    h("div", { class: "field" }, h("label", { class: "flag", for: inputs.id }, inputs, " With the public inputs")),
    told, h("div", { class: "buttons" }, go, button("Leave it", close))];
});

const list = (webhooks) => table("Webhooks", [
  ["Webhook", (each) => link(h("code", {}, each.id), `webhooks/${each.id}`)],
  ["URL", (each) => each.url, "wide"],
  ["Told of", (each) => each.events.join(", ")],
  ["On the way", (each) => number(each.pending), "right"],
  ["Missed", (each) => number(each.missed), "right"],
  ["Made", (each) => when(each.created_at)],
], webhooks, "No webhook: nobody is told when a task of yours ends.");

export const show = async (context) => {
  const [place, told] = [h("div", {}), h("div", {})];
  const refresh = async () => {
    put(place, list((await get("webhooks", context.signal)).webhooks));
    put(told);
  };
  const failed = (problem) => put(told, problemBox(problem));
  const again = () => refresh().catch(failed);
  await refresh();
  setTimeout(() => context.every(REFRESH, refresh, failed), REFRESH);
  return [heading("Webhooks"), told, place,
    mayChange(context) && h("div", { class: "buttons" }, button("New webhook", () => make(context, again), "main"))];
};

const deliveryList = (id, deliveries, context, again, told) => table("Deliveries", [
  ["Task", (each) => link(short(each.task), `tasks/${each.task}`)],
  ["Event", (each) => each.event],
  ["State", (each) => badge(each.state)],
  ["Attempts", (each) => number(each.attempts), "right"],
  ["Last attempt", (each) => [each.last_attempt_at ? when(each.last_attempt_at) : "–",
    each.last_failure && h("span", { class: "quiet" }, ` ${fault(each.last_failure, each.last_status)}`)]],
  ["Next", (each) => (each.next_attempt_at ? when(each.next_attempt_at) : "–")],
  [unseen("Acts"), (each) => each.state !== "pending" && mayChange(context) && button("Again", (event) => doing(event.currentTarget, told, async () => {
    await post(`webhooks/${id}/deliveries/${each.task}/replay`, undefined, context.signal);
    await again();
  }), "small", { "aria-label": `Deliver the end of ${each.task} again` })],
], deliveries, "Nothing was delivered lately, and nothing waits.");

const answerOf = (found) => h("p", { role: "status", class: `verdict ${found.delivered ? "good" : "bad"}` },
  found.delivered ? `The receiver took the test event in ${span(found.took_ms)}.`
    : `The receiver did not take the test event: ${fault(found.failure, found.status)}.`);

export const one = async (context) => {
  const { signal } = context;
  const id = encodeURIComponent(context.parts[0]);
  const [head, log, told, answer] = Array.from({ length: 4 }, () => h("div", {}));
  const refresh = async () => {
    const [webhook, { deliveries, more }] = await Promise.all([get(`webhooks/${id}`, signal), get(withQuery(`webhooks/${id}/deliveries`, {}), signal)]);
    put(head, facts(["URL", webhook.url], ["Told of", webhook.events.join(", ")], ["Public inputs", webhook.public_inputs ? "in each event" : "not sent"],
      ["Made", when(webhook.created_at)], ["On the way", number(webhook.pending)],
      ["Missed", webhook.missed > 0 ? `${number(webhook.missed)}, because too many waited` : "none"]));
    put(log, deliveryList(id, deliveries, context, again, told), more && h("p", { class: "quiet" }, "And more that wait."));
  };
  const failed = (problem) => put(told, problemBox(problem));
  const again = () => refresh().catch(failed);
  await refresh();
  setTimeout(() => context.every(REFRESH, refresh, failed), REFRESH);
  const test = button("Send a test event", async () => {
    put(answer);
    const found = await doing(test, told, () => post(`webhooks/${id}/test`, undefined, signal));
    if (found) put(answer, answerOf(found));
  });
  const end = button("End it", () => ask("End this webhook?", "Nobody is told there any more; what is on the way is dropped.", "End it",
    async () => { await remove(`webhooks/${id}`, signal); context.go("webhooks"); }), "danger");
  return [heading("Webhook"), told, head, mayChange(context) && h("div", { class: "buttons" }, test, end), answer, section("Deliveries", log)];
};
