import { mount } from "svelte";
import { language } from "../screens/language.svelte";
import Sprite from "../ui/Sprite.svelte";
import "../ui/ui.css";
import { BOOTH } from "./booth";
import { DESK } from "./desk";
import { DESK_PAGES } from "./desk-pages";
import { DESK_PLANS } from "./desk-plans";
import type { Exhibit } from "./exhibit";
import { FIRST_RUN } from "./first-run";
import { GATE } from "./gate";
import { HOUSE } from "./house";
import { KEYS } from "./keys";
import { LINKS_SHOWN } from "./links";
import { MAIL } from "./mail";
import { MINE } from "./mine";
import { PAGES } from "./pages";
import { PAIRING } from "./pairing";
import { PLAN } from "./plan";
import { TALK } from "./talk";
import { TOLD } from "./told";
import { WAYS_IN } from "./ways";

const EXHIBITS: Record<string, Exhibit> = {
  ...GATE,
  ...DESK,
  ...DESK_PAGES,
  ...DESK_PLANS,
  ...BOOTH,
  ...MAIL,
  ...TALK,
  ...LINKS_SHOWN,
  ...PAGES,
  ...HOUSE,
  ...MINE,
  ...TOLD,
  ...WAYS_IN,
  ...KEYS,
  ...PAIRING,
  ...FIRST_RUN,
  ...PLAN,
};

/** The list of what there is, as links. */
const index: Exhibit = (target) => {
  const links = Object.keys(EXHIBITS).map((name) => {
    const line = document.createElement("p");
    const link = line.appendChild(document.createElement("a"));
    link.href = `#${name}`;
    link.textContent = name;
    return line;
  });
  target.replaceChildren(...links);
  return Promise.resolve(() => Promise.resolve(target.replaceChildren()));
};

const target = document.querySelector<HTMLElement>("#app");
if (!target) throw new Error("gallery.html has no #app");
mount(Sprite, { target: document.body });
let leave = (): Promise<void> => Promise.resolve();

/** `gallery.html?lang=fr#watch/ready`: another part behind the # changes the screen without loading the page anew. */
async function show(place: HTMLElement): Promise<void> {
  const name = location.hash.slice(1);
  await leave();
  language.choose(new URLSearchParams(location.search).get("lang") ?? "en");
  leave = await (EXHIBITS[name] ?? index)(place);
  scrollTo(0, 0);
  document.body.dataset["shown"] = name;
}

addEventListener("hashchange", () => void show(target));
void show(target);
