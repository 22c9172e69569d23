/** What goes on wherever the person is: the inbox is counted, what was sent is brought up. */

import { DraftsState } from "../state/drafts.svelte";
import type { House } from "../state/house.svelte";
import { InboxState } from "../state/inbox.svelte";
import { NotesState } from "../state/notes.svelte";
import { NoticesState } from "../state/notices.svelte";
import { SendingState } from "../state/sending.svelte";
import { dropArchives } from "../storage/archive";

export function startParts(house: House): void {
  if (house.signal.aborted) return;
  void dropArchives().catch(() => undefined); // what an export left behind that was interrupted
  for (const Kind of [InboxState, DraftsState, SendingState, NotesState, NoticesState])
    house.part<InboxState | DraftsState | SendingState | NotesState | NoticesState>(Kind);
}
