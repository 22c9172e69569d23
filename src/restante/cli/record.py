"""`restante record`."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from restante.cli.bars import Booth, showing_progress, showing_recording
from restante.cli.failures import Interrupted, Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.stopping import stopping
from restante.cli.terminal import ask, can_ask, put, put_json, say
from restante.client.account import Account
from restante.client.background import abandon
from restante.client.drafts import Draft
from restante.client.errors import TargetExists, Unreachable
from restante.client.outgoing import check_request, resume
from restante.client.people import People
from restante.client.profile import Profile
from restante.client.recording import keep_take, new_take
from restante.client.saving import save_draft
from restante.media import Device, Kind, NoDevice, choose_devices
from restante.media import record as record_now
from restante.protocol.limits import RECORDING_MS, UPLOAD_BYTES

NO_SOUND = "none"
_WITHOUT_SERVER = (
    "Record without --to: the take is kept, and `restante send --resume DRAFT NAME…` sends it later."
)
_LONGEST_S = RECORDING_MS / 1000
_MANY = Parameter(consume_multiple=True, negative="")
_ANSWERS = {"y": "send", "n": "keep", "": "keep", "s": "save", "d": "discard"}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for."""

    names: list[str]
    cameras: list[Device]
    microphones: list[Device]
    limit_s: Fraction
    caption: str | None
    output: Path | None
    yes: bool


def record(
    *,
    to: Annotated[list[str] | None, _MANY] = None,
    camera: Annotated[list[str] | None, _MANY] = None,
    mic: Annotated[list[str] | None, _MANY] = None,
    seconds: float = _LONGEST_S,
    caption: str | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(alias="-y", negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Records a message of at most three minutes, encrypted and uploaded while you speak.

    Ctrl-C stops and keeps. Without --to and --output the take is kept as a draft.

    Args:
        to: the recipients' names.
        camera: the camera to use, as `restante devices` lists it; more than one: which to go on with when it is lost.
        mic: the microphone, likewise; `none` records without sound.
        seconds: stops after so many seconds.
        caption: words to go with it.
        output: also writes an .mp4.
        force: replaces an existing file.
        yes: sends without asking.
        common: options of every command.
    """
    names = to or []
    _check(names, caption, seconds, output, force=force, yes=yes)
    wish = _Wish(
        names=names,
        cameras=choose_devices(Kind.CAMERA, camera or []),
        microphones=_microphones(mic or []),
        limit_s=Fraction(str(seconds)),
        caption=caption,
        output=output,
        yes=yes,
    )
    with contextlib.ExitStack() as stack:
        account = stack.enter_context(_reached(common)) if names else None
        answer = _record(wish, account.profile if account else common.open_profile(), account)
    if common.json:
        put_json(answer)
    else:
        put(answer["path"] if answer["state"] == "saved" else answer["id"])


@contextlib.contextmanager
def _reached(common: Common) -> Iterator[Account]:
    """Opens the account; where that fails for the server's sake, there is a way to record all the same."""
    with contextlib.ExitStack() as stack:
        try:
            account = stack.enter_context(using_account(common))
        except Unreachable as error:
            raise Unreachable(hint=_WITHOUT_SERVER) from error
        yield account


def _check(
    names: list[str], caption: str | None, seconds: float, output: Path | None, *, force: bool, yes: bool
) -> None:
    """Refuses before anybody has spoken in vain."""
    if names:
        check_request(names, caption)
        if not yes and not can_ask():
            raise Missing(
                "somebody to ask whether to send it", hint="Add --yes to send it without being asked."
            )
    elif caption is not None:
        raise Missing("somebody for whom the caption is", hint="Name them with --to.")
    if not 0 < seconds <= _LONGEST_S:
        raise Missing(f"a length of up to {_LONGEST_S:.0f} seconds")
    if output is not None and output.exists() and not force:
        raise TargetExists(str(output))
    if output is not None and not output.absolute().parent.is_dir():
        raise Missing(f"the folder {output.absolute().parent}")


def _microphones(wanted: list[str]) -> list[Device]:
    if wanted == [NO_SOUND]:
        return []
    try:
        return choose_devices(Kind.MICROPHONE, wanted)
    except NoDevice:
        say("warning: There is no microphone: the recording will be silent.")
        return []


def _record(wish: _Wish, profile: Profile, account: Account | None) -> dict[str, Any]:
    to = tuple(record.acct for record in People(account).recipients(wish.names)) if account else ()
    _warn_of_space(profile)
    draft = new_take(profile, to=to, caption=wish.caption)
    try:
        with showing_recording(wish.limit_s, has_sound=bool(wish.microphones)) as booth:
            must_leave = _keep(draft, wish, account, booth)
        return _after(draft, wish, account, must_leave=must_leave)
    except BaseException as error:
        if draft.folder.exists():
            _tell_kept(draft)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from error
        raise


def _keep(draft: Draft, wish: _Wish, account: Account | None, booth: Booth) -> bool:
    """Records into the draft; tells whether nobody is there any more."""
    with stopping() as stop:
        produce = partial(
            record_now,
            wish.cameras,
            wish.microphones,
            is_stopped=stop,
            limit_s=wish.limit_s,
            report=booth.show,
            tell=booth.tell,
        )
        keep_take(draft, produce, session=account.session if account else None)
        return stop.has_left


def _after(draft: Draft, wish: _Wish, account: Account | None, *, must_leave: bool) -> dict[str, Any]:
    """Does with a whole take what was wished."""
    assert draft.record.video is not None
    told = {"id": draft.record.id, "duration_s": draft.record.video.ms / 1000, "path": None}
    if wish.output is not None:
        told["path"] = str(save_draft(draft, wish.output))
    verb = _decide(wish, draft, must_leave=must_leave)
    if verb == "send" and account is not None:
        with showing_progress() as report:
            sent = resume(account, draft.record.id, report=report)
        return {**told, "state": sent.state}
    if verb == "save":
        told["path"] = told["path"] or str(save_draft(draft, Path(f"{draft.record.id}.mp4")))
    if verb == "keep":
        _tell_kept(draft)
        return {**told, "state": "kept"}
    abandon(account.session if account else None, draft)
    return {**told, "state": "saved" if verb == "save" else "discarded"}


def _decide(wish: _Wish, draft: Draft, *, must_leave: bool) -> str:
    """Asks what becomes of a take, where that was not said; a take that nobody decides about is kept."""
    if not wish.names:
        return "save" if wish.output is not None else "keep"
    if must_leave:
        return "keep"
    if wish.yes:
        return "send"
    video = draft.record.video
    assert video is not None
    say(f"Recorded {video.ms // 60_000}:{video.ms // 1000 % 60:02}.")
    question = f"Send it to {', '.join(wish.names)}? [y]es, [N]o: keep it as a draft, [s]ave it as a file, [d]iscard it"
    while (verb := _ANSWERS.get(ask(question)[:1].lower())) is None:
        say("Answer y, n, s or d.")
    return verb


def _tell_kept(draft: Draft) -> None:
    names = "" if draft.record.to else " NAME…"
    say("The take is kept as a draft, encrypted on this device.")
    say(f"To send it: restante send --resume {draft.record.id}{names}")
    say(f"To save it: restante drafts --save {draft.record.id}")


def _warn_of_space(profile: Profile) -> None:
    folder = next(each for each in (profile.folder, *profile.folder.parents) if each.exists())
    if shutil.disk_usage(folder).free < 2 * UPLOAD_BYTES:
        say(
            "warning: The disk is nearly full: the recording may have to stop early. What is recorded is kept."
        )
