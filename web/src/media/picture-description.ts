/**
 * [Note: First bytes twice] With FFmpeg's H.264 encoders, Firefox (153) describes its pictures by parameter sets whose first byte
 * stands there twice. FFmpeg itself looks past that; a player that believes the description finds no picture.
 */

const SPS_AT = 8;
const SPS_START = 0x67;
/** 4:2:0, 8 bits each, no extension: what a description of high profile ends in. */
const HIGH = 100;
const HIGH_TAIL = [0xfd, 0xf8, 0xf8, 0];

/** Puts right the description that came with an encoded picture, if it needs that. */
export function mendDescription(meta: EncodedVideoChunkMetadata | undefined): void {
  const config = meta?.decoderConfig;
  if (!config?.description || !config.codec.startsWith("avc1")) return;
  const { description } = config;
  const avcC = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  if (isDoubled(avcC)) config.description = mended(avcC);
}

/** Its first set must repeat the profile that the description itself begins with. */
function isDoubled(avcC: Uint8Array): boolean {
  return avcC[SPS_AT] === SPS_START && avcC[SPS_AT + 1] === SPS_START && avcC[SPS_AT + 2] === avcC[1];
}

function mended(avcC: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(avcC.buffer, avcC.byteOffset, avcC.byteLength);
  const bytes = [...avcC.subarray(0, 4), 0xff];
  let at = 5;
  for (const [mask, reserved] of [
    [0x1f, 0xe0],
    [0xff, 0],
  ] as const) {
    const count = view.getUint8(at) & mask;
    bytes.push(reserved | count);
    at += 1;
    for (let index = 0; index < count; index++) {
      const length = view.getUint16(at) - 1;
      bytes.push(length >> 8, length & 0xff, ...avcC.subarray(at + 3, at + 3 + length));
      at += 3 + length;
    }
  }
  return new Uint8Array(avcC[1] === HIGH ? [...bytes, ...HIGH_TAIL] : bytes);
}
