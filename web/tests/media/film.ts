import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
} from "mediabunny";

const AVCC = new Uint8Array([
  1, 100, 0, 30, 255, 225, 0, 25, 103, 100, 0, 30, 172, 217, 64, 160, 61, 176, 17, 0, 0, 3, 0, 1, 0, 0, 3, 0, 20, 15,
  22, 45, 150, 1, 0, 6, 104, 235, 227, 203, 34, 192, 253, 248, 248, 0,
]);
const ASC = new Uint8Array([0x11, 0x88]);

export interface FilmWish {
  seconds: number;
  fps?: number;
  /** Bytes of a picture, by its number. */
  weight?: (picture: number) => number;
  kind?: "fragmented" | "in-memory";
}

/** A film whose pictures cannot be decoded, but whose boxes are those of a recording. */
export async function film({
  seconds,
  fps = 10,
  weight = () => 900,
  kind = "fragmented",
}: FilmWish): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: kind, minimumFragmentDuration: 0.5 }), target });
  const pictures = new EncodedVideoPacketSource("avc");
  const sound = new EncodedAudioPacketSource("aac");
  output.addVideoTrack(pictures);
  output.addAudioTrack(sound);
  await output.start();
  const videoConfig = { codec: "avc1.64001e", codedWidth: 640, codedHeight: 480, description: AVCC };
  const audioConfig = { codec: "mp4a.40.2", sampleRate: 48_000, numberOfChannels: 1, description: ASC };
  const SOUND = 1024 / 48_000;
  let heard = 0;
  for (let picture = 0; picture < seconds * fps; picture++) {
    const type = picture % fps === 0 ? "key" : "delta";
    const packet = new EncodedPacket(unitOf(type, weight(picture)), type, picture / fps, 1 / fps);
    await pictures.add(packet, { decoderConfig: videoConfig });
    for (; heard * SOUND < (picture + 1) / fps; heard++) {
      const beat = new EncodedPacket(new Uint8Array(200), "key", heard * SOUND, SOUND);
      await sound.add(beat, { decoderConfig: audioConfig });
    }
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}

/** One unit of H.264 whose header says what it is. */
function unitOf(type: "key" | "delta", size: number): Uint8Array {
  const unit = new Uint8Array(size);
  new DataView(unit.buffer).setUint32(0, size - 4);
  unit[4] = type === "key" ? 0x65 : 0x41;
  return unit;
}
