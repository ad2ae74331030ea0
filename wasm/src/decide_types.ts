/** What the device decides, as the page sees it: docs/DECISIONS.md has the meaning of every reason.
 * Every answer comes, whatever happens: where nothing could be decided it is the answer of a page
 * without Cairn (no popup, an empty slot, the fallback), and `reason` says why. */
import type { Properties } from './types.js';

/** A public key of the project's bundles: `GET /v1/bundle/key` of the edge's admin listener. */
export interface BundleKey {
  id: string;
  /** 65 bytes (SEC 1, uncompressed): as they are, as base64 or base64url, or as 130 hex digits. */
  key: string | Uint8Array;
}

/** Why nothing could be decided.
 * "no_keys": init() was given none. "no_bundle": no definitions have come yet, and none are kept.
 * "no_consent": analytics is not allowed, so that nothing is known of the person.
 * "unavailable": the core, here or in the tab that has it, did not answer in time.
 * "invalid": the question breaks a limit of the data model; on("problem") says which. */
export type Missing = 'no_keys' | 'no_bundle' | 'no_consent' | 'unavailable' | 'invalid';

/** Content and values as they were defined: any JSON. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A cap that speaks against a popup. */
export interface Cap {
  count: number;
  of: 'shows' | 'clicks' | 'conversions' | 'closes';
  window: 'ever' | 'rolling' | 'session' | 'day' | 'week' | 'month';
  /** Of a rolling window. */
  ms?: number;
  /** Whose cap it is; else the popup's own, or that of all. */
  group?: string;
}

export interface Candidate {
  name: string;
  /** "show", "wait", "control", or what speaks against it. */
  reason: string;
  variant?: string;
  cap?: Cap;
}

export interface PopupDecision {
  decide: 'popup';
  /** Version of the bundle that decided. */
  bundle: number;
  /** The moment it was decided for. */
  now: number;
  by: 'event' | 'name' | 'queue';
  event?: string;
  /** Every popup that was looked at, with the reason for or against it. */
  candidates: readonly Candidate[];
  /** Counted, and on purpose not shown: arms of comparison. */
  controls: readonly { name: string; version: number; variant: string }[];
  outcome: 'none' | 'show' | 'wait';
  popup: {
    name: string;
    version: number;
    variant: string;
    delay_ms: number;
    template: string;
    content: Json;
  } | null;
  /** Only where nothing could be decided; outcome is "none" then. */
  reason?: Missing;
}

export interface SlotItem {
  id: string;
  /** From 1. */
  position: number;
  reason: string;
  content: Json;
}

export interface SlotDecision {
  decide: 'slot';
  bundle: number;
  now: number;
  slot: string;
  version?: number;
  strategies: readonly {
    name: string;
    reason: string;
    left_out?: readonly { id: string; reason: string }[];
    script?: string;
  }[];
  source: 'strategy' | 'last_good' | 'default' | 'nothing';
  strategy?: string;
  /** A ranking script that did not run: docs/SCRIPTS.md. */
  wants_script?: string;
  items: readonly SlotItem[];
  /** Where the slot as a whole did not ask its strategies. */
  reason?: Missing | 'paused' | 'no_consent' | 'unknown_name';
}

export interface ExperimentResult {
  name: string;
  version?: number;
  /** "assigned" and "sticky" take part in the experiment. */
  reason: string;
  variant?: string;
  /** Ten-thousandths. */
  bucket?: number;
  exposure?: boolean;
  value: Json;
  /** Of a flag with rules: the one that ended the search, ... */
  rule?: string;
  /** ... and what each came to. */
  rules?: readonly RuleResult[];
}

export type RuleResult = Omit<ExperimentResult, 'exposure' | 'value' | 'rules'>;

export interface ExperimentDecision {
  decide: 'experiment';
  bundle: number;
  now: number;
  experiments: readonly ExperimentResult[];
  reason?: Missing;
}

export type Decision = PopupDecision | SlotDecision | ExperimentDecision;

/** One question. Which popup, if this event happened now? May this popup be shown now? What is in
 * this slot? Which variant of this experiment, or of all? */
export type DecideQuery =
  | { event: string; properties?: Properties }
  | { popup: string }
  | { slot: string }
  | { experiment: string }
  | { experiments: true };

/** The decision that belongs to the question. */
export type DecisionOf<Q extends DecideQuery> = Q extends { slot: string }
  ? SlotDecision
  : Q extends { event: string } | { popup: string }
    ? PopupDecision
    : ExperimentDecision;

/** A popup to draw, now and in this tab alone. It is counted already: say what becomes of it. */
export interface ShownPopup {
  readonly name: string;
  readonly version: number;
  readonly variant: string;
  readonly template: string;
  /** Groups that share caps with it. */
  readonly groups?: readonly string[];
  readonly content: Json;
  /** The person followed it: `$popup_click`. It stays open until close(). */
  click(properties?: Properties): void;
  /** It is no longer on the screen: `$popup_close`, and the next may come. Once. */
  close(properties?: Properties): void;
}

export interface Slot {
  items: readonly SlotItem[];
  source: SlotDecision['source'];
  /** The whole decision, with what was left out and why. */
  why: SlotDecision;
}

export interface Experiment {
  /** Null: nobody's variant (not in it, unknown, not answered). */
  variant: string | null;
  /** The variant's content, else the fallback of the definition, else null. */
  value: Json;
  reason: string;
}

/** Where the client stands: docs/DECISIONS.md, "Inspecting". */
export interface Inspection {
  queue?: Readonly<Record<string, number>>;
  ids?: { device: string; type?: string; value?: string; session: number };
  consent?: Readonly<Record<string, string>>;
  bundle?: Readonly<Record<string, number | string>>;
  local?: Readonly<Record<string, number>>;
  popup?: {
    stage: 'none' | 'being_kept' | 'open';
    name?: string;
    waiting: readonly { name: string; due_ms: number }[];
  };
  /** The newest first. */
  decisions?: readonly Decision[];
  /** Only where the core did not answer. */
  reason?: Missing;
  readonly [more: string]: unknown;
}

/** The decisions of one client; all work in every tab, with no network, and never reject. */
export interface Decides {
  /** Decide and say why, for a look: nothing is shown, tracked or remembered. */
  decide<Q extends DecideQuery>(query: Q): Promise<DecisionOf<Q>>;
  readonly popup: {
    /** Show this popup, if it may be shown: then it comes to on("popup"). */
    show(name: string): Promise<PopupDecision>;
  };
  /** What belongs into this slot now. */
  slot(name: string): Promise<Slot>;
  /** The item is really visible: `$slot_show`. `position` counts from 1. */
  slotShown(slot: string, item: string, position: number): void;
  /** `$slot_click`. */
  slotClicked(slot: string, item: string, position: number): void;
  /** The person's variant; the first time in a session `$experiment_exposure` is tracked: ask where
   * the difference can be seen. */
  experiment(name: string): Promise<Experiment>;
  /** The value alone; `fallback` where there is none. Exposes as experiment() does. */
  flag<T extends Json>(name: string, fallback: T): Promise<T>;
  /** All of them, without exposure. */
  experiments(): Promise<ExperimentDecision>;
  /** The page in front of the person, which popups may be bound to. At first location.pathname; a
   * page that changes it without loading says so here, before it tracks. */
  setPage(page: string): void;
  /** Everything worth seeing for a debug panel. Works without keys, too. */
  inspect(): Promise<Inspection>;
  /** A signed bundle that came another way than with an answer of the edge (built into the page).
   * False: it was not taken, and on("problem") says why. */
  setBundle(bytes: Uint8Array): Promise<boolean>;
}
