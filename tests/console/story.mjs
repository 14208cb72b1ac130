// The console's story, told to a running node in a real browser:
//   node story.mjs URL FOLDER-OF-PICTURES MERKLE.wasm WORKLOAD.wasm
// with AUREOLE_KEY, AUREOLE_BROWSER (Chromium) and AUREOLE_BROWSER_TOOLS (the packages) in the environment.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { Browser, NARROW } from "./browser.mjs";

const [url, pictures, merkle, workload] = process.argv.slice(2);
const { AUREOLE_KEY: key, AUREOLE_BROWSER: executable, AUREOLE_BROWSER_TOOLS: tools } = process.env;
const HOSTILE = "<img src=x onerror=window.ran=1>";

const browser = await Browser.start({ tools, executable, pictures });
const { page } = browser;
const step = async (name, act) => {
  const began = Date.now();
  try {
    await act();
  } catch (error) {
    await browser.picture("failed").catch(() => {});
    throw new Error(`${name}: ${error.message}\nthe page complained of: ${browser.complaints.join("\n")}`);
  }
  console.log(`${name}: ${Date.now() - began} ms`);
};

const button = (name) => page.getByRole("button", { name, exact: true });
const state = (name) => page.locator("#state", { hasText: name });

// Drops a file onto the page as a reader's hand does.
const drop = async (name, bytes) => {
  const transfer = await page.evaluateHandle(([title, base64]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], title));
    return data;
  }, [name, bytes.toString("base64")]);
  for (const event of ["dragover", "drop"]) await page.dispatchEvent("#drop", event, { dataTransfer: transfer });
};

const downloaded = async (name) => {
  const [download] = await Promise.all([page.waitForEvent("download"), button(name).click()]);
  return readFile(await download.path());
};

const logIn = async (with_) => {
  await page.getByLabel("Key", { exact: true }).fill(with_);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
};

let done;
let circuit;

try {
  await step("a key that opens nothing is refused in words", async () => {
    await page.goto(`${url}/`);
    assert.equal(new URL(page.url()).pathname, "/console");
    await page.getByLabel("Key", { exact: true }).fill("aur_0000000000000000_0000000000000000000000000000000000000000");
    await button("Log in").click();
    await page.getByRole("alert").getByText("access.unauthenticated").waitFor();
    await page.getByText("What to do:").waitFor();
    browser.expect(/status of 401/);
    await browser.isOpenToAll("login");
    await browser.picture("login");
  });

  await step("a key logs in, and the page works by keyboard", async () => {
    await logIn(key);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.ok(!page.url().includes("aur_"));
  });

  await step("a dropped component is inspected, with its verdict", async () => {
    await browser.goto("#/plugins", "Plugins");
    await page.evaluate(() => {
      window.told = new Set();
      const look = () => document.querySelectorAll(".upload-head .quiet").forEach((each) => window.told.add(each.textContent));
      new MutationObserver(look).observe(document.querySelector(".uploads"), { childList: true, subtree: true, characterData: true });
    });
    await drop("merkle.wasm", await readFile(merkle));
    await page.locator(".upload", { hasText: "merkle.wasm" }).getByText("inspected", { exact: true }).waitFor();
    const told = await page.evaluate(() => [...window.told]);
    assert.ok(told.some((text) => /^inspection: (compiled|asked|keys)/.test(text)), `no stage was told: ${told.join("; ")}`);
    await page.getByRole("row", { name: /merkle/ }).waitFor();
    await page.locator("#component").setInputFiles(workload);
    await page.locator(".upload", { hasText: "workload.wasm" }).getByText("inspected", { exact: true }).waitFor();
    await drop("nonsense.wasm", Buffer.from("this is no component"));
    await page.locator(".upload", { hasText: "nonsense.wasm" }).getByRole("alert").waitFor();
    browser.expect(/status of 4\d\d/);
    await browser.isOpenToAll("plugins");
    await browser.picture("plugins");
  });

  await step("a circuit shows its shape, gates, layout and key", async () => {
    await page.getByRole("table", { name: "Plugins by name and version" }).getByRole("link", { name: "merkle", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: /^merkle@/ }).waitFor();
    await browser.isOpenToAll("plugin");
    await browser.picture("plugin");
    await page.getByRole("row", { name: /default parameters/ }).getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "Circuit" }).waitFor();
    await page.locator("canvas.layout").waitFor();
    assert.ok((await page.locator("code.formula").count()) > 3, "no formulas");
    await page.getByText("Published as").waitFor();
    circuit = page.url().split("/").at(-1);
  });

  await step("the form made from the schema makes a proof, watched live", async () => {
    await button("Fill with an example").click();
    await button("Check").click();
    await page.getByText("The input satisfies the circuit").waitFor();
    await browser.isOpenToAll("circuit");
    await browser.picture("circuit");
    await page.getByLabel("leaf_index").fill("99");
    await button("Check").click();
    await page.getByRole("alert").getByText("input.invalid").waitFor();
    await page.locator(".wrong", { hasText: "leaf_index" }).waitFor();
    browser.expect(/status of 422/);
    await page.getByLabel("leaf_index").fill("0");
    await button("Prove").click();
    await state("done").waitFor();
    done = page.url().split("/").at(-1);
    await page.getByRole("table", { name: "Stages of the task" }).getByText("prove").waitFor();
  });

  await step("proof and receipt are downloaded and verified in the page", async () => {
    const proof = await downloaded("Download the proof");
    const shown = await page.locator("dd code", { hasText: /^[0-9a-f]{64}$/ }).first().textContent();
    assert.equal(createHash("sha256").update(proof).digest("hex"), shown);
    const receipt = JSON.parse(await downloaded("Download the receipt"));
    assert.equal(receipt.leaf.task, done);
    await button("Verify here").click();
    await page.getByText("Everything that was checked holds.").waitFor();
    assert.equal(await page.locator("#verdict .checks li.good").count(), 7);
    await browser.isOpenToAll("task");
    await browser.picture("task");
  });

  await step("a task that fails shows the constraint that does not hold", async () => {
    await browser.goto("#/plugins", "Plugins");
    await page.getByRole("table", { name: "Plugins by name and version" }).getByRole("link", { name: "workload", exact: true }).click();
    await page.getByRole("row", { name: /default parameters/ }).getByRole("link").click();
    await page.getByLabel("start").fill("3");
    await page.getByLabel("mode").selectOption({ label: "unsatisfied" });
    await page.getByLabel("Show what cells hold").check();
    await button("Check").click();
    await page.getByText("The input does not satisfy the circuit.").waitFor();
    await page.getByRole("table", { name: "What does not hold" }).waitFor();
    await browser.picture("check");
    await button("Prove").click();
    await state("failed").waitFor();
    await page.getByText("witness.unsatisfied").first().waitFor();
    await page.getByRole("table", { name: "What does not hold" }).getByText("constraint").first().waitFor();
    await page.locator("p.summary").waitFor();
    // Whether it had failed when its submission was answered is a matter of milliseconds.
    browser.allow(/status of 422/);
    await browser.isOpenToAll("failure");
    await browser.picture("failure");
    await browser.goto("#/tasks?state=failed", "Tasks");
    await page.getByRole("row", { name: /witness.unsatisfied/ }).first().waitFor();
    await browser.isOpenToAll("tasks");
    await browser.picture("tasks");
  });

  await step("a circuit of other parameters is made, and a running proof is explained and cancelled", async () => {
    await browser.goto("#/plugins", "Plugins");
    await page.getByRole("table", { name: "Plugins by name and version" }).getByRole("link", { name: "workload", exact: true }).click();
    await page.getByLabel("k", { exact: true }).fill("13");
    await button("Make this circuit").click();
    await page.locator(".heading", { hasText: "Circuit" }).getByText("ready").waitFor();
    await page.getByLabel("start").fill("18446744073709551615");
    await button("Write JSON").click();
    assert.match(await page.getByLabel("Input as JSON").inputValue(), /18446744073709551615/);
    await button("Prove").click();
    await state("running").waitFor();
    await page.locator("p.summary").waitFor();
    await browser.picture("running");
    await button("Cancel").click();
    await button("Cancel it").click();
    await state("cancelled").waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  await step("receipts show the log, and that a proof is in it", async () => {
    await browser.goto("#/receipts", "Receipts");
    await page.getByLabel("Task", { exact: true }).fill(done);
    await button("Look").click();
    await page.getByText(/leads to the root of the log/).waitFor();
    assert.equal(await page.locator(".checks li.bad").count(), 0);
    await browser.isOpenToAll("receipts");
    await browser.picture("receipts");
  });

  await step("administrators make tenants and keys, and see the trail", async () => {
    await browser.goto("#/tenants", "Tenants");
    await button("New tenant").click();
    for (let presses = 0; presses < 8; presses += 1) {
      await page.keyboard.press("Tab");
      const inside = await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null);
      assert.ok(inside, "the focus left the dialog");
    }
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "New tenant");
    await button("New tenant").click();
    await page.getByLabel("Name").fill("acme");
    await button("Make it").click();
    await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();
    await page.getByLabel("Unfinished tasks", { exact: true }).last().fill("50");
    await button("Save").click();
    await page.getByText("Saved.").waitFor();
    await button("New key").click();
    await page.getByLabel("What it is for").fill(HOSTILE);
    await button("Make it").click();
    const secret = await page.locator("code.secret").textContent();
    assert.match(secret, /^aur_/);
    await button("It is kept").click();
    await page.getByRole("cell", { name: HOSTILE }).waitFor();
    await browser.isOpenToAll("tenant");
    await browser.picture("tenant");
    await browser.goto("#/audit", "Audit trail");
    await page.getByRole("cell", { name: "Key created" }).first().waitFor();
    await browser.isOpenToAll("audit");
    await browser.picture("audit");
    browser.submitter = secret;
  });

  await step("a webhook is made, tried and ended", async () => {
    await browser.goto("#/webhooks", "Webhooks");
    await button("New webhook").click();
    await page.getByLabel("URL").fill("https://10.0.0.1/");
    await button("Make it").click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    browser.expect(/status of 4\d\d/);
    await page.getByLabel("URL").fill("http://127.0.0.1:9/ends");
    await browser.isOpenToAll("new webhook");
    await button("Make it").click();
    assert.match(await page.locator("code.secret").textContent(), /^whsec_/);
    await button("It is kept").click();
    await page.getByRole("table", { name: "Webhooks" }).getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "Webhook", exact: true }).waitFor();
    await button("Send a test event").click();
    await page.getByText("did not take the test event: nobody took the connection").waitFor();
    await browser.isOpenToAll("webhook");
    await browser.picture("webhook");
    await button("End it").click();
    await page.getByRole("dialog").getByRole("button", { name: "End it", exact: true }).click();
    await page.getByText("No webhook: nobody is told").waitFor();
  });

  await step("the group of coordinators is shown", async () => {
    await browser.goto("#/workers", "Cluster");
    await page.getByRole("table", { name: "Coordinators" }).getByText("leader").waitFor();
  });

  await step("what is drawn anew keeps the focus", async () => {
    await browser.goto("#/", "Overview");
    const link = page.getByRole("table", { name: "Tasks", exact: true }).getByRole("link").first();
    await link.focus();
    const href = await link.getAttribute("href");
    const old = await link.elementHandle();
    await page.waitForFunction((element) => !element.isConnected, old);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), href);
  });

  await step("a node that is away is said to be, until it is back", async () => {
    await page.context().setOffline(true);
    await page.getByRole("alert").getByText("console.network").waitFor();
    await page.context().setOffline(false);
    await page.getByRole("alert").waitFor({ state: "detached" });
    browser.expect(/ERR_INTERNET_DISCONNECTED/);
  });

  await step("every page fits a narrow window, and dark mode", async () => {
    const pages = [["#/", "Overview", "overview"], ["#/plugins", "Plugins", "plugins"], [`#/circuits/${circuit}`, "Circuit", "circuit"],
      [`#/tasks/${done}`, "Task", "task"], ["#/tasks", "Tasks", "tasks"], ["#/workers", "Cluster", "workers"], ["#/webhooks", "Webhooks", "webhooks"],
      ["#/receipts", "Receipts", "receipts"], ["#/tenants", "Tenants", "tenants"], ["#/tenants/acme", "acme", "tenant"], ["#/audit", "Audit trail", "audit"]];
    const wide = page.viewportSize();
    for (const [hash, heading, name] of pages) {
      await browser.goto(hash, heading);
      if (name === "circuit") await page.locator("canvas.layout").waitFor();
      await browser.fits(name);
      if (["overview", "workers", "tenants"].includes(name)) await browser.picture(name);
      await page.emulateMedia({ colorScheme: "dark" });
      await browser.isOpenToAll(`${name} in the dark`);
      await browser.picture(`${name}-dark`);
      await page.setViewportSize(NARROW);
      await browser.fits(`${name}, narrow`);
      await browser.picture(`${name}-narrow`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize(wide);
    }
  });

  await step("logging out leaves nothing behind, and a role sees its own pages only", async () => {
    await button("Log out").click();
    await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
    await logIn(browser.submitter);
    await page.getByRole("heading", { level: 2, name: "Your tenant" }).waitFor();
    await page.getByText("0 of 50").waitFor();
    await browser.isOpenToAll("a submitter's overview");
    await browser.picture("overview-submitter");
    assert.equal(await page.getByRole("navigation").getByRole("link", { name: "Tenants" }).count(), 0);
    await browser.goto("#/tenants", "Tenants");
    await page.getByText("This page is for: admin.").waitFor();
  });

  assert.equal(await page.evaluate(() => window.ran), undefined, "a text was run");
  for (const asked of browser.urls) {
    assert.ok(!asked.includes("aur_"), `a key stands in ${asked}`);
    assert.ok(asked.startsWith(url) || asked.startsWith("blob:") || asked === "about:blank", `${asked} was asked for`);
  }
  await browser.isQuiet();
  console.log("the console does all it says");
} finally {
  await browser.stop();
}
