import { BufferTarget, CanvasSource, Mp4OutputFormat, Output, Quality } from "mediabunny";

/** A film of this browser's own making, in fragments of a second: a confusion that grows lighter with time, without sound. */
export async function realFilm(seconds: number, bitrate = 200_000): Promise<Uint8Array<ArrayBuffer>> {
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
  await output.start();
  for (let picture = 0; picture < seconds * FPS; picture++) {
    // Something that does not compress to nothing.
    if (context)
      for (let spot = 0; spot < bitrate / 1500; spot++)
        context.fillRect(Math.random() * 160, Math.random() * 120, 9, 9);
    const shade = Math.round((picture / (seconds * FPS)) * 255);
    if (context) context.fillStyle = `rgb(${shade} ${shade} ${shade})`;
    await pictures.add(picture / FPS, 1 / FPS);
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}
