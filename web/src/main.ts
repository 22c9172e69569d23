import { mount } from "svelte";
import App from "./App.svelte";
import { startCrypto, type CryptoService } from "./crypto/service";
import { language } from "./screens/language.svelte";
import { keepShell } from "./shell";
import { Choices } from "./state/choices.svelte";
import { Session } from "./state/session.svelte";
import "./ui/ui.css";

/** Guest links and answering pages. */
const BY_LINK = /^\/(?:m\/|@)/;

/** Who comes by a link needs it in any case: it starts while their screen is still on its way. */
function startedAhead(): () => CryptoService {
  const ahead = [startCrypto()];
  return () => ahead.pop() ?? startCrypto();
}

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
const choices = new Choices(language.locale, (chosen) => language.choose(chosen));
const session = new Session({ choices, ...(BY_LINK.test(location.pathname) && { startCrypto: startedAhead() }) });
void session.restore();
mount(App, { target, props: { session, choices } });

if (import.meta.env.PROD) {
  addEventListener("load", () => {
    void keepShell((version) => dispatchEvent(new CustomEvent("restante:new-version", { detail: version })));
  });
}
