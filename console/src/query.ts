/* Questions to /v1/analyze, and how their answers are read. */
import type { Answer, Cell } from "./api";

export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export type WindowUnit = "m" | "h" | "d";
export type Order = "gaps" | "strict" | "any";

export interface FunnelQuestion {
  steps: string[];
  window: number;
  windowUnit: WindowUnit;
  from: string; // YYYY-MM-DD in the zone; `to` is inclusive
  to: string;
  zone: string;
  order: Order;
}

export function funnelQuery(question: FunnelQuestion): object {
  return {
    model: "funnel",
    from: question.from,
    to: question.to,
    timezone: question.zone,
    steps: question.steps,
    window: `${question.window}${question.windowUnit}`,
    order: question.order,
  };
}

/** The calendar day of an instant in a zone, as YYYY-MM-DD. By parts: how a whole date is written
 * differs between versions of ICU. */
export function dayIn(zone: string, at: Date): string {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
}

export function todayQuery(zone: string, now: Date): object {
  const day = dayIn(zone, now);
  return {
    model: "event",
    from: day,
    to: day,
    timezone: zone,
    series: [
      { name: "events", on: "*", measure: "count" },
      { name: "persons", on: "*", measure: "persons" },
    ],
  };
}

function numberOf(cell: Cell | undefined): number {
  return typeof cell === "number" ? cell : Number(cell ?? 0) || 0;
}

/** The one row's value in a column of an ungrouped answer; 0 when there is no row. */
export function valueOf(answer: Answer, column: string): number {
  const at = answer.columns.indexOf(column);
  return at < 0 ? 0 : numberOf(answer.rows[0]?.[at]);
}

export interface FunnelStep {
  index: number;
  name: string;
  persons: number;
  lost: number;
  fromPrevious: number; // 0..1
  fromFirst: number;
}

/** Persons per step of an ungrouped funnel, with the conversions that people read. */
export function funnelSteps(answer: Answer, names: string[]): FunnelStep[] {
  const at = answer.columns.indexOf("persons");
  const persons = names.map((_, index) => numberOf(answer.rows[index]?.[at]));
  return names.map((name, index) => {
    const before = index === 0 ? persons[0]! : persons[index - 1]!;
    const here = persons[index]!;
    return {
      index: index + 1,
      name,
      persons: here,
      lost: before - here,
      fromPrevious: before === 0 ? 0 : here / before,
      fromFirst: persons[0] === 0 ? 0 : here / persons[0]!,
    };
  });
}
