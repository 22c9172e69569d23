"""What Debian's Chromium itself can do, apart from our code: what the design leans on, and what would be worth knowing."""

import warnings

from playwright.sync_api import Page

from tests.e2e.browsing import Visitors
from tests.serving import Server

REPORT = """async () => {
  const picture = { width: 1280, height: 720, bitrate: 1_500_000, framerate: 30 }
  const sound = { sampleRate: 48_000, numberOfChannels: 1, bitrate: 96_000 }
  const encodes = async (kind, config) => (await kind.isConfigSupported(config)).supported === true
  const root = await navigator.storage.getDirectory()
  return {
    'H.264 encoder': await encodes(VideoEncoder, { ...picture, codec: 'avc1.42001f', avc: { format: 'avc' } }),
    'Opus encoder': await encodes(AudioEncoder, { ...sound, codec: 'opus' }),
    'AAC encoder': await encodes(AudioEncoder, { ...sound, codec: 'mp4a.40.2' }),
    'H.264 and AAC in a media source': MediaSource.isTypeSupported('video/mp4; codecs="avc1.42001f,mp4a.40.2"'),
    'frames of a track': 'MediaStreamTrackProcessor' in globalThis,
    'private files': (await root.getFileHandle('probe', { create: true })).kind === 'file',
    'wake lock': 'wakeLock' in navigator,
    'picture in picture': document.pictureInPictureEnabled,
    'shared screen': 'getDisplayMedia' in navigator.mediaDevices,
    'managed media source': 'ManagedMediaSource' in globalThis,
  }
}"""
NEEDED = {
    "H.264 encoder",
    "Opus encoder",
    "H.264 and AAC in a media source",
    "frames of a track",
    "private files",
    "wake lock",
    "shared screen",
}
ABSENT = {"AAC encoder", "managed media source"}
"""Absent in Chromium 150 on Linux; should one come, a fallback may go."""

PASSKEY = """async () => {
  const bytes = (length) => crypto.getRandomValues(new Uint8Array(length))
  const prf = { eval: { first: new TextEncoder().encode('restante').buffer } }
  const made = await navigator.credentials.create({ publicKey: {
    challenge: bytes(32), rp: { id: 'localhost', name: 'Restante' },
    user: { id: bytes(16), name: 'ann', displayName: 'Ann' },
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    extensions: { prf },
  } })
  const ask = () => navigator.credentials.get({ publicKey: {
    challenge: bytes(32), userVerification: 'required', extensions: { prf },
    allowCredentials: [{ type: 'public-key', id: made.rawId }],
  } })
  const secret = (given) => [...new Uint8Array(given.getClientExtensionResults().prf.results.first)]
  return { enabled: made.getClientExtensionResults().prf.enabled, secrets: [secret(await ask()), secret(await ask())] }
}"""


def test_the_browser_can_what_the_design_leans_on(house: Server, visitors: Visitors) -> None:
    report: dict[str, bool] = visitors.arrive(house).open("/welcome").evaluate(REPORT)
    can = {name for name, is_there in report.items() if is_there}
    assert can >= NEEDED, f"missing: {NEEDED - can}"
    if new := can & ABSENT:
        warnings.warn(f"this Chromium has become able to: {new}", stacklevel=1)


def test_a_passkey_gives_the_same_secret_each_time(house: Server, visitors: Visitors) -> None:
    page = visitors.arrive(house).open("/welcome")
    _add_authenticator(page)
    told = page.evaluate(PASSKEY)
    assert told["enabled"] is True
    first, second = told["secrets"]
    assert first == second
    assert len(first) == 32
    assert len(set(first)) > 8


def _add_authenticator(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "hasPrf": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
