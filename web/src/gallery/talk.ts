import Conversation from "../screens/conversation/Conversation.svelte";
import type { ConversationProps, LineView } from "../screens/conversation/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, PEOPLE, STAMPS, ago, frame } from "./people";

const line = (id: string, more: Partial<LineView>): LineView => ({
  id,
  isMine: false,
  at: ago(60),
  kind: "text",
  text: "",
  picture: null,
  durationMs: 0,
  failure: null,
  deliveredAt: null,
  playedAt: null,
  answers: null,
  reactions: [],
  isGoing: false,
  ...more,
});
const MANGOES = line("a", {
  kind: "video",
  text: "Good morning from Lagos, the mangoes are ripe",
  picture: STAMPS.ann,
  durationMs: 102_000,
  at: DAYS_AGO(2),
  playedAt: DAYS_AGO(1),
  reactions: [{ isMine: true, text: "❤️" }],
});
const LINES: LineView[] = [
  MANGOES,
  line("b", {
    isMine: true,
    kind: "video",
    picture: STAMPS.claire,
    durationMs: 47_000,
    at: DAYS_AGO(1),
    deliveredAt: ago(900),
    playedAt: ago(300),
    answers: { id: "a", words: MANGOES },
  }),
  line("c", { text: "They will ripen here too, by Sunday. Come and see.", at: ago(240), playedAt: ago(200) }),
  line("d", { isMine: true, text: "Six o’clock?", at: ago(20), answers: { id: "z", words: null } }),
];

const talk = (more: Partial<ConversationProps> = {}): Exhibit =>
  exhibit(Conversation, {
    frame: frame(1),
    person: PEOPLE.ann,
    state: { kind: "ready" },
    lines: LINES,
    answering: null,
    textBytes: 8192,
    refused: null,
    now: NOW,
    onback: nothing,
    onanswering: nothing,
    onwrite: async () => Promise.resolve(true),
    onreact: nothing,
    onrecord: nothing,
    onwatch: nothing,
    onagain: nothing,
    ondrop: nothing,
    onretry: nothing,
    ...more,
  });

export const TALK: Record<string, Exhibit> = {
  "with/loading": talk({ state: { kind: "loading" }, lines: [] }),
  "with/empty": talk({ lines: [], person: PEOPLE.joseph }),
  "with/ready": talk(),
  "with/answering": talk({ answering: MANGOES }),
  "with/offline": talk({
    frame: { ...frame(), offline: true },
    state: { kind: "offline" },
    lines: [...LINES, line("e", { isMine: true, text: "I am in the train", at: ago(1), isGoing: true })],
  }),
  "with/failed": talk({
    state: { kind: "failed", failure: { code: "server-unreachable" } },
    lines: [
      line("f", { kind: null, failure: { code: "details-swapped" } }),
      line("e", {
        isMine: true,
        text: "For you",
        at: ago(1),
        isGoing: true,
        failure: { code: "no-such-recipient" },
      }),
    ],
  }),
};
