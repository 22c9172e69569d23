/** Replaces the devices by a canvas and an oscillator that flash and beep together at every full second. */
export function beepAndFlash(): void {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 240];
  const painter = canvas.getContext("2d");
  const context = new AudioContext();
  const gain = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { frequency: 1000 });
  const sound = context.createMediaStreamDestination();
  tone.connect(gain).connect(sound);
  tone.start();
  let wasOn = false;
  setInterval(() => {
    const isOn = performance.now() % 1000 < 150;
    if (isOn !== wasOn) gain.gain.setValueAtTime(isOn ? 0.5 : 0, context.currentTime);
    wasOn = isOn;
    if (!painter) return;
    painter.fillStyle = isOn ? "white" : "black";
    painter.fillRect(0, 0, canvas.width, canvas.height);
  }, 10);
  const [picture, voice] = [canvas.captureStream(30).getVideoTracks()[0], sound.stream.getAudioTracks()[0]];
  navigator.mediaDevices.getUserMedia = (wish) => {
    const wanted = [wish?.video ? picture : null, wish?.audio ? voice : null];
    return Promise.resolve(new MediaStream(wanted.flatMap((track) => (track ? [track.clone()] : []))));
  };
  navigator.mediaDevices.enumerateDevices = () =>
    Promise.resolve(
      ["one", "two"].map(
        (deviceId) => ({ deviceId, groupId: "", kind: "videoinput", label: deviceId }) as MediaDeviceInfo,
      ),
    );
}
