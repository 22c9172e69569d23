"""The live house from the first page to the last, in both languages and both themes, as one person walks through it."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from tests.api.people import new_name
from tests.cli.person import Person
from tests.e2e.browsing import AXE, Visitors
from tests.e2e.mailbox import SIX_WORDS
from tests.e2e.mailing import NO_NOTES, eventually, small_clip
from tests.serving import ROOT, Server

MESSAGES = {
    language: json.loads((ROOT / "web" / "messages" / f"{language}.json").read_text())
    for language in ("en", "fr")
}
READABLE = """() => {
  const shown = [...document.querySelectorAll('body *')].filter(one => one.checkVisibility());
  const texts = shown.flatMap(one => [...one.childNodes].filter(each => each.nodeType === Node.TEXT_NODE));
  const named = ['aria-label', 'placeholder', 'title', 'alt', 'aria-description', 'aria-valuetext'];
  const said = shown.flatMap(one => named.map(name => one.getAttribute(name) ?? ''));
  return [document.title, ...texts.map(text => text.data), ...said].map(text => text.trim()).filter(Boolean);
}"""
"""All that can be read, or is read out."""
VIOLATIONS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, help, nodes }) => [id, help, nodes.map(node => node.target)]);
}"""
GO = """path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }"""
"""Changes the address as the browser's own buttons do, so that the page stays the same."""


HOLE = r"\{\w+\}"


def sentences(language: str) -> list[str]:
    """All messages; of those with several forms, each form."""
    said = [value for key, value in MESSAGES[language].items() if key != "$schema"]
    return [
        each for value in said for each in ([value] if isinstance(value, str) else value[0]["match"].values())
    ]


def pattern_of(message: str) -> re.Pattern[str]:
    return re.compile(r".+".join(map(re.escape, re.split(HOLE, message))))


def foreign_to(language: str) -> list[re.Pattern[str]]:
    """The sentences of the other language that are none of this one."""
    (other,) = set(MESSAGES) - {language}
    own = set(sentences(language))
    return [
        pattern_of(each) for each in sentences(other) if each not in own and len(re.sub(HOLE, "", each)) > 3
    ]


@dataclass
class Walk:
    """One page, looked at wherever it comes."""

    page: Page
    language: str
    found: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def say(self, key: str, **holes: object) -> str:
        """What stands on the screen for a message."""
        text: str = MESSAGES[self.language][key]
        return re.sub(r"\{(\w+)\}", lambda hole: str(holes[hole[1]]), text)

    def assert_fine(self) -> None:
        if self.found:
            raise AssertionError("\n".join(self.found))

    def go(self, path: str) -> None:
        self.page.evaluate(GO, path)
        self.page.wait_for_function("path => location.pathname === path", arg=path)

    def press(self, key: str, **holes: object) -> None:
        name, page = self.say(key, **holes), self.page
        button, link = (page.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        button.or_(link).first.click()

    def await_heading(self, key: str, **holes: object) -> None:
        self.page.get_by_role("heading", name=self.say(key, **holes)).first.wait_for()

    def look(self, name: str) -> None:
        """Notes what is wrong with the page as it stands, by day and by night."""
        self.seen.append(name)
        assert self.page.locator("html").get_attribute("lang") == self.language
        if not self.page.evaluate("() => 'axe' in globalThis"):
            self.page.evaluate(AXE.read_text())
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme=theme)
            self.found += [f"{name}, {theme}: {one}" for one in self.page.evaluate(VIOLATIONS)]
        foreign = foreign_to(self.language)
        for text in set(self.page.evaluate(READABLE)):
            if any(pattern.fullmatch(text) for pattern in foreign):
                self.found.append(f"{name}: not in this language: {text}")


