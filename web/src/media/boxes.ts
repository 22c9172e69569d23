/** Reading of MP4 boxes (ISO/IEC 14496-12): a header of size and type, then a body. */
export interface Box {
  type: string;
  /** Where the box begins in the bytes it was read from. */
  start: number;
  body: number;
  end: number;
}

const HEADER = 8;

/** The header at an offset, or null when it is not all there. A size that no box can have is a RangeError. */
export function boxAt(bytes: Uint8Array, start: number, limit: number = bytes.length): Box | null {
  if (start + HEADER > limit) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
  let size = view.getUint32(start);
  let body = start + HEADER;
  if (size === 1) {
    if (start + 16 > limit) return null;
    size = Number(view.getBigUint64(start + 8));
    body = start + 16;
  }
  if (size < body - start) throw new RangeError(`a box of ${size} bytes`);
  return { type, start, body, end: start + size };
}

/** The boxes that lie wholly in a range. */
export function boxesIn(bytes: Uint8Array, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at < to;) {
    const box = boxAt(bytes, at, to);
    if (!box || box.end > to) break;
    found.push(box);
    at = box.end;
  }
  return found;
}

/** The first box at the end of a path of types, or null. */
export function boxDown(bytes: Uint8Array, from: Box, ...path: string[]): Box | null {
  let box: Box | undefined = from;
  for (const type of path) {
    box = boxesIn(bytes, box.body, box.end).find((child) => child.type === type);
    if (!box) return null;
  }
  return box;
}

/** A reader of big-endian numbers within a box's body; a full box's version and flags are read first. */
export class Fields {
  readonly #view: DataView;
  #at: number;
  version = 0;
  flags = 0;

  constructor(bytes: Uint8Array, box: Box) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + box.body, box.end - box.body);
    this.#at = 0;
  }

  full(): this {
    const word = this.u32();
    this.version = word >>> 24;
    this.flags = word & 0xffffff;
    return this;
  }

  skip(count: number): this {
    this.#at += count;
    return this;
  }

  u8(): number {
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }

  u16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }

  u64(): number {
    this.#at += 8;
    return Number(this.#view.getBigUint64(this.#at - 8));
  }
}
