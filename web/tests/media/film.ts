import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
} from "mediabunny";

const AVCC = new Uint8Array([
  1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 8, 0x67, 0x64, 0, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb,
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
    const packet = new EncodedPacket(new Uint8Array(weight(picture)), type, picture / fps, 1 / fps);
    await pictures.add(packet, { decoderConfig: videoConfig });
    for (; heard * SOUND < (picture + 1) / fps; heard++) {
      const beat = new EncodedPacket(new Uint8Array(200), "key", heard * SOUND, SOUND);
      await sound.add(beat, { decoderConfig: audioConfig });
    }
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}
