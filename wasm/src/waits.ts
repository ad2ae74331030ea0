/** Waits for a change of status to bring something about, but not for ever. */
import type { Clock } from './types.js';

export class Waits {
  private readonly looks = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Something has changed: who has waited for it? */
  look(): void {
    for (const look of [...this.looks]) look();
  }

  /** Settles when it is reached, or at endMs of the monotonic clock. */
  until(reached: () => boolean, endMs: number): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.clock.clearTimeout(timer);
        this.looks.delete(look);
        resolve();
      };
      const look = (): void => {
        if (reached()) finish();
      };
      const timer = this.clock.setTimeout(finish, Math.max(0, endMs - this.clock.monoMs()));
      this.looks.add(look);
    });
  }
}
