import type { KeyMap } from "../../ui/keys";
import type { PlaybackView } from "../../ui/playback.svelte";

/** The keys of every player. */
export function playbackKeys(playback: PlaybackView | null, full: () => void): KeyMap {
  if (!playback) return {};
  const tenths = Array.from({ length: 10 }, (_, tenth): [string, () => void] => [
    String(tenth),
    () => playback.seek((playback.durationMs * tenth) / 10),
  ]);
  return {
    ...Object.fromEntries(tenths),
    " ": () => playback.toggle(),
    k: () => playback.toggle(),
    ArrowLeft: () => playback.skip(-5000),
    ArrowRight: () => playback.skip(5000),
    j: () => playback.skip(-10_000),
    l: () => playback.skip(10_000),
    "<": () => playback.slower(),
    ">": () => playback.faster(),
    c: () => playback.toggleCaptions(),
    m: () => playback.mute(),
    p: () => playback.float(),
    f: full,
  };
}
