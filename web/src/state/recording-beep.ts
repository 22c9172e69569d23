/** The one sound of this app: it ends where the recording begins, so it is never in the take. */

export const BEEP_MS = 280;
const HZ = 660;
const ATTACK_S = 0.008;
const RELEASE_S = 0.06;
/** −18 dBFS. */
const VOLUME = 10 ** (-18 / 20);

/** Sounds, if there is anything to sound with, and shakes a phone. Settles when it has ended. */
export async function beep(isAudible: boolean): Promise<void> {
  navigator.vibrate?.(60);
  const context = isAudible ? sound() : null;
  await new Promise((resolve) => setTimeout(resolve, BEEP_MS));
  await context?.close().catch(() => undefined);
}

function sound(): AudioContext | null {
  try {
    const context = new AudioContext({ latencyHint: "interactive" });
    const [tone, volume] = [new OscillatorNode(context, { frequency: HZ }), new GainNode(context, { gain: 0 })];
    const [begin, end] = [context.currentTime, context.currentTime + BEEP_MS / 1000];
    volume.gain.setValueAtTime(0, begin).linearRampToValueAtTime(VOLUME, begin + ATTACK_S);
    volume.gain.setValueAtTime(VOLUME, end - RELEASE_S).linearRampToValueAtTime(0, end);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(end);
    return context;
  } catch {
    return null; // no sound device: the word and the white frame say it
  }
}
