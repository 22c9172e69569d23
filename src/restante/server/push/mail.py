"""Mail by plain SMTP. Nothing in it was chosen by a sender of messages: no name, no text.

A count is the only thing that differs between two mails to the same address.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

WITHIN_S = 20.0
_UNFOLDED = SMTP.clone(max_line_length=900)
"""A link in a header stays in one piece, as mail programs want it."""

NEWS = {
    "en": (
        "New messages on {server}",
        """New messages wait for you on {server}: {count}.

Watch them: {home}

You get this because you asked for it. To stop it, open this link and confirm:
{stop}
""",
    ),
    "fr": (
        "Nouveaux messages sur {server}",
        """De nouveaux messages vous attendent sur {server}\u00a0: {count}.

Les regarder\u00a0: {home}

Vous recevez ceci parce que vous l\u2019avez demandé. Pour l\u2019arrêter, ouvrez ce lien et confirmez\u00a0:
{stop}
""",
    ),
}
CODE = {
    "en": (
        "Your code for {server}: {code}",
        """{code} is the code that lets {server} write to this address. It is good for 30 minutes.

If you did not ask for it, do nothing: no mail will come.
""",
    ),
    "fr": (
        "Votre code pour {server}\u00a0: {code}",
        """{code} est le code qui permet à {server} d\u2019écrire à cette adresse. Il est valable 30 minutes.

Si vous ne l\u2019avez pas demandé, ne faites rien\u00a0: aucun message ne viendra.
""",
    ),
}

OPENED = {
    "en": (
        "{server} is open to you now",
        """You asked to be told: from now on you can sign up and send on {server}.

{home}

This is the only mail about it; your wish is forgotten now.
""",
    ),
    "fr": (
        "{server} vous est ouvert",
        """Vous avez demandé à le savoir\u00a0: vous pouvez désormais ouvrir un compte et envoyer sur {server}.

{home}

C\u2019est le seul message à ce sujet\u00a0; votre demande est maintenant oubliée.
""",
    ),
}
TICKET = {
    "en": (
        "Your code for {server}: {code}",
        """{code} is the code by which you can make an account on {server}. It is good for 30 minutes.

If you did not ask for it, do nothing: no account will be made.
""",
    ),
    "fr": (
        "Votre code pour {server}\u00a0: {code}",
        """{code} est le code avec lequel vous pouvez ouvrir un compte sur {server}. Il est valable 30 minutes.

Si vous ne l\u2019avez pas demandé, ne faites rien\u00a0: aucun compte ne sera ouvert.
""",
    ),
}
PLAN = {
    "late": {
        "en": (
            "A payment did not go through on {server}",
            """The last payment for {plan} on {server} did not go through.

It is tried again by itself, and {plan} goes on until {day}. If your card has changed, put it right until then:
{page}

Nothing that you sent or recorded is removed, and receiving stays free.

To get no more mail from {server}, open this link and confirm:
{stop}
""",
        ),
        "fr": (
            "Un paiement n\u2019a pas abouti sur {server}",
            """Le dernier paiement pour {plan} sur {server} n\u2019a pas abouti.

Il sera retenté de lui-même, et {plan} continue jusqu\u2019au {day}. Si votre carte a changé, corrigez-la d\u2019ici là\u00a0:
{page}

Rien de ce que vous avez envoyé ou enregistré n\u2019est supprimé, et recevoir reste gratuit.

Pour ne plus recevoir de courrier de {server}, ouvrez ce lien et confirmez\u00a0:
{stop}
""",
        ),
    },
    "soon": {
        "en": (
            "Your plan on {server} ends soon",
            """The payment for {plan} on {server} still did not go through. {plan} ends on {day}, unless it is put right until then:
{page}

Nothing that you sent or recorded is removed, and receiving stays free.

To get no more mail from {server}, open this link and confirm:
{stop}
""",
        ),
        "fr": (
            "Votre formule sur {server} se termine bientôt",
            """Le paiement pour {plan} sur {server} n\u2019a toujours pas abouti. {plan} se termine le {day}, sauf s\u2019il aboutit d\u2019ici là\u00a0:
{page}

Rien de ce que vous avez envoyé ou enregistré n\u2019est supprimé, et recevoir reste gratuit.

