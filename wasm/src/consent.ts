/** What the person has said, and what waits for it. The core's state is what lasts; here is what
 * must be known at once, before any database is open: a line in localStorage, written only when
 * there is something that may be remembered. It tells every tab, and the next start, whether a
 * database may be opened at all. */
import type { Call } from './call.js';
import type { Category, ConsentChoice, ConsentState, InitOptions } from './types.js';

export const CATEGORIES: readonly Category[] = ['analytics', 'marketing', 'personalisation'];
/** As cairn_consent_state. */
export const SAID = ['unknown', 'granted', 'denied'] as const;
export const NOTHING: ConsentState = {
  analytics: 'unknown',
  marketing: 'unknown',
  personalisation: 'unknown',
};

/** As CAIRN__WAIT_EVENTS_DEFAULT and CAIRN__WAIT_BYTES_DEFAULT. */
const HELD_CALLS_MAX = 200;
const HELD_BYTES_MAX = 128 * 1024;

interface Hint {
  said: ConsentState;
  /** Something is stored still that must go. */
  purging: boolean;
}

const signalled = (): boolean => {
  const nav = typeof navigator === 'undefined' ? {} : navigator;
  const signals = nav as { globalPrivacyControl?: boolean; doNotTrack?: string | null };
  return signals.globalPrivacyControl === true || signals.doNotTrack === '1';
};

/** Rather too large than too small. */
const bytesOf = (call: Call): number =>
  64 +
  2 *
    JSON.stringify(call, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ).length;

export class Consent {
  private readonly required: readonly Category[];
  private readonly denied: readonly Category[];
  private readonly drops: boolean;
  private hint: Hint = { said: NOTHING, purging: false };
  private held: { call: Call; bytes: number }[] = [];
  private heldBytes = 0;

  /** @param key Of the line in localStorage; empty: nothing outlives the page. */
  constructor(
    options: InitOptions,
    private readonly key: string,
  ) {
    const required = options.consent?.required ?? false;
    this.required = required === true ? CATEGORIES : required === false ? [] : required;
    this.denied = options.respectPrivacySignals && signalled() ? CATEGORIES : [];
    this.drops = options.consent?.wait === 'drop';
    this.read();
  }

  get said(): ConsentState {
    return this.hint.said;
  }

  get purging(): boolean {
    return this.hint.purging;
  }

  allows(category: Category): boolean {
    const said = this.said[category];
    if (said !== 'unknown') return said === 'granted';
    return !this.required.includes(category) && !this.denied.includes(category);
  }

  /** Bits for the core: which categories are not allowed before a choice, and which are denied. */
  bits(of: 'required' | 'denied'): number {
    return this[of].reduce((bits, category) => bits | (1 << CATEGORIES.indexOf(category)), 0);
  }

  after(choice: ConsentChoice): ConsentState {
    const said = { ...this.said };
    for (const category of CATEGORIES) {
      const value = choice[category];
      if (typeof value === 'boolean') said[category] = value ? 'granted' : 'denied';
    }
    return said;
  }

  /** From now on; `purging` until done() is called. */
  say(said: ConsentState, purging: boolean): void {
    this.hint = { said, purging };
    if (!this.allows('analytics') && this.isDenied()) this.take();
    this.write();
  }

  /** Another tab may have said something while this page was frozen. */
  reload(): void {
    if (this.key) this.hint = { said: NOTHING, purging: false };
    this.read();
  }

  /** What the core knows and the line does not. */
  adopt(core: ConsentState): void {
    const said = { ...this.said };
    for (const category of CATEGORIES) {
      if (said[category] === 'unknown') said[category] = core[category];
    }
    this.hint = { ...this.hint, said };
    this.write();
  }

  /** Nothing is stored any more, but what must be remembered. */
  done(): void {
    this.hint = { said: this.said, purging: false };
    this.write();
  }

  private isDenied(): boolean {
    const said = this.said.analytics;
    return said === 'denied' || (said === 'unknown' && this.denied.includes('analytics'));
  }

  /** A call that may not be kept: it waits in memory. False: it is dropped. */
  hold(call: Call): boolean {
    if (this.drops || this.isDenied()) return false;
    const bytes = bytesOf(call);
    if (bytes > HELD_BYTES_MAX) return false;
    this.held.push({ call, bytes });
    this.heldBytes += bytes;
    while (this.held.length > HELD_CALLS_MAX || this.heldBytes > HELD_BYTES_MAX) this.dropOldest();
    return true;
  }

  /** The oldest that is no identity or profile; where there are only these, the oldest. */
  private dropOldest(): void {
    const at = Math.max(
      0,
      this.held.findIndex(({ call }) => call.method === 'track'),
    );
    const [gone] = this.held.splice(at, 1);
    this.heldBytes -= gone?.bytes ?? 0;
  }

  /** What was held, oldest first; it is the caller's now. */
  take(): Call[] {
    this.heldBytes = 0;
    return this.held.splice(0).map(({ call }) => call);
  }

  // --- the line in localStorage
  // ---------------------------------------------------------------

  private read(): void {
    if (!this.key) return;
    try {
      const hint = JSON.parse(localStorage.getItem(this.key) ?? 'null') as Hint | null;
      if (hint?.said) this.hint = { said: { ...NOTHING, ...hint.said }, purging: !!hint.purging };
    } catch {
      // refused or not ours: nothing is known
    }
  }

  /** Written where analytics is granted; where a purge is to go on; and where a denial would be
   * forgotten, because the defaults allow it. Everywhere else nothing is left. */
  private write(): void {
    if (!this.key) return;
    const by = this.allows('analytics') && this.said.analytics !== 'unknown';
    const forgotten =
      this.said.analytics === 'denied' &&
      !this.required.includes('analytics') &&
      !this.denied.includes('analytics');
    try {
      if (by || forgotten || this.purging || this.isOptional())
        localStorage.setItem(this.key, JSON.stringify(this.hint));
      else localStorage.removeItem(this.key);
    } catch {
      // refused: what lasts is in the core
    }
  }

  /** Something was said of the other categories while analytics is allowed by default. */
  private isOptional(): boolean {
    const said = this.said.marketing !== 'unknown' || this.said.personalisation !== 'unknown';
    return said && this.allows('analytics');
  }
}
