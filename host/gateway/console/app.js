// The console: who is logged in, which page is shown, and what ends with it. The page is in the
// fragment of the URL (`#/tasks/tsk_...`), which browsers do not send; keys are in no URL at all.

import { forget, get, hasKey, onRefused } from "./api.js";
import { h, put } from "./dom.js";
import { show as audit } from "./pages/audit.js";
import { show as circuit } from "./pages/circuit.js";
import { show as login } from "./pages/login.js";
import { show as overview } from "./pages/overview.js";
import { show as plugin } from "./pages/plugin.js";
import { show as plugins } from "./pages/plugins.js";
import { show as receipts } from "./pages/receipts.js";
import { show as task } from "./pages/task.js";
import { show as tasks } from "./pages/tasks.js";
import { show as tenant } from "./pages/tenant.js";
import { show as tenants } from "./pages/tenants.js";
import { one as webhook, show as webhooks } from "./pages/webhooks.js";
import { show as workers } from "./pages/workers.js";
import { badge, button, heading, problemBox, say } from "./ui.js";

const ADMIN = ["admin"];

// The pages: first part of the path, whether something follows, title, who may see it in the list.
const PAGES = [
  { name: "", title: "Overview", show: overview, listed: true },
  { name: "plugins", title: "Plugins", show: plugins, listed: true },
  { name: "plugins", title: "Plugin", show: plugin, below: true },
  { name: "circuits", title: "Circuit", show: circuit, below: true },
  { name: "tasks", title: "Tasks", show: tasks, listed: true },
  { name: "tasks", title: "Task", show: task, below: true },
  { name: "workers", title: "Cluster", show: workers, listed: true },
  { name: "receipts", title: "Receipts", show: receipts, listed: true },
  { name: "webhooks", title: "Webhooks", show: webhooks, listed: true },
  { name: "webhooks", title: "Webhook", show: webhook, below: true },
  { name: "tenants", title: "Tenants", show: tenants, listed: true, roles: ADMIN },
  { name: "tenants", title: "Tenant", show: tenant, below: true, roles: ADMIN },
  { name: "audit", title: "Audit trail", show: audit, listed: true, roles: ["admin", "auditor"] },
];

const main = document.getElementById("main");
let me;
let ending = new AbortController();

// The place in the fragment: its parts, and what stands behind the question mark.
const place = () => {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { parts, query: new URLSearchParams(query ?? "") };
};

const pageOf = ({ parts }) => PAGES.find((page) =>
  page.name === (parts[0] ?? "") && Boolean(page.below) === parts.length > 1);

const showNav = (current) => {
  const seen = PAGES.filter((page) => page.listed && (!page.roles || page.roles.includes(me.role)));
  put(document.getElementById("nav"), h("ul", {}, seen.map((page) => h("li", {},
    h("a", { href: `#/${page.name}`, "aria-current": page.name === current?.name ? "page" : undefined }, page.title)))));
  put(document.getElementById("who"),
    h("span", { class: "name", title: me.credential }, me.tenant), badge(me.role), button("Log out", leave, "small", { id: "log-out" }));
};

// What a page gets: where it is, who asks, and how it waits. All of it ends with the page.
const contextOf = (at, signal) => ({
  me,
  signal,
  parts: at.parts.slice(1),
  query: at.query,
  may: (...roles) => roles.includes(me.role),
  go: (path) => { location.hash = `#/${path}`; },
  title: (text) => { document.title = `${text} · Aureole`; },
  // Runs something now and again and again while the window is looked at, and not under a text that is
  // being selected; faults are shown by `failed`.
  every: (millis, act, failed = () => {}) => {
    const run = async () => {
      try {
        if (!document.hidden && getSelection().isCollapsed) await act();
      } catch (problem) {
        if (!signal.aborted) failed(problem);
      }
      if (!signal.aborted) setTimeout(run, millis);
    };
    return run();
  },
});

const failed = (problem) => put(main, heading("This page cannot be shown"), problemBox(problem));

// Shows the page of the place. The focus goes to its title, but for the first page of a tab, where a
// reader begins at the top.
const showPage = async (isFirst) => {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  if (!me) return showLogin();
  const at = place();
  const page = pageOf(at);
  showNav(page);
  document.title = `${page?.title ?? "Not found"} · Aureole`;
  if (!page) return put(main, heading("There is no such page"), h("p", {}, h("a", { href: "#/" }, "To the overview")));
  if (page.roles && !page.roles.includes(me.role))
    return put(main, heading(page.title), h("p", {}, `This page is for: ${page.roles.join(", ")}.`));
  put(main, heading(page.title), h("p", { class: "quiet" }, "Loading …"));
  try {
    const made = await page.show(contextOf(at, signal));
    if (signal.aborted) return undefined;
    put(main, made);
  } catch (problem) {
    if (signal.aborted) return undefined;
    failed(problem);
  }
  window.scrollTo(0, 0);
  if (!isFirst) main.querySelector("h1")?.focus({ preventScroll: true });
  return say(`${page.title} shown`);
};

const showLogin = (problem) => {
  put(document.getElementById("nav"));
  put(document.getElementById("who"));
  document.title = "Log in · Aureole";
  put(main, login(enter, problem));
  main.querySelector("input")?.focus();
};

// Somebody's key opened the node: `found` is what it says of them.
const enter = (found, isFirst = false) => {
  me = found;
  showPage(isFirst);
};

const leave = () => {
  forget();
  me = undefined;
  ending.abort();
  if (location.hash !== "" && location.hash !== "#/") location.hash = "#/";
  else showLogin();
};

onRefused((problem) => {
  if (!me) return;
  forget();
  me = undefined;
  ending.abort();
  showLogin(problem);
});

window.addEventListener("hashchange", () => showPage(false));
document.getElementById("skip").addEventListener("click", (event) => {
  // The fragment is the page's place, so the link moves the focus itself.
  event.preventDefault();
  main.focus();
});

const start = async () => {
  if (!hasKey()) return showLogin();
  try {
    return enter(await get("me"), true);
  } catch (problem) {
    if (problem.status !== 401) return failed(problem);
    forget();
    return showLogin(problem);
  }
};

start();
