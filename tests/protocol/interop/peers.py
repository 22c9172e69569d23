"""Four programs that speak age, each with the same three verbs on files: keys, seal, open."""

import json
import subprocess
from pathlib import Path

import pyrage

from restante.crypto import age

STEP = 1_000_003
"""An odd piece, so that no chunk begins where a piece does."""


class Refused(Exception):
    """The peer would not open the file."""


class Restante:
    def keys(self, kind):
        identity = (age.HybridIdentity if kind == "hybrid" else age.X25519Identity).generate()
        return str(identity), str(identity.recipient())

    def seal(self, recipients, source, target):
        sealer = age.Sealer(*map(age.parse_recipient, recipients))
        self._pump(sealer, source, target)

    def open(self, identity, source, target):
        try:
            self._pump(age.Unsealer(age.parse_identity(identity)), source, target)
        except age.AgeError as error:
            raise Refused from error

    def _pump(self, machine, source, target):
        with source.open("rb") as reading, target.open("wb") as writing:
            while piece := reading.read(STEP):
                writing.write(machine.update(piece))
            writing.write(machine.finish())


class Program:
    """Debian's ``age``; its version 1.1 knows X25519 only."""

    def keys(self, kind):
        made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True, timeout=30)
        identity = made.stdout.strip().splitlines()[-1]
        public = subprocess.run(
            ["age-keygen", "-y"], input=identity, capture_output=True, text=True, check=True, timeout=30
        )
        return identity, public.stdout.strip()

    def seal(self, recipients, source, target):
        flags = [flag for recipient in recipients for flag in ("-r", recipient)]
        subprocess.run(["age", *flags, "-o", target, source], check=True, timeout=60)

    def open(self, identity, source, target):
        command = ["age", "-d", "-i", "-", source]
        with target.open("wb") as opened:  # with -o it makes no file when there is nothing to write
            done = subprocess.run(
                command,
                input=identity.encode(),
                stdout=opened,
                stderr=subprocess.PIPE,
                check=False,
                timeout=60,
            )
        if done.returncode:
            raise Refused(done.stderr.decode())


class Pyrage:
    """The Rust implementation; X25519 only, and it adds a stanza of no known type to each file."""

    def keys(self, kind):
        identity = pyrage.x25519.Identity.generate()
        return str(identity), str(identity.to_public())

    def seal(self, recipients, source, target):
        known = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
        pyrage.encrypt_file(str(source), str(target), known)

    def open(self, identity, source, target):
        try:
            pyrage.decrypt_file(str(source), str(target), [pyrage.x25519.Identity.from_str(identity)])
        except (pyrage.DecryptError, OSError) as error:
            raise Refused from error


class Typage:
    """npm's ``age-encryption``, in one Node process that takes jobs by line."""

    def __init__(self):
        script = Path(__file__).with_name("typage.mjs")
        self._node = subprocess.Popen(
            ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def keys(self, kind):
        answer = self._ask(do="keys", kind=kind)
        return answer["identity"], answer["recipient"]

    def seal(self, recipients, source, target):
        self._ask(do="seal", recipients=recipients, **{"from": str(source), "to": str(target)})

    def open(self, identity, source, target):
        self._ask(do="open", identity=identity, **{"from": str(source), "to": str(target)})

    def close(self):
        self._node.stdin.close()
        self._node.wait(10)
        self._node.stdout.close()

    def _ask(self, **job):
        self._node.stdin.write(json.dumps(job) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer
