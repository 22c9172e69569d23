/** Notices that a track gives nothing any more: it ended, or it has been muted for a while. */

const MUTED_MS = 2000;

export interface TrackWatch {
  onLost: (why: "unplugged" | "muted") => void;
  /** Muted by the system, for a while, with everything else: then it is no loss. */
  isInterrupted: () => boolean;
}

export function watchTrack(track: MediaStreamTrack, { onLost, isInterrupted }: TrackWatch): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!track.muted) return;
      if (isInterrupted()) wait();
      else onLost("muted");
    }, MUTED_MS);
  };
  const stop = new AbortController();
  const { signal } = stop;
  track.addEventListener("ended", () => onLost("unplugged"), { signal });
  track.addEventListener("mute", wait, { signal });
  track.addEventListener("unmute", () => clearTimeout(timer), { signal });
  if (track.muted) wait();
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}
