/** What an outsider sees of the package. Times are milliseconds since 1970 unless named
 * otherwise. */
import type { BundleKey, Decides, ShownPopup } from './decide_types.js';

/** A property's value. Lists hold strings; a Date is an instant; undefined is left out. */
export type Value = string | number | boolean | bigint | Date | null | readonly string[];
export type Properties = Readonly<Record<string, Value | undefined>>;

/** What a person may agree to. Analytics decides about keeping and sending what is tracked. */
export type Category = 'analytics' | 'marketing' | 'personalisation';

/** What was said: "unknown" where nothing was. */
export type ConsentState = Readonly<Record<Category, 'granted' | 'denied' | 'unknown'>>;

/** One act of the person; categories that are not named stay as they are. */
export interface ConsentChoice {
  analytics?: boolean;
  marketing?: boolean;
  personalisation?: boolean;
  /** Where it was said ("banner", "settings"), and which text was shown: for the ledger. */
  source?: string;
  textVersion?: string;
}

export interface ConsentOptions {
  /** Categories that are not allowed before they are granted; true: all. Before analytics is
   * allowed nothing is stored (no database, no localStorage, no cookie) and nothing is sent. */
  required?: boolean | readonly Category[];
  /** Calls before consent: "keep" (default) holds up to 200 of them and 128 KiB in memory; "drop"
   * forgets them. */
  wait?: 'keep' | 'drop';
  /** The server is not told of a withdrawal. */
  withdrawSilently?: boolean;
}

/** What becomes of a property or an id before anything is kept. Of several that fit, drop wins. */
export interface PrivacyRule {
  /** The property, or the type of id; a beginning of it, where this ends in "*". */
  name: string;
  /** "hash": 64 hexadecimal digits, SHA-256 of salt and text (left out where it is no text, whole
   * number or list of texts, and on pages that are not secure contexts). */
  action: 'drop' | 'hash';
  /** Default "properties". */
  target?: 'properties' | 'ids';
}

export interface InitOptions {
  /** Where the edge listens, such as "https://cairn.example.com" or location.origin. */
  serverUrl: string;
  /** The project's public write key: it may only send data. */
  writeKey: string;
  /** Where cairn.wasm is served; the default is the file beside the package's module. */
  wasmUrl?: string | URL;
  /** The bytes of cairn.wasm, where the host has them already (tests, node, bundles). */
  wasmBytes?: BufferSource;
  /** "auto" (default): IndexedDB, memory where it is refused. "memory": nothing outlives the
   * page. */
  storage?: 'auto' | 'memory';
  /** Longest wait between an event and its request while online; default 2000 ms. */
  flushIntervalMs?: number;
  /** Most events kept while offline; the oldest non-critical one goes first. Default 10000. */
  queueEventsMax?: number;
  /** Most bytes kept while offline; default 1 MiB. */
  queueBytesMax?: number;
  /** Default: nothing is asked, everything is allowed until it is denied. */
  consent?: ConsentOptions;
  /** Do-Not-Track and Global Privacy Control count as a denial of all categories until the person
   * says otherwise. Default false. */
  respectPrivacySignals?: boolean;
  /** At most 256 rules; one salt per project. */
  privacy?: { rules: readonly PrivacyRule[]; salt?: string };
  /** Whose signature under definitions is believed, at most 4 keys. None: no definitions are asked
   * for, and nothing is decided. */
  bundleKeys?: readonly BundleKey[];
  /** The person's time zone (IANA), for quiet hours and days; default the browser's. */
  zone?: string;
  /** What rules may ask as device.NAME; more than, and before, what the browser says: language,
   * languages, platform, screen_width, screen_height, pixel_ratio, touch, zone. */
  device?: Properties;
  /** Longest wait for an answer of decide() and its sisters; default 2000 ms. */
  decideTimeoutMs?: number;
  /** A stand-in for the global fetch (tests, a proxy, an offline switch). */
  fetch?: typeof fetch;
  /** Clock and timers of a test. */
  clock?: Clock;
}

