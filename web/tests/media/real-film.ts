import { AudioBufferSource, BufferTarget, CanvasSource, Mp4OutputFormat, Output, Quality } from "mediabunny";

/** A film of this browser's own making, in fragments of a second: coloured spots, which do not compress to nothing; silent for so long as is said, else without sound. */
export async function realFilm(seconds: number, bitrate = 200_000, soundS = 0): Promise<Uint8Array<ArrayBuffer>> {
  const FPS = 8;
  const canvas = new OffscreenCanvas(160, 120);
  const context = canvas.getContext("2d");
  const target = new BufferTarget();
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: "fragmented", minimumFragmentDuration: 0.5 }),
    target,
  });
  const pictures = new CanvasSource(canvas, {
    codec: "avc",
    quality: new Quality({ bitrate }),
    keyFrameInterval: 1,
  });
  output.addVideoTrack(pictures);
  const sound = new AudioBufferSource({ codec: "opus", bitrate: 32_000 });
  if (soundS > 0) output.addAudioTrack(sound);
  await output.start();
  if (soundS > 0) await sound.add(new AudioBuffer({ length: soundS * 48_000, sampleRate: 48_000 }));
  for (let picture = 0; picture < seconds * FPS; picture++) {
    for (let spot = 0; context && spot < 400; spot++) {
      context.fillStyle = `hsl(${Math.random() * 360} 80% ${Math.random() * 100}%)`;
      context.fillRect(Math.random() * 160, Math.random() * 120, 9, 9);
    }
    await pictures.add(picture / FPS, 1 / FPS);
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}
