/** The browser's clocks. performance.timeOrigin makes the monotonic one comparable between tabs. */
import type { Clock } from './types.js';

export const browserClock: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.timeOrigin + performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};
