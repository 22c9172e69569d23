"""The part of the schema about plans: what accounts hold and used. Empty where everything is free."""

from sqlalchemy import Index, Integer, Text, UniqueConstraint, text

from restante.server.db.shapes import Big, a_column, a_table, an_account

customers = a_table(
    "customers",
    an_account(primary_key=True),
    a_column("provider", Text, "stripe or manual"),
    a_column("customer", Text, "what the payment provider calls the account"),
    a_column("created_at", Big, "when it was made known there"),
    a_column("checked_at", Big, "when the provider was last asked", index=True),
    UniqueConstraint("provider", "customer"),
)

subscriptions = a_table(
    "subscriptions",
    a_column("id", Text, "what the payment provider calls it", primary_key=True),
    an_account(index=True),
    a_column("plan", Text, "id of a plan of the operator's file"),
    a_column("begins_at", Big, "begin of the period that runs"),
    a_column("ends_at", Big, "end of the period that runs"),
    a_column("renews", Integer, "0: the person ended it, and it lasts to the end of the period"),
    a_column("unpaid_since_at", Big, "since when a payment is missing", nullable=True),
    a_column("ended_at", Big, "when it was over for good", nullable=True),
    a_column(
        "told", Text, "what its owner was told last: late, soon, ended, or empty", server_default=text("''")
    ),
    a_column("notice_at", Big, "when there may be something to tell", nullable=True, index=True),
)

grants = a_table(
    "grants",
    a_column("id", Text, "grt_…", primary_key=True),
    an_account(),
    a_column("plan", Text, "id of a plan that is given, or empty"),
    a_column("messages", Integer, "messages that are given besides"),
    a_column("begins_at", Big, "from when on"),
    a_column("ends_at", Big, "until when", nullable=True),
    a_column("source", Text, "operator, or manual for a payment that the operator recorded"),
    a_column("reference", Text, "of the payment: it counts once", nullable=True),
    a_column("reason", Text, "the operator's words"),
    a_column("created_at", Big, "when it was given"),
    Index("ix_grants_account_id_begins_at", "account_id", "begins_at"),
    UniqueConstraint("source", "reference"),
)

plan_usage = a_table(
    "plan_usage",
    an_account(primary_key=True),
    a_column("allowance", Text, "what gives the messages: start, paid or grant, and which", primary_key=True),
    a_column("begins_at", Big, "begin of the time in which they are counted", primary_key=True),
    a_column("messages", Big, "messages sent"),
)
