"""`restante delete-account`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, say
from restante.cli.verifying import verify
from restante.client.errors import Misuse
from restante.client.mine import delete_account as delete_it


class AnotherName(Misuse):
    """Whoever deletes an account says which."""

    code = "another-name"
    sentence = "This account has another name"
    hint = "Repeat the account's own name to delete it."


def delete_account(name: str, *, common: Common = DEFAULT) -> None:
    """Deletes your account with everything in it, for good; your name is never given away again.

    What you sent disappears from every mailbox. What you want to keep, export first: restante export. The server asks for your
    passphrase or recovery code. Drafts on this device stay.

    Args:
        name: the account's name, so that nothing is deleted by mistake.
        common: options of every command.
    """
    with using_account(common) as account:
        if name not in {account.identity.name, account.acct}:
            raise AnotherName(account.acct)
        verify(account.session, account.identity.name)
        delete_it(account)
        acct = account.acct
    if common.json:
        put_json({"acct": acct, "deleted": True})
    else:
        say(f"{acct} is deleted. Its videos are removed from the server within a minute.")
