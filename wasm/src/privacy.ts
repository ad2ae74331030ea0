/** Rules of privacy, applied to a call before it is kept anywhere, in whichever tab it is made; the
 * core applies those of the bundle. Hashing is the browser's own and answers later, so that calls
 * wait for the ones before them. */
import type { Call, Plain } from './call.js';
import type { InitOptions, PrivacyRule } from './types.js';

const RULES_MAX = 256;
const ID_METHODS = ['login', 'bind', 'unbind'];
/** Their properties are names only, or the core's own. */
const OTHER_METHODS = [
  'unregister',
  'profileUnset',
  'consent',
  'erase',
  'slotShown',
  'slotClicked',
];
const utf8 = new TextEncoder();

const fits = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

export class Privacy {
  private readonly rules: readonly PrivacyRule[];
  private readonly salt: string;
  /** Settles when the calls before are hashed; null: none is being hashed. */
  private hashing: Promise<void> | null = null;

  constructor(
    options: InitOptions,
    private readonly accept: (call: Call) => void,
    private readonly refuse: (call: Call) => void,
  ) {
    this.rules = (options.privacy?.rules ?? []).slice(0, RULES_MAX);
    this.salt = options.privacy?.salt ?? '';
  }

  /** What must be hashed holds up what comes after it, so that the order stays. */
  apply(call: Call): void {
    const left = this.dropped(call);
    if (left === null) return this.refuse(call);
    const hashes = this.hashes(left);
    if (!this.hashing && !hashes) return this.accept(left);
    const settled = (this.hashing ?? Promise.resolve()).then(async () => {
      const hashed = hashes ? await this.hashed(left) : left;
      if (hashed) this.accept(hashed);
    });
    this.hashing = settled;
    void settled.then(() => {
      if (this.hashing === settled) this.hashing = null;
    });
  }

  private action(target: 'properties' | 'ids', name: string): 'drop' | 'hash' | null {
    const found = this.rules
      .filter((rule) => (rule.target ?? 'properties') === target && fits(rule.name, name))
      .map((rule) => rule.action);
    return found.includes('drop') ? 'drop' : (found[0] ?? null);
  }

  /** The call without what rules drop; null: nothing may be left of it. */
  private dropped(call: Call): Call | null {
    if (this.rules.length === 0 || OTHER_METHODS.includes(call.method)) return call;
    if (ID_METHODS.includes(call.method))
      return this.action('ids', call.name) === 'drop' ? null : call;
    const left = Object.entries(call.properties).filter(
      ([name]) => this.action('properties', name) !== 'drop',
    );
    const nothing = left.length === 0 && Object.keys(call.properties).length > 0;
    if (nothing && call.method.startsWith('profile')) return null;
    return { ...call, properties: Object.fromEntries(left) };
  }

  /** Whether something of it must be hashed before it may be kept. */
  private hashes(call: Call): boolean {
    if (this.rules.length === 0 || OTHER_METHODS.includes(call.method)) return false;
    if (ID_METHODS.includes(call.method)) return this.action('ids', call.name) === 'hash';
    return Object.keys(call.properties).some((name) => this.action('properties', name) === 'hash');
  }

  private async hashed(call: Call): Promise<Call | null> {
    if (ID_METHODS.includes(call.method)) {
      const value = await this.digest(call.value);
      return value === null ? null : { ...call, value };
    }
    const properties: Plain = {};
    for (const [name, value] of Object.entries(call.properties)) {
      if (this.action('properties', name) !== 'hash') {
        properties[name] = value;
        continue;
      }
      const hashed = await this.hashedValue(value);
      if (hashed !== null) properties[name] = hashed;
    }
    return { ...call, properties };
  }

  private async hashedValue(value: Plain[string]): Promise<Plain[string]> {
    if (typeof value === 'string') return this.digest(value);
    if (typeof value === 'bigint' || Number.isSafeInteger(value)) return this.digest(String(value));
    if (!Array.isArray(value)) return null;
    const items = await Promise.all((value as readonly string[]).map((item) => this.digest(item)));
    return items.includes(null) ? null : (items as string[]);
  }

  /** Null where the browser does not hash: pages that are not secure contexts. */
  private async digest(text: string): Promise<string | null> {
    try {
      const bytes = await crypto.subtle.digest('SHA-256', utf8.encode(this.salt + text));
      return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, '0')).join('');
    } catch {
      return null;
    }
  }
}
