/** Keys of a keyboard or headset, and what the system shows of what plays. */

import type { PlaybackView } from "./playback.svelte";

type Handlers = Partial<Record<MediaSessionAction, MediaSessionActionHandler>>;

const STEP_MS = 10_000;

/**
 * Takes the system's media keys for a player; the returned function gives them back. The title stands on lock screens: it names who
 * speaks, as the list does, and neither the line that was written nor the picture.
 */
export function useMediaKeys(playback: PlaybackView, title: string, onnext?: () => void): () => void {
  const session = mediaSession();
  if (!session) return () => undefined;
  const step = ({ seekOffset }: MediaSessionActionDetails): number => (seekOffset ? seekOffset * 1000 : STEP_MS);
  const handlers: Handlers = {
    play: () => playback.paused && playback.toggle(),
    pause: () => !playback.paused && playback.toggle(),
    stop: () => !playback.paused && playback.toggle(),
    seekbackward: (details) => playback.skip(-step(details)),
    seekforward: (details) => playback.skip(step(details)),
    seekto: ({ seekTime }) => playback.seek((seekTime ?? 0) * 1000),
    ...(onnext && { nexttrack: onnext }),
  };
  session.metadata = new MediaMetadata({ title, artist: "Restante" });
  for (const [action, handler] of Object.entries(handlers)) take(session, action as MediaSessionAction, handler);
  return () => {
    for (const action of Object.keys(handlers)) take(session, action as MediaSessionAction, null);
    session.metadata = null;
    session.playbackState = "none";
  };
}

/** Tells the system where it stands. */
export function tellMediaKeys({ started, paused, positionMs, durationMs, rate }: PlaybackView): void {
  const session = mediaSession();
  if (!session || !started || durationMs <= 0) return;
  session.playbackState = paused ? "paused" : "playing";
  const position = Math.min(positionMs, durationMs) / 1000;
  session.setPositionState?.({ duration: durationMs / 1000, position, playbackRate: rate });
}

function mediaSession(): MediaSession | null {
  return "mediaSession" in navigator && "MediaMetadata" in globalThis ? navigator.mediaSession : null;
}

/** An action that this browser does not know is left to it. */
function take(session: MediaSession, action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    session.setActionHandler(action, handler);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
