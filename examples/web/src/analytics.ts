/** The shop's one client. Address, key and whose definitions it believes. */
import { init, type BundleKey, type Cairn } from 'cairn-sdk';

const OFFLINE_AS = 'shop.offline';

/** The switch of the panel: the network fails as it does in a tunnel, in every tab of the shop. */
export const isOffline = (): boolean => localStorage.getItem(OFFLINE_AS) === '1';

export function setOffline(offline: boolean): void {
  localStorage.setItem(OFFLINE_AS, offline ? '1' : '0');
  if (!offline) void cairn.flush();
}

const throughTheSwitch: typeof fetch = (input, options) =>
  isOffline() ? Promise.reject(new TypeError('simulated: no network')) : fetch(input, options);

/** A real shop has the key in its build; this one's is made when the demo starts, and stands beside
 * the page (tools/demo.sh). Without it the shop shows what it would show anyway. */
async function bundleKeys(): Promise<BundleKey[]> {
  const built = import.meta.env.VITE_CAIRN_BUNDLE_KEY;
  if (built) return [JSON.parse(built) as BundleKey];
  try {
    const answer = await fetch('./cairn-key.json');
    const { id, public_key: key } = (await answer.json()) as { id: string; public_key: string };
    return [{ id, key }];
  } catch {
    return [];
  }
}

export const cairn: Cairn = init({
  serverUrl: import.meta.env.VITE_CAIRN_SERVER_URL || location.origin,
  writeKey: import.meta.env.VITE_CAIRN_WRITE_KEY || 'demo-write-key',
  flushIntervalMs: 1000,
  consent: { required: true },
  respectPrivacySignals: true,
  bundleKeys: await bundleKeys(),
  fetch: throughTheSwitch,
});
