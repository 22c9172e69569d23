"""The capacity model: what a number of message-minutes a year asks of an installation. Formulas only; pure.

Their explanation stands in docs/concepts/capacity.md, by the same names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.capacity.measured import Costs

YEAR_S = 365 * 86_400
COUNTRY = 167e9
"""Message-minutes a year that the largest installation carries: 318,000 in every minute."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do: assumed, every one of them."""

    minutes_a_year: float = 600.0
    """Of one person: 167 billion over 278 million people."""
    message_minutes: float = 1.0
    views: float = 1.3
    recipients: float = 1.1
    busiest: float = 3.0
    """Busiest hour of the year over the mean."""
    open_share: float = 0.1
    """Of all people, with an open live channel in the busiest hour."""
    visits_a_day: float = 4.0
    visit_requests: float = 3.0
    kept_days: float = 90.0
    piece_bytes: float = 262_144.0
    direct: float = 0.0
    """Share of the views that are read from the bucket; the nodes pass the others on, as a server does that is not told otherwise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one part of an installation carries; measured ones say so in capacity.md, the rest are assumed."""

    use: float = 0.6
    """Share of a core or a line that is planned for: the rest is for bursts and for neighbours that fail."""
    node_memory: float = 4 * 2**30
    node_line: float = 1e9 / 8
    """Bytes a second."""
    node_connections: float = 8192
    disk: float = 2e12
    house_writes_s: float = 1000.0
    shard_cores: float = 8.0
    """Of one PostgreSQL primary; that it makes use of them as of two is assumed."""
    shard_bytes: float = 2e12
    shard_connections: float = 400.0
    """Connections to one PostgreSQL server, of all nodes together; each node keeps ten."""
    notify_s: float = 5000.0
    """Notifications a second of PostgreSQL before NOTIFY holds up commits."""
    bus_s: float = 100_000.0
    """Messages a second of one NATS server: a prototype's 122,000."""
    site_line: float = 100e9 / 8
    objects: float = 1e10
    """Of one bucket that a sweep for orphans can still list, at 1,000 a request and 100 requests a second, in about a day."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Assumed, in euro: rented machines in Europe, S3 by the list of a large provider or on own disks."""

    core_hour: float = 0.02
    gigabyte_month: float = 0.02
    gigabyte_out: float = 0.01
    million_puts: float = 5.0
    shard_hour: float = 0.50


@dataclass(frozen=True, slots=True)
class Demand:
    """In the busiest hour, unless it says otherwise."""

    minutes_a_year: float
    people: float
    minutes_s: float
    """Message-minutes recorded in a second."""
    recording: float
    """Uploads under way: each takes as long as what it carries."""
    channels: float
    pieces_s: float
    bytes_in_s: float
    bytes_out_s: float
    node_out_s: float
    """What of it the nodes pass on."""
    visits_s: float
    """Requests of visits in a second."""
    hints_s: float
    stored: float
    rows: float
    """Bytes of the database."""


def demand(minutes_a_year: float, habits: Habits, costs: Costs) -> Demand:
    people = minutes_a_year / habits.minutes_a_year
    peak = minutes_a_year / YEAR_S * habits.busiest
    kept = minutes_a_year * habits.kept_days / 365
    bytes_in = peak * costs.minute_bytes
    return Demand(
        minutes_a_year=minutes_a_year,
        people=people,
        minutes_s=peak,
        recording=peak * 60,
        channels=people * habits.open_share,
        pieces_s=bytes_in / habits.piece_bytes,
        bytes_in_s=bytes_in,
        bytes_out_s=bytes_in * habits.views,
        node_out_s=bytes_in * habits.views * (1 - habits.direct * costs.bucket_share),
        visits_s=people * habits.visits_a_day * habits.visit_requests / 86_400 * habits.busiest,
        hints_s=peak / habits.message_minutes * (habits.recipients + 2),
        stored=kept * costs.minute_bytes,
        rows=kept / habits.message_minutes * habits.recipients * costs.row_bytes,
    )


def writes_s(of: Demand, habits: Habits, *, fleet: bool) -> float:
    """Transactions: creation, finish, send, two marks, expiry; on PostgreSQL each piece moves the offset by one too."""
    return of.minutes_s / habits.message_minutes * 6 + (of.pieces_s if fleet else 0.0)


def cpu_parts(of: Demand, habits: Habits, costs: Costs, *, fleet: bool) -> dict[str, float]:
    """Cores that are busy, by what with."""
    parts = {
        "pieces": of.pieces_s * costs.piece_s,
        "bytes in": of.bytes_in_s * costs.up_s_per_byte,
        "bytes out": of.node_out_s * costs.down_s_per_byte,
        "messages": of.minutes_s / habits.message_minutes * costs.exchange_s,
        "visits": of.visits_s * costs.visit_request_s,
        "channels": of.channels * costs.channel_s,
    }
    if fleet:
        parts["PostgreSQL, S3"] = writes_s(of, habits, fleet=True) * costs.write_s + of.pieces_s * costs.put_s
    return parts


