"""`restante import`."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.admitted import NOTHING, Admitted
from restante.cli.failures import FAILED, Missing
from restante.cli.options import DEFAULT, Common
from restante.cli.sign_up import show_new
from restante.cli.terminal import ask_secret, can_ask, put, put_json, say
from restante.client import importing
from restante.client.account import Account
from restante.client.accounts import open_account, sign_up
from restante.client.archive import Archive
from restante.client.importing import Exported, Taken
from restante.client.moving import announce
from restante.client.profile import (
    PASSPHRASE_VARIABLE,
    RECOVERY_CODE_VARIABLE,
    Environment,
    Profile,
)
from restante.protocol.names import split_acct


def import_(
    export: Path,
    *,
    name: str | None = None,
    leaving: Annotated[Path | None, Parameter(help="Profile of the account that is left.")] = None,
    admitted: Admitted = NOTHING,
    common: Common = DEFAULT,
) -> int:
    """Goes on from an export on another server, under the same signing key; run again, it continues.

    Where nobody is signed in, an account is made first. Contacts, groups, settings and received messages are taken over. The export
    is opened by the passphrase (RESTANTE_PASSPHRASE) or the recovery code (RESTANTE_RECOVERY_CODE) of the exported account.

    Args:
        export: the folder that restante export wrote, or a zip file of it.
        name: of the account that is made; without it the exported one's.
        leaving: the profile of the exported account; says there, for its contacts, under which address it goes on.
        admitted: what lets you in where the server does not let in everybody.
        common: options of every command.
    """
    with Archive.at(export) as archive:
        exported = _unlock(archive)
        with _account(common, exported, name or split_acct(exported.acct)[0], admitted) as account:
            taken = importing.take_over(account, exported, archive, tell=lambda found: say(f"taking {found}"))
            if leaving is not None:
                _say_goodbye(leaving, exported, account)
            return _tell(common, account, taken)


def _unlock(archive: Archive) -> Exported:
    environment = Environment.read()
    if environment.recovery_code:
        return importing.unlock(archive, code=environment.recovery_code)
    passphrase = environment.passphrase
    if passphrase is None:
        if not can_ask():
            raise Missing(
                "the passphrase of the exported account",
                hint=f"Run it in a terminal, or set {PASSPHRASE_VARIABLE} or {RECOVERY_CODE_VARIABLE}.",
            )
        passphrase = ask_secret("Passphrase of the exported account")
    return importing.unlock(archive, passphrase=passphrase)


def _account(common: Common, exported: Exported, name: str, admitted: Admitted) -> Account:
    profile = common.open_profile()
    identity = profile.identity
    if identity is not None and identity.session_id:
        return open_account(profile, url=common.server)
    show = partial(show_new, chosen=None, common=common)
    url, admission = common.server_of(profile), admitted.admission
    return sign_up(profile, url, name, moved=exported.moved, admission=admission, show=show).account


def _say_goodbye(folder: Path, exported: Exported, account: Account) -> None:
    with open_account(Profile.at(folder)) as left:
        announce(left, exported.moved.alias_to(account.acct))


def _tell(common: Common, account: Account, taken: Taken) -> int:
    for notice in account.notices:
        say(f"warning: {notice}")
    for what, trouble in taken.failed:
        say(f"error: {what}: {trouble} ({trouble.code})")
    counts = {name: getattr(taken, name) for name in ("written", "skipped", "ended", "sent", "shards")}
    failed = [{"id": what, "code": trouble.code} for what, trouble in taken.failed]
    if common.json:
        put_json({"acct": account.acct, **counts, "failed": failed})
    else:
        put(
            f"{account.acct}: {taken.written} taken over, {taken.skipped} there already, {taken.ended} ended, "
            f"{taken.sent} sent by yourself left in the export, {len(failed)} failed"
        )
    return FAILED if failed else 0
