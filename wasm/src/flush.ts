/** "Send now what is waiting", from any tab: the one that sends does it and says whether it did. */
import { randomName } from './status.js';
import type { TabMessage } from './tabs.js';
import type { Clock, Role, Status } from './types.js';

export interface FlushHost {
  readonly clock: Clock;
  role(): Role;
  getStatus(): Status;
  drained(): Promise<void>;
  /** Send now; the core is here. */
  send(): void;
  whenKept(run: () => void): void;
  until(reached: () => boolean, endMs: number): Promise<void>;
  say(message: TabMessage): void;
}

export class Flushes {
  private readonly asked = new Map<string, (ok: boolean) => void>();

  constructor(private readonly host: FlushHost) {}

  async anywhere(timeoutMs: number): Promise<boolean> {
    const { host } = this;
    const endMs = host.clock.monoMs() + timeoutMs;
    await host.until(() => host.role() !== 'starting', endMs);
    if (host.role() === 'sender') return this.here(endMs - host.clock.monoMs());
    if (host.role() !== 'follower') return false;
    const id = randomName();
    let answer: boolean | null = null;
    this.asked.set(id, (ok) => (answer = ok));
    host.whenKept(() => host.say({ type: 'flush', id, timeoutMs }));
    await host.until(() => answer !== null, endMs);
    this.asked.delete(id);
    return answer === true;
  }

  async here(timeoutMs: number): Promise<boolean> {
    const { host } = this;
    const endMs = host.clock.monoMs() + timeoutMs;
    await host.drained();
    const upTo = host.getStatus().lastSeq;
    host.send();
    await host.until(() => host.getStatus().ackedSeq >= upTo, endMs);
    return host.role() === 'sender' && host.getStatus().ackedSeq >= upTo;
  }

  answered(id: string, ok: boolean): void {
    this.asked.get(id)?.(ok);
  }
}