def sign_up(walk: Walk, name: str) -> None:
    """The gate, step by step."""
    page = walk.page
    page.get_by_role("link", name=walk.say("welcome_open")).first.wait_for()
    walk.look("welcome")
    walk.press("welcome_sign_in")
    page.get_by_label(walk.say("signin_passphrase"), exact=True).wait_for()
    walk.look("sign in")
    walk.press("signin_none")
    page.get_by_label(walk.say("signup_address")).fill(name)
    walk.look("sign up by a touch")
    walk.press("signup_use_passphrase")
    page.get_by_text(SIX_WORDS).first.wait_for()
    walk.look("sign up")
    walk.press("go_on")
    walk.await_heading("signup_code")
    groups = page.get_by_role("list", name=walk.say("signup_code_label")).locator("li").all_inner_texts()
    walk.look("recovery code")
    walk.press("signup_written")
    walk.await_heading("signup_prove")
    walk.look("prove")
    for number, group in enumerate(groups, 1):
        fields = page.get_by_label(walk.say("signup_group", group=number), exact=True)
        if fields.count():
            fields.fill(group)
    walk.press("signup_finish")
    page.wait_for_url("**/inbox")


def leave_a_video(walk: Walk, to: str, caption: str) -> None:
    page = walk.page
    walk.go("/record")
    start = page.get_by_role("button", name=walk.say("record_start"), exact=True)
    start.wait_for()
    walk.look("record")
    start.click()
    stop = page.get_by_role("button", name=walk.say("record_stop"), exact=True)
    stop.wait_for()
    page.wait_for_function("() => /0:0[1-9]/.test(document.querySelector('main').innerText)")
    walk.look("recording")
    stop.click()
    page.wait_for_url("**/review/*")
    page.get_by_label(walk.say("review_caption")).fill(caption)
    walk.look("review")
    walk.press("picker_title")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(walk.say("people_address")).fill(to)
    dialog.get_by_role("button", name=walk.say("people_add"), exact=True).click()
    dialog.get_by_text(walk.say("people_added", name=to)).wait_for()
    walk.look("recipients")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    walk.press("review_send", names=to)
    walk.await_heading("sent_waits", names=to)
    walk.look("sent off")


def the_house(walk: Walk, message: str) -> None:
    """Every room, with somebody's mail in it."""
    page = walk.page
    for path, title in (
        ("/inbox", "nav_inbox"),
        ("/sent", "nav_sent"),
        ("/people", "nav_people"),
        ("/settings", "nav_settings"),
        ("/settings/identity", "identity_title"),
        ("/drafts", "drafts_title"),
        ("/browser", "can_title"),
        ("/known", "knows_title"),
        ("/told", "told_title"),
        ("/mine", "mine_title"),
        ("/deletions", "deletions_title"),
    ):
        walk.go(path)
        page.wait_for_function("title => document.title.includes(title)", arg=walk.say(title))
        page.get_by_role("heading", level=1).first.wait_for()
        walk.look(path)
    walk.go(f"/watch/{message}")
    page.get_by_role("button", name=walk.say("save_mp4")).wait_for()
    walk.look("watch")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    walk.look("keys")
    page.keyboard.press("Escape")
    walk.go("/no/such/place")
    walk.await_heading("page_missing")
    walk.look("nowhere")


def test_the_whole_house_in_french_and_in_english_by_day_and_by_night(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    """Opened, recorded, sent, watched in French; then all of it again in English: axe-core finds nothing, and no sentence is in the other language."""
    name, joseph = new_name("fr"), Person(new_name("j"), tmp_path, house.url).sign_up()
    visitor = visitors.arrive(house, locale="fr-FR", reduced_motion="reduce")
    visitor.witness.allow(NO_NOTES)
    walk = Walk(visitor.open("/"), "fr")
    sign_up(walk, name)
    walk.page.get_by_role("heading", level=1).first.wait_for()
    walk.look("empty inbox")
    leave_a_video(walk, joseph.name, "Les chèvres")
    (item,) = joseph.inbox()
    assert item["caption"] == "Les chèvres"
    message = joseph.send(name, small_clip(tmp_path), "--caption", "Zzz 1")
    walk.go("/inbox")
    walk.page.get_by_text("Zzz 1").wait_for()
    the_house(walk, message)
    walk.assert_fine()
    walk.go("/settings")
    walk.page.get_by_text("English", exact=True).click()
    walk.language = "en"
    walk.await_heading("nav_settings")
    the_house(walk, message)
    walk.assert_fine()
    eventually(lambda: joseph.sent()[0]["state"] in {"delivered", "played"})
