/** The transport seam: one POST at a time, compressed where it pays, or handed over at the last
 * moment to what outlives the page. */

const TIMEOUT_MS = 15_000;
/** Below this, gzip's header and the wait cost more than they save. */
const GZIP_BYTES_MIN = 1024;
/** Largest body for keepalive or a beacon; browsers allow 64 KiB in flight in total. */
export const LAST_GASP_BYTES_MAX = 32 * 1024;

export interface Answer {
  /** 0: no answer (offline, refused, timed out). */
  status: number;
  retryAfterMs: number;
  body: Uint8Array;
}

const NO_ANSWER: Answer = { status: 0, retryAfterMs: 0, body: new Uint8Array(0) };

export class Transport {
  private readonly abort = new Set<AbortController>();

  constructor(
    private readonly url: string,
    private readonly fetchNow: typeof fetch,
  ) {}

  /** Never rejects. */
  async post(body: Uint8Array<ArrayBuffer>): Promise<Answer> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    this.abort.add(controller);
    try {
      const packed = await gzip(body);
      const headers: Record<string, string> = { 'content-type': 'application/x-protobuf' };
      if (packed) headers['content-encoding'] = 'gzip';
      const response = await this.fetchNow(this.url, {
        method: 'POST',
        headers,
        body: packed ?? body,
        credentials: 'omit',
        cache: 'no-store',
        signal: controller.signal,
      });
      return {
        status: response.status,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
        body: new Uint8Array(await response.arrayBuffer()),
      };
    } catch {
      return NO_ANSWER;
    } finally {
      clearTimeout(timer);
      this.abort.delete(controller);
    }
  }

  /** The page is going: nobody will read the answer, so the events stay queued until a later
   * request is acknowledged, and the server drops what it already has. */
  lastGasp(body: Uint8Array<ArrayBuffer>): boolean {
    if (body.length > LAST_GASP_BYTES_MAX) return false;
    const blob = new Blob([body], { type: 'application/x-protobuf' });
    try {
      this.fetchNow(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: blob,
        keepalive: true,
        credentials: 'omit',
      }).catch(() => undefined);
      return true;
    } catch {
      return typeof navigator !== 'undefined' && !!navigator.sendBeacon?.(this.url, blob);
    }
  }

  close(): void {
    for (const controller of this.abort) controller.abort();
  }
}

async function gzip(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body.length < GZIP_BYTES_MIN || typeof CompressionStream === 'undefined') return null;
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  return packed.length < body.length ? packed : null;
}

/** Seconds, as RFC 9110 says; a date is taken as "soon" and left to the backoff. */
function retryAfterMs(header: string | null): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0;
}
