"""The part of the schema about who may sign up and send from where, and by what tickets accounts were let in."""

from sqlalchemy import ForeignKey, Integer, LargeBinary, Text, UniqueConstraint

from restante.server.db.shapes import Big, a_column, a_table, an_account

account_countries = a_table(
    "account_countries",
    an_account(primary_key=True),
    a_column("country", Text, "where the account is at home, as ISO 3166-1 writes it"),
    a_column("source", Text, "who said so: declared, proxy or database"),
    a_column("created_at", Big, "when it was noted"),
)

waiting = a_table(
    "waiting",
    a_column("id", Big, "never reused", primary_key=True, autoincrement=True),
    a_column(
        "account_id",
        Big,
        "who asked; null: somebody without an account",
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=True,
        unique=True,
    ),
    a_column(
        "mail", Text, "where somebody without an account is written to, once", nullable=True, unique=True
    ),
    a_column("language", Text, "en or fr"),
    a_column("country", Text, "where they are, if it is known", nullable=True),
    a_column("platform", Text, "what they asked on"),
    a_column("created_at", Big, "when they asked"),
    a_column("told_at", Big, "when it opened; the row goes when the mail has gone out", nullable=True),
    sqlite_autoincrement=True,
)

invites = a_table(
    "invites",
    a_column("id", Text, "inv_…", primary_key=True),
    a_column("code_sha256", LargeBinary, "SHA-256 of the code; the code is never stored", unique=True),
    a_column("note", Text, "the operator's own word for it"),
    a_column("most_uses", Integer, "how many it lets in"),
    a_column("uses", Integer, "how many it has let in"),
    a_column("created_at", Big, "when it was made"),
    a_column("expires_at", Big, "lets nobody in from then on", nullable=True),
    a_column("revoked_at", Big, "when the operator took it back", nullable=True),
)

admissions = a_table(
    "admissions",
    an_account(primary_key=True),
    a_column(
        "kind",
        Text,
        "by what: invite, mail or provider; linked: an identity that came later",
        primary_key=True,
    ),
    a_column(
        "subject", Text, "which use of which invite; keyed hash of an address, or of whom a provider names"
    ),
    a_column("created_at", Big, "when the ticket was shown"),
    UniqueConstraint("kind", "subject"),
)