Pour ne plus recevoir de courrier de {server}, ouvrez ce lien et confirmez\u00a0:
{stop}
""",
        ),
    },
    "ended": {
        "en": (
            "Your plan on {server} has ended",
            """{plan} on {server} ended on {day}.

Nothing that you sent or recorded is removed, and receiving stays free. You can have it again at any time:
{page}

To get no more mail from {server}, open this link and confirm:
{stop}
""",
        ),
        "fr": (
            "Votre formule sur {server} est terminée",
            """{plan} sur {server} s\u2019est terminé le {day}.

Rien de ce que vous avez envoyé ou enregistré n\u2019est supprimé, et recevoir reste gratuit. Vous pouvez la reprendre à tout moment\u00a0:
{page}

Pour ne plus recevoir de courrier de {server}, ouvrez ce lien et confirmez\u00a0:
{stop}
""",
        ),
    },
}
_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}

INVITED = {
    "en": (
        "Your invite to {server}",
        """You asked to be told when {server} opens. It is in a beta, and you are invited: this link lets one person in.

{home}

The code in it is {code}. This is the only mail about it; your wish is forgotten now.
""",
    ),
    "fr": (
        "Votre invitation à {server}",
        """Vous avez demandé à savoir quand {server} ouvrirait. Le service est en bêta et vous y êtes invité\u00a0: ce lien laisse entrer une personne.

{home}

Son code est {code}. C\u2019est le seul message à ce sujet\u00a0; votre demande est maintenant oubliée.
""",
    ),
}


class AddressRefused(Exception):
    """The mail server says for good that there is no such address, or that it takes nothing for it."""


class MailFailed(Exception):
    """It did not go out, or nobody knows whether it did; it may later."""


def day(at_ms: int, language: str) -> str:
    """A day as a mail says it: 29 November 2026."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    number = "1er" if (language, at.day) == ("fr", 1) else str(at.day)
    return f"{number} {_MONTHS[language][at.month - 1]} {at.year}"


def in_language(words: Mapping[str, str], language: str) -> str:
    """Words of the operator's in a language, or in one there is; in one line."""
    return " ".join((words.get(language) or words.get("en") or next(iter(words.values()), "")).split())


@dataclass(frozen=True, slots=True)
class Mailer:
    """Speaks to one mail server: ``smtps://user:password@host:465``, or ``smtp://host:25`` with STARTTLS where offered."""

    url: str = field(repr=False)
    sender: str
    server_name: str

    async def send(
        self, to: str, text: tuple[str, str], *, id_: str, stop: str | None = None, **words: object
    ) -> None:
        """Sends one mail. ``id_`` is the same for each try of the same mail. Raises AddressRefused or MailFailed."""
        message = self._message(to, text, id_=id_, stop=stop, words=words)
        await asyncio.to_thread(self._hand_over, message)

    def _message(
        self, to: str, text: tuple[str, str], *, id_: str, stop: str | None, words: dict[str, object]
    ) -> EmailMessage:
        message = EmailMessage(_UNFOLDED)
        said = {"server": self.server_name, "stop": stop, **words}
        message["Subject"] = text[0].format(**said)
        message["From"] = Address("Restante", addr_spec=self.sender)
        message["To"] = Address(addr_spec=to)
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{id_}@{self.server_name}>"
        message["Auto-Submitted"] = "auto-generated"
        if stop is not None:
            message["List-Unsubscribe"] = f"<{stop}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text[1].format(**said))
        return message

    def probe(self) -> None:
        """Goes as far as the mail server takes us, and sends nothing. Blocks. Raises MailFailed."""
        self._hand_over(None)

    def _hand_over(self, message: EmailMessage | None) -> None:
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "localhost", ssl.create_default_context()
        try:
            with _connected(parts.scheme, host, parts.port, secure) as connection:
                connection.ehlo()
                if parts.scheme == "smtp" and connection.has_extn("starttls"):
                    connection.starttls(context=secure)
                if parts.username:
                    connection.login(unquote(parts.username), unquote(parts.password or ""))
                if message is None:
                    connection.noop()
                else:
                    connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise (AddressRefused if min(codes) >= 500 else MailFailed)(str(codes)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(type(error).__name__) from error


def _connected(scheme: str, host: str, port: int | None, secure: ssl.SSLContext) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=WITHIN_S, context=secure)
    return smtplib.SMTP(host, port or 25, timeout=WITHIN_S)
