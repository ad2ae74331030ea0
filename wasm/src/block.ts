/** A call's arguments in linear memory, as wasm/block.h describes. */
import type { Arguments, Plain } from './call.js';

const utf8 = new TextEncoder();
const LIST_ITEMS_MAX = 0xffff;

/** Most bytes that the block of this call can take (UTF-8 needs at most three per UTF-16 unit). */
export function blockBytesMax(call: Arguments): number {
  let bytes = 6 + 3 * (call.name.length + call.value.length);
  for (const [name, value] of Object.entries(call.properties)) {
    bytes += 3 + 3 * name.length + 8;
    if (typeof value === 'string') bytes += 4 + 3 * value.length;
    else if (Array.isArray(value)) for (const item of value) bytes += 4 + 3 * item.length;
  }
  return bytes;
}

/** Writes at an offset of linear memory; `at` ends behind the last byte. */
class Writer {
  private readonly view: DataView<ArrayBuffer>;

  constructor(
    private readonly memory: ArrayBuffer,
    public at: number,
  ) {
    this.view = new DataView(memory);
  }

  u8(value: number): void {
    this.view.setUint8(this.at, value);
    this.at += 1;
  }

  u16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }

  f64(value: number): void {
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  i64(value: bigint): void {
    this.view.setBigInt64(this.at, value, true);
    this.at += 8;
  }

  text16(text: string): void {
    this.view.setUint16(this.at, this.encode(text, 2), true);
    this.at += 2 + this.view.getUint16(this.at, true);
  }

  text32(text: string): void {
    this.view.setUint32(this.at, this.encode(text, 4), true);
    this.at += 4 + this.view.getUint32(this.at, true);
  }

  private encode(text: string, ahead: number): number {
    return utf8.encodeInto(text, new Uint8Array(this.memory, this.at + ahead)).written;
  }
}

const INT64_MAX = 2n ** 63n - 1n;
const fits = (value: bigint): boolean => value <= INT64_MAX && value >= -INT64_MAX - 1n;

/** Kinds as cairn_value_kind; a whole number is an integer, a bigint beyond 64 bits a number. */
function writeProperty(to: Writer, name: string, value: Plain[string]): void {
  const head = (kind: number): void => {
    to.u8(kind);
    to.text16(name);
  };
  if (value === null) return head(0);
  if (typeof value === 'boolean') return (head(1), to.u8(value ? 1 : 0));
  if (typeof value === 'bigint') {
    return fits(value) ? (head(2), to.i64(value)) : (head(3), to.f64(Number(value)));
  }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value)
      ? (head(2), to.i64(BigInt(value)))
      : (head(3), to.f64(value));
  }
  if (typeof value === 'string') return (head(4), to.text32(value));
  if (value instanceof Date) return (head(5), to.i64(BigInt(value.getTime())));
  head(6);
  const items = value.slice(0, LIST_ITEMS_MAX);
  to.u16(items.length);
  for (const item of items) to.text32(item);
}

/** Lays the call at `at`, where blockBytesMax(call) bytes are free; returns the bytes written. */
export function writeBlock(memory: ArrayBuffer, at: number, call: Arguments): number {
  const to = new Writer(memory, at);
  const properties = Object.entries(call.properties);
  to.text16(call.name);
  to.text16(call.value);
  to.u16(properties.length);
  for (const [name, value] of properties) writeProperty(to, name, value);
  return to.at - at;
}
