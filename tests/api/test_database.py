"""The threads that talk to the database: they all end, in whatever order they hear that they shall."""

import queue
import threading
import time

from restante.server.db.engine import Database, sqlite_engine, sqlite_readers


class LateReturn(queue.SimpleQueue):
    """Comes back from `put` when who waited has already gone, as on a busy machine."""

    def put(self, item: object, *rest: object) -> None:
        super().put(item)
        time.sleep(0.02)


def test_a_stop_ends_each_thread_whichever_reader_hears_it_first(tmp_path):
    database = Database(sqlite_engine(tmp_path / "db"), sqlite_readers(tmp_path / "db", count=8))
    database._reads = LateReturn()
    database.start()
    stopping = threading.Thread(target=database.stop, daemon=True)
    stopping.start()
    stopping.join(timeout=20)
    assert [thread.name for thread in database._reading if thread.is_alive()] == []
    assert not stopping.is_alive()
