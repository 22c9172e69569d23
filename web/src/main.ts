import { mount } from "svelte";
import App from "./App.svelte";
import { keepShell } from "./shell";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
mount(App, { target });

if (import.meta.env.PROD) {
  addEventListener("load", () => {
    void keepShell((version) => dispatchEvent(new CustomEvent("restante:new-version", { detail: version })));
  });
}
