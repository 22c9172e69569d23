"""The command `restante`: client commands of this room, and commands that other distributions' extras bring."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from keyword import iskeyword

from cyclopts import App, CycloptsError

from restante import __version__
from restante.cli.cores import withhold_cores

COMMANDS = {
    "sign-up": "Makes an account, its keys and its recovery code.",
    "sign-in": "Signs in on this device, by passphrase or recovery code.",
    "pair": "Signs in on this device, by a browser that is signed in.",
    "sign-out": "Forgets the account on this device.",
    "sessions": "Lists where you are signed in, and removes devices.",
    "send": "Sends a video: converts, encrypts and uploads at once.",
    "record": "Records a message, and sends or keeps it.",
    "devices": "Lists cameras and microphones.",
    "inbox": "Lists what was received.",
    "sent": "Lists what was sent, and how far it came.",
    "watch": "Plays a received video.",
    "save": "Saves a received video as an .mp4.",
    "reply": "Answers a message, by video, words or a reaction.",
    "forward": "Passes a message on, if its sender allowed it.",
    "keep": "Keeps a message above the others.",
    "archive": "Puts a message out of the way.",
    "delete": "Deletes a message.",
    "audit": "Shows and checks what the server noted of deletions.",
    "receipts": "Chooses what senders learn of what you played.",
    "drafts": "Lists messages that are not sent yet.",
    "export": "Writes everything of yours to a folder of standard files.",
    "import": "Goes on from an export on another server.",
    "storage": "Shows what the server stores for you, and with whom.",
    "plan": "Shows what you may send, and what you used of it.",
    "notices": "Shows and changes how you are told of news.",
    "delete-account": "Deletes your account with everything in it.",
    "known": "Shows what the server has about this account.",
    "accept": "Accepts the changed key of a contact.",
    "monitor": "Watches your name in the server's log of keys.",
    "verify-web": "Checks the web app that a server hands out.",
    "contacts": "Lists and adds contacts, and compares safety numbers.",
    "rotate": "Makes new keys.",
    "link": "Makes and opens links for people without an account.",
    "page": "Your answering page.",
    "call": "Leaves a video at somebody's answering page.",
    "requests": "Lists who wrote first, and accepts or ignores them.",
    "block": "Lets nothing of somebody arrive any more.",
    "unblock": "Takes that back.",
    "report": "Tells the operator of one message, and opens it to them.",
    "groups": "Lists and changes groups of people.",
}
"""The client's commands, each in the module of its name."""
USAGE = {
    "send": "Usage: restante send NAME... FILE [OPTIONS]\n       restante send --resume [DRAFT [NAME...]]"
}
GROUP = "restante.commands"
FOUND = {
    "config": "Checks the settings of a server, and shows all there are.",
    "serve": "Runs a server (needs the extra `server`).",
    "doctor": "Looks at everything that a server needs, with a cure for each.",
    "backup": "Copies everything that a server keeps, while it serves.",
    "restore": "Makes a server's data from a backup.",
    "check": "Checks a server's data, or a backup.",
    "move": "Moves a running server's data to PostgreSQL, a bucket, or both.",
    "operator": "Does the operator's work, on the server's machine.",
}
"""What is said of commands found by entry point, since asking them would load the server."""


def build() -> App:
    """Puts the commands together; none is imported before it runs."""
    app = App(name="restante", help="Leave a video, it waits for them.", version=__version__)
    for name, text in COMMANDS.items():
        function = name.replace("-", "_") + ("_" if iskeyword(name) else "")
        usage = {"usage": USAGE[name]} if name in USAGE else {}
        app.command(f"restante.cli.{function}:{function}", name=name, help=text, **usage)
    for found in entry_points(group=GROUP):
        app.command(found.value, name=found.name, help=FOUND.get(found.name, ""))
    return app


app = build()


def run(tokens: Sequence[str]) -> int:
    """Runs one command line and returns the exit code: 0 done, 1 failed, 2 misuse."""
    try:
        result = app(
            tokens, exit_on_error=False, print_error=False, result_action="return_value", verbose=False
        )
    except CycloptsError as error:
        from restante.cli.failures import misused

        return misused(str(error), tokens)
    except (Exception, KeyboardInterrupt) as error:
        from restante.cli.failures import explain

        code = explain(error)
        if code is None:
            raise
        return code
    return result if isinstance(result, int) else 0


def main() -> None:
    """Runs the command line of this process."""
    withhold_cores()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
