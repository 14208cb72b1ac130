// A real Chromium for the console's story: what it must not say, and pictures of what it shows.
//
// Playwright drives the browser that is installed; axe looks for what keeps people out (contrast, names,
// landmarks). Both come from npm into target/console-browser, with the versions that xtask pins.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 360, height: 740 };

// Patience with anything that the page is to show: a slow machine, an unwarmed node.
const PATIENCE = 90_000;

export class Browser {
  // Starts it; `tools` has the packages, `executable` is the browser, pictures go to `pictures`.
  static async start({ tools, executable, pictures }) {
    const load = createRequire(path.join(tools, "package.json"));
    const browser = new Browser();
    await mkdir(pictures, { recursive: true });
    browser.pictures = pictures;
    browser.axe = await readFile(load.resolve("axe-core/axe.min.js"), "utf8");
    browser.chromium = await load("playwright-core").chromium.launch({ executablePath: executable, args: FLAGS });
    const context = await browser.chromium.newContext({ viewport: WIDE, acceptDownloads: true });
    await context.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    browser.page = await context.newPage();
    browser.page.setDefaultTimeout(PATIENCE);
    browser.listen();
    return browser;
  }

  // Keeps what the page complains of, every address it asked for, and every place it was at.
  listen() {
    this.complaints = [];
    this.urls = new Set();
    this.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    this.page.on("pageerror", (error) => this.complaints.push(String(error)));
    this.page.on("request", (request) => this.urls.add(request.url()));
    this.page.on("framenavigated", (frame) => this.urls.add(frame.url()));
  }

  // What a step asks for shows up as a failed load: that is taken out where it is met, and nothing else.
  expect(pattern) {
    const met = this.allow(pattern);
    assert.ok(met > 0, `${pattern} was not met: ${this.complaints.join("\n")}`);
  }

  // The same where it may be met or not; says how often it was.
  allow(pattern) {
    const before = this.complaints.length;
    this.complaints = this.complaints.filter((text) => !(text.startsWith("Failed to load resource") && pattern.test(text)));
    return before - this.complaints.length;
  }

  async isQuiet() {
    const violations = await this.page.evaluate(() => window.violations);
    assert.deepEqual(violations, [], "the policy was broken");
    assert.deepEqual(this.complaints, [], "the page complained");
  }

  async picture(name) {
    await this.page.screenshot({ path: path.join(this.pictures, `${name}.png`), fullPage: true });
  }

  // Nothing sticks out to the side, whatever the width.
  async fits(name) {
    const [wide, window] = await this.page.evaluate(() => [document.scrollingElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= window, `${name} is ${wide} wide in a window of ${window}`);
  }

  // Nothing keeps people out, as far as axe can tell.
  async isOpenToAll(name) {
    await this.page.evaluate(this.axe);
    const { violations } = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const told = violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
    assert.equal(told.length, 0, `${name} keeps people out:\n${told.join("\n")}`);
  }

  // Shows a page as if a link had been followed, and waits until it stands.
  async goto(hash, heading) {
    await this.page.evaluate((to) => { location.hash = to; }, hash);
    await this.page.getByRole("heading", { level: 1, name: heading }).waitFor();
    await this.page.locator("main .quiet", { hasText: "Loading …" }).waitFor({ state: "detached" });
  }

  async stop() { await this.chromium?.close(); }
}
