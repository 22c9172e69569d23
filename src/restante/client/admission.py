"""What lets a sign-up in where the server does not let in everybody: an invite, or a mail address that is proved; and a country.

>>> code = "abcd-efgh-ijkl-mnop"
>>> Admission(invite=f"https://post.example/sign-up#ticket={code}", country="gb").checked().invite
'abcd-efgh-ijkl-mnop'
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from restante.client.errors import BadCountry, BadInvite, ServerProblem, printable
from restante.client.http import Session
from restante.protocol.wire_availability import Admitted, AskCode, CodeSent, ShowCode, SignUpPolicy
from restante.protocol.wire_push import Language

_CODES, _TICKETS = "/api/v1/sign-up/codes", "/api/v1/sign-up/tickets"
_LINK = "#ticket="
_INVITE = re.compile(r"[a-z2-7]{16}\Z", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_TRIES = 3
_INVITED = "Ask its operator for an invite, then: --invite CODE."
_HINTS: dict[SignUpPolicy, str] = {
    "invite": _INVITED,
    "domains": "--mail ADDRESS proves that you have an address of its operator's; an invite lets in, too: --invite CODE.",
    "provider": "Make the account in a browser, then let this device in by `restante pair`; or ask its operator for an invite: --invite CODE.",
}


def _nobody_to_ask(mail: str, *, again: bool) -> str:
    raise NotImplementedError("`ask` is needed with `mail`")


@dataclass(frozen=True, slots=True)
class Admission:
    """What there is to show. ``ask(mail, again=…)`` asks the person for the eight digits that were sent; ``again``: those before were wrong."""

    invite: str | None = None
    """Its code or its link."""
    mail: str | None = None
    country: str | None = None
    language: Language = "en"
    """Of the mail with the code."""
    ask: Callable[..., str] = _nobody_to_ask

    def checked(self) -> "Admission":
        """As the server reads it, before anything is sent. Raises BadInvite or BadCountry."""
        invite, country = self.invite, self.country
        if invite is not None:
            invite = invite.rpartition(_LINK)[2].strip()
            if not _INVITE.match("".join(invite.split()).replace("-", "")):
                raise BadInvite
        if country is not None and not _COUNTRY.match(country := country.strip().upper()):
            raise BadCountry
        return replace(self, invite=invite, country=country)

    def ticket(self, session: Session) -> str | None:
        """The ticket of one sign-up; None when there is nothing to show. Raises ServerProblem."""
        if self.invite is not None or self.mail is None:
            return self.invite
        try:
            sent = session.post(_CODES, AskCode(self.mail, self.language), CodeSent)
        except ServerProblem as problem:
            if problem.code == "wrong-domain" and problem.problem.detail:
                problem.hint = f"Use an address of {printable(problem.problem.detail)}."
            if problem.code == "invalid":
                problem.hint = "A mail address is like ann@post.example."
            if problem.code == "mail-unavailable":
                problem.hint = "This server asks for no mail address at a sign-up: leave out --mail."
            raise
        return self._proved(session, self.mail, sent)

    def _proved(self, session: Session, mail: str, sent: CodeSent) -> str:
        wrong = None
        for tried in range(_TRIES):
            form = ShowCode(mail, self.ask(mail, again=tried > 0), sent.expires_at)
            try:
                return session.post(_TICKETS, form, Admitted).ticket
            except ServerProblem as problem:
                if problem.code != "wrong-code":
                    raise
                wrong = problem
        assert wrong is not None
        raise wrong


NOTHING = Admission()


def explain_refusal(problem: ServerProblem, policy: SignUpPolicy) -> None:
    """Puts the way out beside a refused sign-up, as a terminal has it."""
    if problem.code == "ticket-needed":
        problem.hint = _HINTS.get(policy, problem.hint)
    elif problem.code == "not-available-yet":
        problem.hint = "If it is open where you are at home, say so: --country GB. An invite lets into a beta: --invite CODE."
