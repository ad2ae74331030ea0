/** What is said before anything is known, and names for tabs and questions. */
import type { Status } from './types.js';

export const NO_STATUS: Omit<Status, 'role' | 'storage'> = {
  deviceId: '',
  loginId: '',
  online: true,
  queuedEvents: 0,
  queuedBytes: 0,
  lastSeq: 0,
  ackedSeq: 0,
  droppedEvents: 0,
  rejectedEvents: 0,
  retryInMs: 0,
};

export const randomName = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) =>
    b.toString(16).padStart(2, '0'),
  ).join('');
