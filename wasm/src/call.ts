/** A call of the API as data: it waits in the inbox, crosses tabs and is run by the sender. */
import type { Properties, Value } from './types.js';

export type Method =
  | 'track'
  | 'timerStart'
  | 'timerPause'
  | 'timerResume'
  | 'timerEnd'
  | 'register'
  | 'registerOnce'
  | 'unregister'
  | 'login'
  | 'logout'
  | 'bind'
  | 'unbind'
  | 'profileSet'
  | 'profileSetOnce'
  | 'profileIncrement'
  | 'profileAppend'
  | 'profileUnset'
  | 'consent'
  | 'erase'
  | 'popupClick'
  | 'popupClose'
  | 'slotShown'
  | 'slotClicked';

/** Values as the structured clone algorithm and the core both take them. */
export type Plain = Record<string, Exclude<Value, undefined>>;

export interface Call {
  method: Method;
  /** Wall clock and monotonic time at the call: kept, whenever it is run. */
  timeMs: number;
  monoMs: number;
  /** The event, the id's type, or "". */
  name: string;
  /** The id's value, or "". */
  value: string;
  properties: Plain;
  /** The tab it was made in and the page that the person saw there; calls kept by an older version
   * have neither. */
  tab?: string;
  page?: string;
}

/** What a call or a question gives to the core. */
export type Arguments = Pick<Call, 'name' | 'value' | 'properties'>;

const isStringList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function plainValue(value: unknown): Exclude<Value, undefined> | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return value;
  if (value instanceof Date) return Number.isFinite(value.getTime()) ? value : undefined;
  return isStringList(value) ? value.slice() : undefined;
}

/** A copy with only what the model knows; `onBad` hears of each name that was left out. */
export function plainProperties(
  properties: Properties | undefined,
  onBad: (name: string) => void,
) {
  const plain: Plain = {};
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined) continue;
    const kept = plainValue(value);
    if (kept === undefined) onBad(name);
    else plain[name] = kept;
  }
  return plain;
}