def database_cores(of: Demand, habits: Habits, costs: Costs) -> float:
    """Of PostgreSQL that are busy."""
    return (
        of.pieces_s * costs.database_piece_s
        + of.minutes_s / habits.message_minutes * costs.database_exchange_s
    )


def memory(of: Demand, costs: Costs) -> float:
    """Bytes beyond the idle server's."""
    return of.recording * costs.upload_bytes + of.channels * costs.channel_bytes


def house_limits(of: Demand, habits: Habits, costs: Costs, limits: Limits) -> dict[str, float]:
    """One machine with the embedded engines: how much of each thing is used, 1 where it breaks."""
    return {
        "disk": of.stored / limits.disk,
        "connections": (of.channels + of.recording) / limits.node_connections,
        "processor": sum(cpu_parts(of, habits, costs, fleet=False).values()) / limits.use,
        "line": of.node_out_s / (limits.node_line * limits.use),
        "memory": (costs.idle_bytes + memory(of, costs)) / limits.node_memory,
        "writer": writes_s(of, habits, fleet=False) / (limits.house_writes_s * limits.use),
    }


def fleet_limits(of: Demand, habits: Habits, costs: Costs, limits: Limits) -> dict[str, float]:
    """Many nodes around one of each thing: how much of that one is used, 1 where it breaks."""
    cores = sum(cpu_parts(of, habits, costs, fleet=True).values())
    objects = of.stored / costs.minute_bytes * (costs.minute_bytes / habits.piece_bytes)
    return {
        "one node": cores / limits.use,
        "one primary": database_cores(of, habits, costs) / (limits.shard_cores * limits.use),
        "its disk": of.rows / limits.shard_bytes,
        "its connections": cores / limits.use * 10 / limits.shard_connections,
        "NOTIFY": of.hints_s / limits.notify_s,
        "listing one bucket": objects / limits.objects,
        "one NATS server": of.hints_s / limits.bus_s,
        "the line of one site": of.bytes_out_s / (limits.site_line * limits.use),
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """An installation that carries a demand, and what it costs."""

    demand: Demand
    fleet: bool
    nodes: int
    binding: str
    """What decides the number of nodes."""
    shards: int
    cents: dict[str, float]
    """Per message-minute."""

    @property
    def cost(self) -> float:
        return sum(self.cents.values())


def plan(minutes_a_year: float, habits: Habits, costs: Costs, limits: Limits, prices: Prices) -> Plan:
    """The smallest installation; two nodes and one to spare as soon as one machine does not do."""
    of = demand(minutes_a_year, habits, costs)
    fleet = max(house_limits(of, habits, costs, limits).values()) > 1
    if not fleet:
        return Plan(of, fleet, 1, "none", 0, _cents(of, 1, 0, habits, prices, fleet=False))
    per_node = {
        "processor": sum(cpu_parts(of, habits, costs, fleet=True).values()) / limits.use,
        "line": of.node_out_s / (limits.node_line * limits.use),
        "connections": (of.channels + of.recording) / limits.node_connections,
        "memory": memory(of, costs) / (limits.node_memory - costs.idle_bytes),
    }
    binding, needed = max(per_node.items(), key=lambda pair: pair[1])
    shards = _up(
        max(
            database_cores(of, habits, costs) / (limits.shard_cores * limits.use),
            of.rows / limits.shard_bytes,
        )
    )
    nodes = max(2, _up(needed) + max(1, _up(needed * 0.02)))
    return Plan(of, fleet, nodes, binding, shards, _cents(of, nodes, shards, habits, prices, fleet=True))


def _cents(
    of: Demand, nodes: int, shards: int, habits: Habits, prices: Prices, *, fleet: bool
) -> dict[str, float]:
    year = of.minutes_a_year
    mean = of.minutes_a_year / YEAR_S / of.minutes_s
    out_year = of.bytes_out_s * mean * YEAR_S
    pieces_year = of.pieces_s * mean * YEAR_S
    euro = {
        "nodes": nodes * (1 if fleet else 2) * prices.core_hour * 8760,
        "database": shards * 2 * prices.shard_hour * 8760,
        "storage": of.stored / 1e9 * prices.gigabyte_month * 12,
        "line": out_year / 1e9 * prices.gigabyte_out,
        "requests to S3": pieces_year / 1e6 * prices.million_puts if fleet else 0.0,
    }
    return {name: amount * 100 / year for name, amount in euro.items()}


Use = Callable[[Demand, Habits, Costs, Limits], dict[str, float]]


def breaks_at(use: Use, habits: Habits, costs: Costs, limits: Limits) -> list[tuple[str, float]]:
    """Message-minutes a year at which each thing is used up, the first first. All of them grow with the demand, save what is there anyway."""

    def used(minutes: float, name: str) -> float:
        return use(demand(minutes, habits, costs), habits, costs, limits)[name]

    names = use(demand(1.0, habits, costs), habits, costs, limits)
    return sorted(((name, _where(name, used)) for name in names), key=lambda pair: pair[1])


def _where(name: str, used: Callable[[float, str], float]) -> float:
    low, high = 1.0, 1e15
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if used(middle, name) < 1 else (low, middle)
    return high


def _up(number: float) -> int:
    return -int(-number // 1)
