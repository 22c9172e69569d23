import { mount } from "svelte";
import App from "./App.svelte";
import { language } from "./screens/language.svelte";
import { keepShell } from "./shell";
import { Choices } from "./state/choices.svelte";
import { Session } from "./state/session.svelte";
import "./ui/ui.css";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
const choices = new Choices(language.locale, (chosen) => language.choose(chosen));
const session = new Session({ choices });
void session.restore();
mount(App, { target, props: { session, choices } });

if (import.meta.env.PROD) {
  addEventListener("load", () => {
    void keepShell((version) => dispatchEvent(new CustomEvent("restante:new-version", { detail: version })));
  });
}
