/** What happens to the page that the client must know of. */
export interface PageEvents {
  onVisibility: () => void;
  onPageHide: () => void;
  onPageShow: (event: PageTransitionEvent) => void;
  onNetwork: () => void;
}

export function watchPage(on: boolean, events: PageEvents): void {
  if (typeof addEventListener !== 'function' || typeof document === 'undefined') return;
  const way = on ? 'addEventListener' : 'removeEventListener';
  document[way]('visibilitychange', events.onVisibility);
  globalThis[way]('pagehide', events.onPageHide);
  globalThis[way]('pageshow', events.onPageShow as EventListener);
  globalThis[way]('online', events.onNetwork);
  globalThis[way]('offline', events.onNetwork);
}
