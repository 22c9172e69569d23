"""Which blobs nobody needs: judged in two passes, far enough apart that nothing in progress can look like one."""

from restante.protocol.limits import ORPHAN_GRACE


class Orphans:
    """Remembers since when, in monotonic seconds, each blob has been without a row; a restart forgets."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}

    def look(self, without_row: set[str], *, now_s: float) -> list[str]:
        """Takes one pass's findings; returns what an earlier pass, an hour ago or more, found as well."""
        self._since_s = {blob_id: self._since_s.get(blob_id, now_s) for blob_id in without_row}
        grace_s = ORPHAN_GRACE.total_seconds()
        doomed = [blob_id for blob_id, since_s in self._since_s.items() if now_s - since_s >= grace_s]
        for blob_id in doomed:
            del self._since_s[blob_id]
        return doomed
