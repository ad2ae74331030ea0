/** One sender among the tabs: whoever holds the Web Lock. The lock is free again when its tab dies,
 * however it dies, and the next tab becomes the sender. */

import type { Answered, Ask } from './asks.js';
import type { Call } from './call.js';
import type { PopupJson } from './popups.js';
import type { ConsentState } from './types.js';

export type TabMessage =
  | { type: 'wake' }
  | { type: 'hello' }
  | { type: 'consent'; said: ConsentState; call: Call }
  | { type: 'purged' }
  | { type: 'flush'; id: string; timeoutMs: number }
  | { type: 'flushed'; id: string; ok: boolean }
  | { type: 'status'; status: unknown }
  /** A question to the core, and its answer. */
  | { type: 'ask'; id: string; ask: Ask }
  | { type: 'answer'; id: string; answered: Answered }
  /** Who is there, and what does the person see? id "": nobody waits for it. */
  | { type: 'who'; id: string }
  | { type: 'here'; id: string; tab: string; page: string; visible: boolean }
  /** A popup for that tab alone, which says that it has it. */
  | { type: 'popup'; to: string; id: string; popup: PopupJson }
  | { type: 'taken'; id: string }
  /** A flavour's own. */
  | { type: 'more'; more: unknown };

export const isForSender = (message: TabMessage): boolean =>
  message.type === 'wake' || message.type === 'hello' || message.type === 'flush';

export const canShare = (): boolean =>
  typeof navigator !== 'undefined' &&
  !!navigator.locks &&
  typeof BroadcastChannel !== 'undefined' &&
  typeof indexedDB !== 'undefined';

export class Tabs {
  private readonly channel: BroadcastChannel;
  private release: (() => void) | null = null;
  private queued: AbortController | null = null;

  constructor(
    private readonly name: string,
    private readonly onMessage: (message: TabMessage) => void,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event) => this.onMessage(event.data as TabMessage);
    (this.channel as { unref?: () => void }).unref?.();
  }

  /** Wait in line for the lock; `onSender` runs each time this tab has got it. */
  apply(onSender: () => void): void {
    if (this.release || this.queued) return;
    this.queued = new AbortController();
    const held = () =>
      new Promise<void>((release) => {
        this.queued = null;
        this.release = release;
        onSender();
      });
    navigator.locks
      .request(this.name, { signal: this.queued.signal }, held)
      .catch(() => undefined);
  }

  resign(): void {
    this.queued?.abort();
    this.queued = null;
    this.release?.();
    this.release = null;
  }

  say(message: TabMessage): void {
    this.channel.postMessage(message);
  }

  close(): void {
    this.resign();
    this.channel.close();
  }
}
