// wasm_surface.mjs: what a module imports and exports, with the types of its functions, read from
// the binary (the JavaScript API tells the names only).
const KINDS = ['func', 'table', 'memory', 'global'];
const VALUES = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64' };

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  u8() {
    return this.bytes[this.at++];
  }

  u32() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  list(read) {
    return Array.from({ length: this.u32() }, () => read());
  }

  text() {
    const len = this.u32();
    this.at += len;
    return Buffer.from(this.bytes.subarray(this.at - len, this.at)).toString('utf8');
  }

  limits() {
    const flags = this.u8();
    return { min: this.u32(), max: flags & 1 ? this.u32() : null };
  }
}

function sections(bytes) {
  const reader = new Reader(bytes, 8);
  const found = {};
  while (reader.at < bytes.length) {
    const id = reader.u8();
    const size = reader.u32();
    found[id] = new Reader(bytes, reader.at);
    reader.at += size;
  }
  return found;
}

function readImport(reader, types) {
  const name = `${reader.text()}.${reader.text()}`;
  const kind = KINDS[reader.u8()];
  if (kind === 'func') return { name, kind, type: types[reader.u32()] };
  throw new Error(`${name}: a ${kind} is imported, only functions may be`);
}

export function surface(bytes) {
  const at = sections(bytes);
  const signature = () => {
    at[1].u8();
    const from = at[1].list(() => VALUES[at[1].u8()]);
    const to = at[1].list(() => VALUES[at[1].u8()]);
    return `(${from.join(', ')}) -> ${to.join(', ') || 'nothing'}`;
  };
  const types = at[1].list(signature);
  const imports = at[2] ? at[2].list(() => readImport(at[2], types)) : [];
  const own = at[3].list(() => types[at[3].u32()]);
  const functions = [...imports.map((i) => i.type), ...own];
  const exported = at[7].list(() => {
    const name = at[7].text();
    const kind = KINDS[at[7].u8()];
    const index = at[7].u32();
    return [name, kind === 'func' ? functions[index] : kind];
  });
  const memory = at[5].list(() => at[5].limits())[0];
  return {
    imports: Object.fromEntries(imports.map(({ name, type }) => [name, type]).sort()),
    exports: Object.fromEntries(exported.sort()),
    memoryPages: memory,
  };
}
