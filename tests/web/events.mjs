// events.mjs: encoded Event messages (proto/cairn.proto), as the core writes them.
const varint = (value) => {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number((rest & 0x7fn) | 0x80n));
  }
};
const bytesOf = (tag, bytes) => [tag, ...varint(bytes.length), ...bytes];
const textOf = (tag, text) => bytesOf(tag, [...new TextEncoder().encode(text)]);

function propertyOf([name, value]) {
  const named = textOf(0x12, name);
  if (typeof value === 'string') return bytesOf(0x42, [...named, ...textOf(0x32, value)]);
  const number = new Uint8Array(new Float64Array([value]).buffer);
  return bytesOf(0x42, [...named, 0x29, ...number]);
}

/** An event of this name at this time, with texts and numbers as properties. */
export const encodeEvent = (name, timeMs, properties = {}) =>
  new Uint8Array([
    ...textOf(0x1a, name),
    0x20,
    ...varint(timeMs),
    ...Object.entries(properties).flatMap(propertyOf),
  ]);
