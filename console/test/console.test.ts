import assert from "node:assert/strict";
import { test } from "node:test";

import { dayIn, funnelQuery, funnelSteps, valueOf } from "../src/query";
import { type Block, BlockReader } from "../src/sse";
import { tables } from "../src/words";

const STREAM =
  ": hello\n\nid: 7\nevent: event\ndata: {\"a\":1}\n\n" +
  "event: event\r\ndata: one\r\ndata: two\r\n\r\ndata:no space\n\nid: 9\ndata: unfinished";

function readInPieces(text: string, piece: number): Block[] {
  const reader = new BlockReader();
  const blocks: Block[] = [];
  for (let at = 0; at < text.length; at += piece) {
    blocks.push(...reader.take(text.slice(at, at + piece)));
  }
  return blocks.filter((block) => block.data !== "");
}

test("a stream reads the same in pieces of any size; an unfinished block is no event", () => {
  const whole = readInPieces(STREAM, STREAM.length);
  assert.deepEqual(whole, [
    { kind: "event", id: "7", data: '{"a":1}' },
    { kind: "event", data: "one\ntwo" },
    { kind: "message", data: "no space" },
  ]);
  for (let piece = 1; piece < STREAM.length; piece++) {
    assert.deepEqual(readInPieces(STREAM, piece), whole, `pieces of ${piece}`);
  }
});

test("a day is the zone's day, not the machine's", () => {
  const at = new Date("2026-11-24T20:30:00Z");
  assert.equal(dayIn("UTC", at), "2026-11-24");
  assert.equal(dayIn("Asia/Shanghai", at), "2026-11-25");
  assert.equal(dayIn("America/Los_Angeles", at), "2026-11-24");
});

test("a funnel's conversions are counted from the step before and from the first", () => {
  const answer = {
    model: "funnel",
    columns: ["step", "event", "persons"],
    rows: [[1, "a", 200], [2, "b", 50], [3, "c", 10]],
  };
  const steps = funnelSteps(answer, ["a", "b", "c"]);
  assert.deepEqual(steps.map((step) => step.persons), [200, 50, 10]);
  assert.deepEqual(steps.map((step) => step.lost), [0, 150, 40]);
  assert.deepEqual(steps.map((step) => step.fromPrevious), [1, 0.25, 0.2]);
  assert.deepEqual(steps.map((step) => step.fromFirst), [1, 0.25, 0.05]);
});

test("a funnel that nobody entered divides by nothing", () => {
  const answer = { model: "funnel", columns: ["step", "persons"], rows: [[1, 0], [2, 0]] };
  for (const step of funnelSteps(answer, ["a", "b"])) {
    assert.equal(step.fromPrevious, 0);
    assert.equal(step.fromFirst, 0);
  }
});

test("values are found by the column's name, and absent ones are 0", () => {
  const answer = { model: "event", columns: ["events", "persons"], rows: [[12, 3]] };
  assert.equal(valueOf(answer, "persons"), 3);
  assert.equal(valueOf(answer, "absent"), 0);
  assert.equal(valueOf({ ...answer, rows: [] }, "events"), 0);
});

test("a question says its window with its unit and its days as days", () => {
  assert.deepEqual(
    funnelQuery({
      steps: ["a", "b"],
      window: 36,
      windowUnit: "h",
      from: "2026-11-01",
      to: "2026-11-24",
      zone: "Asia/Shanghai",
      order: "gaps",
    }),
    {
      model: "funnel",
      from: "2026-11-01",
      to: "2026-11-24",
      timezone: "Asia/Shanghai",
      steps: ["a", "b"],
      window: "36h",
      order: "gaps",
    },
  );
});

test("every English word has a Chinese one that is not the same", () => {
  for (const [key, word] of Object.entries(tables.en)) {
    const other = tables.zh[key as keyof typeof tables.zh];
    assert.equal(typeof other, typeof word, key);
    assert.notEqual(String(other), String(word), key);
  }
});
