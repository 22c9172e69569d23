/** [Note: Smaller pictures] How one H.264 track holds pictures of several sizes: docs/adr/0010-smaller-pictures-in-one-track.md. */

const LENGTH_BYTES = 4;

/** The parameter sets of a decoder configuration (avcC), each with its length before it, as they stand in a sample. */
export function parameterSets(avcC: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(avcC.buffer, avcC.byteOffset, avcC.byteLength);
  const sets: Uint8Array[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = view.getUint8(at) & mask;
    at += 1;
    for (let index = 0; index < count; index++) {
      const length = view.getUint16(at);
      sets.push(avcC.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return prefixed(sets);
}

function prefixed(units: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(units.reduce((sum, unit) => sum + LENGTH_BYTES + unit.length, 0));
  let at = 0;
  for (const unit of units) {
    new DataView(whole.buffer).setUint32(at, unit.length);
    whole.set(unit, at + LENGTH_BYTES);
    at += LENGTH_BYTES + unit.length;
  }
  return whole;
}
