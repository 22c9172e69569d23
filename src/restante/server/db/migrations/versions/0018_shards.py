"""What an account asks for lies with the account: copies know their message, senders their deliveries.

Whoever still runs the release before writes neither. Triggers do it for them, and go with the release that contracts.
"""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
FACTS: dict[str, Any] = {
    'sender_id': BIG,
    'kind': sa.Text(),
    'upload_id': sa.Text(),
    'video_bytes': BIG,
    'details_sha256': sa.LargeBinary(),
    'expires_at': BIG,
    'until_played': sa.Integer(),
    'may_forward': sa.Integer(),
    'by_caller': sa.Integer(),
    'quarantined_at': BIG,
    'quarantine_reason': sa.Text(),
}
SOURCE = ', '.join('account_id' if name == 'sender_id' else name for name in FACTS)
FILL = f"UPDATE envelopes SET ({', '.join(FACTS)}) = (SELECT {SOURCE} FROM messages WHERE messages.id = envelopes.message_id)"  # noqa: S608 - made of names that stand above
TOLD = ('fetched_at', 'played_at', 'deleted_at', 'quiet', 'delivery_receipt', 'play_receipt')
DELIVER = (
    'INSERT INTO deliveries (message_id, account_id, recipient_id, is_hidden, forwarded_by, {told})'
    " SELECT e.message_id, m.account_id, e.account_id, CASE e.box WHEN 'hidden' THEN 1 ELSE 0 END, e.forwarded_by, {told_of_e}"
    " FROM envelopes AS e JOIN messages AS m ON m.id = e.message_id WHERE e.box <> 'sent'"
).format(told=', '.join(TOLD), told_of_e=', '.join(f'e.{name}' for name in TOLD))
TRIGGERS = {
    'copies_arrive': (
        'INSERT ON envelopes',
        'NEW.sender_id IS NULL',
        f'{FILL} WHERE message_id = NEW.message_id AND account_id = NEW.account_id AND box = NEW.box;'
        f' {DELIVER} AND e.message_id = NEW.message_id AND e.account_id = NEW.account_id AND e.box = NEW.box;',
    ),
    'copies_tell': (
        f"UPDATE OF {', '.join(TOLD)} ON envelopes",
        "NEW.box <> 'sent'",
        f"UPDATE deliveries SET {', '.join(f'{name} = NEW.{name}' for name in TOLD)}"  # noqa: S608 - likewise
        ' WHERE message_id = NEW.message_id AND account_id = NEW.sender_id AND recipient_id = NEW.account_id;',
    ),
    'copies_follow': (
        'UPDATE OF expires_at, quarantined_at, quarantine_reason ON messages',
        None,
        'UPDATE envelopes SET expires_at = NEW.expires_at, quarantined_at = NEW.quarantined_at,'
        ' quarantine_reason = NEW.quarantine_reason WHERE message_id = NEW.id;',
    ),
    'events_end': (
        'DELETE ON events',
        f'OLD.created_at < {time.time_ns() // 1_000_000}',  # by a sweep of the release before, and not what a send takes back
        'INSERT INTO event_ends (account_id, forgotten_id) SELECT id, OLD.id FROM accounts WHERE id = OLD.account_id'
        ' AND NOT EXISTS (SELECT 1 FROM event_ends WHERE account_id = OLD.account_id AND forgotten_id >= OLD.id)'
        ' ON CONFLICT (account_id) DO UPDATE SET forgotten_id = excluded.forgotten_id;',
    ),
    'keys_belong': (
        'INSERT ON idempotency_keys',
        'NEW.account_id = 0',
        'UPDATE idempotency_keys SET account_id = coalesce((SELECT account_id FROM sessions WHERE id = NEW.session_id), 0)'
        ' WHERE session_id = NEW.session_id AND key = NEW.key;',
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':  # in the order in which a send takes them
        op.execute('LOCK TABLE idempotency_keys, messages, events, envelopes, outbox IN ACCESS EXCLUSIVE MODE')
    for name, kind in FACTS.items():
        op.add_column('envelopes', sa.Column(name, kind, nullable=True, comment='as in the message'))
    op.create_table('deliveries',
    sa.Column('message_id', sa.Text(), nullable=False, comment="which of the account's messages"),
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('recipient_id', BIG, nullable=False, comment='who has or had a copy of it'),
    sa.Column('is_hidden', sa.Integer(), nullable=False, comment='1: the recipient had blocked who left it, and sees nothing of it'),
    sa.Column('fetched_at', BIG, nullable=True, comment="as in the recipient's copy; so are the next five"),
    sa.Column('played_at', BIG, nullable=True, comment='first play'),
    sa.Column('deleted_at', BIG, nullable=True, comment='tombstone'),
    sa.Column('quiet', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='1: the sender is not shown the two times before'),
    sa.Column('delivery_receipt', sa.LargeBinary(), nullable=True, comment='signed by the recipient, for the sender'),
    sa.Column('play_receipt', sa.LargeBinary(), nullable=True, comment='likewise'),
    sa.Column('forwarded_by', BIG, nullable=True, comment='account that passed the message on to this one'),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_deliveries_message_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_deliveries_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['recipient_id'], ['accounts.id'], name=op.f('fk_deliveries_recipient_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', 'account_id', 'recipient_id', name=op.f('pk_deliveries')),
    sqlite_strict=True
    )
    op.create_index(op.f('ix_deliveries_recipient_id'), 'deliveries', ['recipient_id'])
    op.create_table('event_ends',
    sa.Column('account_id', BIG, nullable=False, comment='whose row it is'),
    sa.Column('forgotten_id', BIG, nullable=False, comment='newest of its events that the sweep has removed'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_event_ends_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_event_ends')),
    sqlite_strict=True
    )
    op.add_column('idempotency_keys', sa.Column('account_id', BIG, server_default=sa.text('0'), nullable=False, comment='whose session it is'))
    op.create_index(op.f('ix_idempotency_keys_account_id'), 'idempotency_keys', ['account_id'])
    op.add_column('outbox', sa.Column('account_id', BIG, nullable=True, comment='whose it is, where that tells the shard'))
    op.execute(FILL)
    op.execute(DELIVER)
    op.execute('INSERT INTO event_ends (account_id, forgotten_id) SELECT id, (SELECT min(id) - 1 FROM events) FROM accounts WHERE EXISTS (SELECT 1 FROM events)')
    op.execute('UPDATE idempotency_keys SET account_id = coalesce((SELECT account_id FROM sessions WHERE sessions.id = idempotency_keys.session_id), 0)')
    for name, (event, when, body) in TRIGGERS.items():
        _trigger(name, event, when, body)


def _trigger(name: str, event: str, when: str | None, body: str) -> None:
    condition = f' WHEN ({when})' if when else ''
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(f'CREATE TRIGGER {name} AFTER {event} FOR EACH ROW{condition} BEGIN {body} END')
        return
    op.execute(f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$')
    op.execute(f'CREATE TRIGGER {name} AFTER {event} FOR EACH ROW{condition} EXECUTE FUNCTION {name}()')
