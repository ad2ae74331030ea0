/** Questions to the core as data: they cross tabs as calls do, but want an answer now and are kept
 * nowhere. Answers are JSON texts; a question without one says why. */
import type { Arguments } from './call.js';
import type {
  BundleKey,
  DecideQuery,
  Decision,
  ExperimentDecision,
  Missing,
  PopupDecision,
  SlotDecision,
} from './decide_types.js';
import type { Properties } from './types.js';

export type AskMethod =
  | 'event'
  | 'popup'
  | 'slot'
  | 'experiment'
  | 'experiments'
  | 'show'
  | 'expose'
  | 'inspect'
  | 'setBundle'
  | RankMethod;

/** Of the full flavour's core alone: full/core.ts. */
export type RankMethod = 'rankWanted' | 'rankScores' | 'rankLost';

export interface Ask extends Arguments {
  method: AskMethod;
  tab: string;
  page: string;
  /** Of setBundle. */
  bytes?: Uint8Array;
}

/** The core's status, and its JSON where there is one. */
export interface Answered {
  status: number;
  json: string;
}

/** cairn_status, as far as they are told apart here. */
export const OK = 0;
export const NOT_FOUND = 6;
const CLOSED = 7;
export const NO_CONSENT = 8;
export const UNSUPPORTED = 9;
/** No status of the core: nobody answered. */
export const NO_ANSWER = -1;

export function missing(status: number): Missing {
  if (status === NOT_FOUND) return 'no_bundle';
  if (status === UNSUPPORTED) return 'no_keys';
  if (status === NO_CONSENT) return 'no_consent';
  return status === CLOSED || status === NO_ANSWER ? 'unavailable' : 'invalid';
}

const head = { bundle: 0, now: 0 };

export const noPopup = (reason: Missing): PopupDecision => ({
  ...head,
  decide: 'popup',
  by: 'name',
  candidates: [],
  controls: [],
  outcome: 'none',
  popup: null,
  reason,
});

export const noSlot = (slot: string, reason: Missing): SlotDecision => ({
  ...head,
  decide: 'slot',
  slot,
  strategies: [],
  source: 'nothing',
  items: [],
  reason,
});

export const noExperiments = (reason: Missing): ExperimentDecision => ({
  ...head,
  decide: 'experiment',
  experiments: [],
  reason,
});

export interface Question {
  method: AskMethod;
  name: string;
  properties?: Properties;
  none(reason: Missing): Decision;
}

export function questionOf(query: DecideQuery): Question {
  if ('event' in query) {
    const { event, properties = {} } = query;
    return { method: 'event', name: String(event), properties, none: noPopup };
  }
  if ('popup' in query) return { method: 'popup', name: String(query.popup), none: noPopup };
  if ('slot' in query) {
    const name = String(query.slot);
    return { method: 'slot', name, none: (reason) => noSlot(name, reason) };
  }
  if ('experiment' in query) {
    return { method: 'experiment', name: String(query.experiment), none: noExperiments };
  }
  return { method: 'experiments', name: '', none: noExperiments };
}

// --- keys
// -----------------------------------------------------------------------------------------

const KEY_BYTES = 65;
const KEY_UNCOMPRESSED = 4;
const KEY_ID_LENGTH_MAX = 32;
export const KEYS_MAX = 4;

export interface TrustedKey {
  id: string;
  bytes: Uint8Array;
}

function bytesOf(text: string): Uint8Array | null {
  if (text.length === 2 * KEY_BYTES && /^[0-9a-f]*$/i.test(text)) {
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }
  try {
    const plain = text.replace(/-/g, '+').replace(/_/g, '/');
    return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The key as the core takes it; null: it is none. */
export function trustedKey({ id, key }: BundleKey): TrustedKey | null {
  const bytes = typeof key === 'string' ? bytesOf(key.trim()) : key;
  const good = bytes?.length === KEY_BYTES && bytes[0] === KEY_UNCOMPRESSED;
  const named = typeof id === 'string' && /^[!-~]+$/.test(id) && id.length <= KEY_ID_LENGTH_MAX;
  return good && named ? { id, bytes } : null;
}

// --- the device
// -----------------------------------------------------------------------------------

/** What the browser says without being asked for more than it sends anyway. */
export function deviceFacts(zone: string): Properties {
  if (typeof navigator === 'undefined') return { zone };
  const { language, languages } = navigator;
  const hints = (navigator as { userAgentData?: { platform?: string; mobile?: boolean } })
    .userAgentData;
  const facts: Properties = {
    zone,
    language: language ?? '',
    languages: [...(languages ?? [])].slice(0, 8),
    platform: hints?.platform || navigator.platform || '',
    ...(hints?.mobile === undefined ? {} : { mobile: hints.mobile }),
  };
  if (typeof screen === 'undefined') return facts;
  return {
    ...facts,
    screen_width: screen.width,
    screen_height: screen.height,
    pixel_ratio: globalThis.devicePixelRatio ?? 1,
    touch: (navigator.maxTouchPoints ?? 0) > 0,
  };
}

export function browserZone(): string {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || '';
  } catch {
    return '';
  }
}
