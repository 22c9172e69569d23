import { mount } from "svelte";
import { language } from "../screens/language.svelte";
import Sprite from "../ui/Sprite.svelte";
import "../ui/ui.css";
import { BOOTH } from "./booth";
import type { Exhibit } from "./exhibit";
import { GATE } from "./gate";
import { HOUSE } from "./house";
import { MAIL } from "./mail";

const EXHIBITS: Record<string, Exhibit> = { ...GATE, ...BOOTH, ...MAIL, ...HOUSE };

/** The list of what there is, as links that tests follow too. */
function index(target: HTMLElement): void {
  for (const name of Object.keys(EXHIBITS)) {
    const link = document.createElement("a");
    link.href = `?show=${name}`;
    link.textContent = name;
    const line = document.createElement("p");
    line.append(link);
    target.append(line);
  }
}

const asked = new URLSearchParams(location.search);
const target = document.querySelector<HTMLElement>("#app");
if (!target) throw new Error("gallery.html has no #app");
mount(Sprite, { target });
language.choose(asked.get("lang") ?? "en");
(EXHIBITS[asked.get("show") ?? ""] ?? index)(target);
