/** The shop's one client. Address and key are fixed at build time. */
import { init, type Cairn } from 'cairn-sdk';

const OFFLINE_AS = 'shop.offline';

/** The switch of the panel: the network fails as it does in a tunnel, in every tab of the shop. */
export const isOffline = (): boolean => localStorage.getItem(OFFLINE_AS) === '1';

export function setOffline(offline: boolean): void {
  localStorage.setItem(OFFLINE_AS, offline ? '1' : '0');
  if (!offline) void cairn.flush();
}

const throughTheSwitch: typeof fetch = (input, options) =>
  isOffline() ? Promise.reject(new TypeError('simulated: no network')) : fetch(input, options);

export const cairn: Cairn = init({
  serverUrl: import.meta.env.VITE_CAIRN_SERVER_URL || location.origin,
  writeKey: import.meta.env.VITE_CAIRN_WRITE_KEY || 'demo-write-key',
  flushIntervalMs: 1000,
  fetch: throughTheSwitch,
});
