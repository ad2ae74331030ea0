// The built console in a real Chromium, served by a real edge: what a person sees is what was sent.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { WRITE_KEY, startEdge } from "./edge.mjs";

const require = createRequire(new URL("../../console/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const PERSONS = 20;
const CARTS = 12;
const ORDERS = 5;

let edge;
let browser;
let page;
const complaints = []; // what the browser's console says: content policy, errors

async function send(events) {
  const response = await fetch(`${edge.public}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${WRITE_KEY}` },
    body: JSON.stringify(events),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(answer.accepted, events.length, JSON.stringify(answer));
}

/** A shop's morning: all look, some put into the cart, few buy. */
function morning() {
  const start = Date.now() - 60_000;
  const events = [];
  const add = (index, event, after_ms, properties) =>
    events.push({ event, user: `u${index}`, time: start + after_ms, properties });
  for (let index = 0; index < PERSONS; index++) {
    add(index, "view_item", 0, { item: "lamp", price: 49.5 });
    if (index < CARTS) add(index, "add_cart", 1000, { item: "lamp" });
    if (index < ORDERS) add(index, "purchase", 2000, { amount: 49.5 });
  }
  return events;
}

/** A zone where it is about noon now: "today" does not end while the test runs. */
function zoneAtNoon() {
  const hours = 12 - new Date().getUTCHours();
  return `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`;
}

before(async () => {
  edge = await startEdge();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const context = await browser.newContext({ locale: "en-US", timezoneId: zoneAtNoon() });
  page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
});

after(async () => {
  await browser?.close();
  assert.equal(await edge?.stop(), 0, "the edge drains and ends with 0");
});

test("the console is served with a policy that forbids inline scripts and strangers", async () => {
  const response = await fetch(`${edge.admin}/console/`);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.equal(response.status, 200);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /default-src '(none|self)'/);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
});

test("events show up live as they are sent, and are counted", async () => {
  await page.goto(`${edge.admin}/console/`);
  await page.getByText("connected", { exact: true }).waitFor();
  await send(morning());
  const rows = page.locator("tbody tr.ant-table-row");
  await rows.nth(PERSONS + CARTS + ORDERS - 1).waitFor();
  assert.equal(await rows.count(), PERSONS + CARTS + ORDERS);
  assert.equal(await rows.filter({ hasText: "purchase" }).count(), ORDERS);
  assert.match(await rows.filter({ hasText: "add_cart" }).first().innerText(), /item\s*lamp/);
  await page.getByText("Events today").waitFor();
  const numbers = page.locator(".numbers .ant-statistic-content-value");
  // no waitForFunction: the page's policy forbids the eval that it needs
  await numbers.first().getByText(String(PERSONS + CARTS + ORDERS), { exact: true }).waitFor();
  assert.equal(await numbers.nth(1).innerText(), String(PERSONS));
});

test("a hostile name or property is text and nothing else", async () => {
  const hostile = '<img src=x onerror="document.title=1">';
  await send([{ event: hostile, user: "mallory", properties: { note: hostile } }]);
  await page.locator("tbody tr", { hasText: "mallory" }).first().waitFor();
  assert.equal(await page.locator("tbody img").count(), 0);
  assert.equal(await page.title(), "Cairn");
});

test("a funnel shows how many reached each step", async () => {
  await page.getByRole("menuitem", { name: "Funnel" }).click();
  await page.getByRole("button", { name: "Add step" }).click();
  const names = ["view_item", "add_cart", "purchase"];
  for (const [index, name] of names.entries()) {
    const box = page.getByLabel(`Step ${index + 1}`, { exact: true });
    await box.fill(name);
    await box.press("Tab");
  }
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.locator("[data-test=funnel-answer] canvas").waitFor();
  const cells = await page
    .locator(".funnel-table tbody tr.ant-table-row")
    .evaluateAll((rows) => rows.map((row) => row.children[2].innerText));
  assert.deepEqual(cells, [String(PERSONS), String(CARTS), String(ORDERS)]);
  await page.getByText("25.0 %").first().waitFor(); // 5 of 20
});

test("event names that the edge has counted are offered as steps", async () => {
  await page.reload();
  const box = page.getByLabel("Step 1", { exact: true });
  await box.fill("purch");
  await page.locator(".ant-select-item-option", { hasText: "purchase" }).waitFor();
  await box.press("Escape");
});

test("the console speaks Chinese when told to, and remembers it", async () => {
  await page.getByText("中文").click();
  await page.getByText("起止日期").waitFor();
  await page.reload();
  await page.getByRole("button", { name: /查\s*询/ }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
});

test("the browser had nothing to complain about", () => {
  assert.deepEqual(complaints, []);
});
