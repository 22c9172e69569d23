"""`restante watch`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.following import follow_inbox
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.players import Feeding, Player, choose_player
from restante.cli.save import mark_played
from restante.cli.terminal import ask, can_ask, put_json, say
from restante.client.account import Account
from restante.client.errors import NothingToSave, printable
from restante.client.incoming import Mailbox
from restante.client.opened import Message
from restante.client.private import private_folder, sweep_private
from restante.client.profile import Environment
from restante.client.saving import save_captions, save_new
from restante.client.watching import play_file, play_piped


def watch(
    message: str | None = None,
    *,
    follow: Annotated[bool, Parameter(negative="")] = False,
    player: Annotated[str | None, Parameter(negative="")] = None,
    common: Common = DEFAULT,
) -> None:
    """Plays a video without leaving it on this device, and lets the sender know that it was played.

    mpv and ffplay get it through a pipe, while it is still arriving; another player gets a private file, which is
    deleted afterwards.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        follow: plays nothing, but stays, with a line for each that arrives, as for scripts and door phones.
        player: the command of a player; a word `-` in it stands for a pipe, else it gets a file as its last word.
        common: options of every command.
    """
    if (message is None) is not follow:
        raise Missing("either a message or --follow", hint="restante watch 1, or restante watch --follow")
    if message is None:
        with using_account(common) as account:
            follow_inbox(account, common)
    else:
        _watch(message, player, common)


def _watch(message: str, player: str | None, common: Common) -> None:
    chosen = choose_player(player)
    if chosen.feeding is Feeding.LEFT_ALONE and not can_ask():
        raise Missing("somebody who says when the video was watched", hint="Name a player with --player.")
    runtime = Environment.read().runtime
    sweep_private(runtime)
    with using_account(common) as account:
        mailbox = Mailbox(account)
        item = mailbox.find(message)
        opened = item.require()
        if opened.details.video is None:
            raise NothingToSave
        _introduce(opened)
        with private_folder(runtime) as folder:
            _play(account, opened, chosen, folder / "message.mp4")
        mark_played(mailbox, item)
        if item.box == "inbox" and opened.opened.fields.once:
            mailbox.delete_for_me(item.id)
    if common.json:
        put_json({"id": item.id, "player": chosen.command[0]})


def _introduce(opened: Message) -> None:
    video = opened.details.video
    assert video is not None
    length = f"{video.ms // 60_000}:{video.ms // 1000 % 60:02}"
    say(f"From {opened.sender or 'somebody who did not sign'}, {length}.")
    if opened.opened.fields.once:
        say("To be watched once: your copy is deleted afterwards. A courtesy: a screen can always be filmed.")
    if opened.details.caption:
        say(printable(opened.details.caption))


def _play(account: Account, opened: Message, chosen: Player, path: Path) -> None:
    """Plays from a pipe; or a whole, verified file that only this user can read. Captions lie where players look."""
    captions = save_captions(opened, path)
    if chosen.feeding is Feeding.PIPE:
        command = chosen.with_captions(captions) if captions else chosen.command
        play_piped(account.session, opened, command, on_end=_tell_end)
        return
    save_new(account.session, opened, path)
    path.chmod(0o600)
    play_file(path, chosen.command)
    if chosen.feeding is Feeding.LEFT_ALONE:
        ask("Press Enter when you have watched it: then the file is deleted")


def _tell_end(at_ms: int) -> None:
    say(f"warning: The video ends early, at about {at_ms // 60_000}:{at_ms // 1000 % 60:02}.")
