import { BufferSource, Input, MP4, VideoSampleSink } from "mediabunny";
import { type Poster, PosterFinder } from "./poster.ts";

const SEARCH_S = 3;

/** The poster that a recording would have had, from its file; null when nothing in it can be shown. */
export async function posterOfFilm(film: Uint8Array<ArrayBuffer>): Promise<Poster | null> {
  const input = new Input({ source: new BufferSource(film), formats: [MP4] });
  try {
    const track = await input.getPrimaryVideoTrack();
    return track && (await found(new VideoSampleSink(track)));
  } catch {
    return null; // a film without a picture in the list is still a film
  } finally {
    input.dispose();
  }
}

async function found(pictures: VideoSampleSink): Promise<Poster | null> {
  const finder = new PosterFinder();
  for await (const sample of pictures.samples(0, SEARCH_S)) {
    try {
      const ms = sample.timestamp * 1000;
      if (finder.wants(ms)) look(finder, sample.toVideoFrame(), ms);
    } finally {
      sample.close();
    }
  }
  return finder.choose();
}

function look(finder: PosterFinder, frame: VideoFrame, ms: number): void {
  try {
    finder.consider(frame, { width: frame.displayWidth, height: frame.displayHeight }, ms);
  } finally {
    frame.close();
  }
}