export interface Clock {
  nowMs(): number;
  monoMs(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** "waiting": analytics is not allowed (yet): nothing is stored or sent.
 * "starting": the core is not ready, calls are kept. "follower": another tab sends for this one.
 * "stopped": after shutdown. "off": no browser here (server-side rendering): calls do nothing. */
export type Role = 'waiting' | 'starting' | 'sender' | 'follower' | 'stopped' | 'off';

export interface Status {
  role: Role;
  storage: 'indexeddb' | 'memory';
  /** 32 hex digits; empty until the sender has started. */
  deviceId: string;
  /** The id given to login(), or empty. */
  loginId: string;
  online: boolean;
  /** Events waiting for an acknowledgement. */
  queuedEvents: number;
  queuedBytes: number;
  /** The newest sequence number given, and the newest one the server has on its disk. */
  lastSeq: number;
  ackedSeq: number;
  /** Events given up because the queue was full. */
  droppedEvents: number;
  /** Events that the server refused, with its reasons in "rejected" notes. */
  rejectedEvents: number;
  /** Wait before the next attempt after a failed one; 0: none failed. */
  retryInMs: number;
}

export interface FlushResult {
  /** True when everything that was queued at the call is acknowledged. */
  ok: boolean;
  status: Status;
}

/** Something worth knowing; the page goes on in every case. `code` is stable, `message` is for
 * people. */
export interface Problem {
  code: string;
  message: string;
}

/** A call as it was made, before it has a sequence number. */
export interface CallNote {
  method: string;
  name: string;
  properties: Properties;
  timeMs: number;
}

export interface Notes {
  /** The core runs, here or in another tab. */
  ready: Status;
  /** Anything in Status changed. */
  status: Status;
  /** track() and its sisters were called in this tab. */
  call: CallNote;
  /** The server has these on its disk: all up to this sequence number. */
  ack: { ackedSeq: number };
  /** Something was said about consent, in any tab. */
  consent: ConsentState;
  /** A popup to draw. It comes to one tab: the one whose call brought it, if the person sees it;
   * else one that the person sees; else the one that sends. Without a listener it waits for one. */
  popup: ShownPopup;
  /** The page does not get an exception; it may look here. */
  problem: Problem;
}

export interface Profile {
  set(properties: Properties): void;
  setOnce(properties: Properties): void;
  increment(properties: Readonly<Record<string, number | bigint>>): void;
  append(properties: Readonly<Record<string, string | readonly string[]>>): void;
  unset(...names: string[]): void;
}

/** One installation's view of one project. No method throws; problems arrive at on("problem"). */
export interface Cairn extends Decides {
  track(event: string, properties?: Properties): void;
  /** Super properties: on every later event, in every tab, until unregistered. */
  register(properties: Properties): void;
  registerOnce(properties: Properties): void;
  unregister(...names: string[]): void;
  trackTimerStart(event: string): void;
  trackTimerPause(event: string): void;
  trackTimerResume(event: string): void;
  /** Tracks the event with the time since the start, without the pauses, in "duration_ms". */
  trackTimerEnd(event: string, properties?: Properties): void;
  /** Who uses this device from now on. `idType` names the kind of id; the default is "login". */
  login(id: string, idType?: string): void;
  logout(): void;
  /** Say that this person also has that id, or no longer has. */
  bind(idType: string, id: string): void;
  unbind(idType: string, id: string): void;
  readonly profile: Profile;
  /** The person has chosen. Granting analytics keeps and sends what was held in memory, with its own
   * times; denying it removes everything that is stored and forgets the device. */
  consent(choice: ConsentChoice): void;
  consentState(): ConsentState;
  /** Whether the category is allowed now: as was said, or by default. */
  allows(category: Category): boolean;
  /** Forget the person here, and ask the server to. Consent is unknown again. */
  erase(): void;
  /** Send now what is waiting. Settles after at most timeoutMs (default 5000); never rejects. */
  flush(options?: { timeoutMs?: number }): Promise<FlushResult>;
  getStatus(): Status;
  on<K extends keyof Notes>(note: K, listener: (value: Notes[K]) => void): () => void;
  /** Stop sending and let go of the page; what is queued stays for the next start. */
  shutdown(): Promise<void>;
}
