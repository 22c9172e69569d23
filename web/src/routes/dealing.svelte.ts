/** What its owner does with one message that was received, as its screen shows it. */

import type { DealingView } from "../screens/watch/props";
import { failureOf, type Failure } from "../state/failure";
import { Forwarding } from "../state/forwarding.svelte";
import { GroupsState } from "../state/groups.svelte";
import type { House } from "../state/house.svelte";
import type { Letter } from "../state/letters";
import { Reporting } from "../state/reporting.svelte";
import { Shelf } from "../state/shelf.svelte";
import { groupView } from "./mail";

export class Dealing {
  /** Why a wish was not kept. */
  refused: Failure | null = $state.raw(null);
  readonly #house: House;
  readonly #forwarding: Forwarding;
  readonly #reporting: Reporting;
  readonly #shelf: Shelf;
  readonly #groups: GroupsState;

  constructor(house: House) {
    this.#house = house;
    this.#forwarding = new Forwarding(house);
    this.#reporting = new Reporting(house);
    this.#shelf = house.part(Shelf);
    this.#groups = house.part(GroupsState);
  }

  view(letter: Letter): DealingView {
    const { people } = this.#house;
    const { phase } = this.#forwarding;
    const { id, from } = letter;
    const writer = from === null ? null : people.view(from).account;
    const others = people.list.filter(({ account }) => account !== writer);
    const known = others.map(({ account }) => account);
    const groups = this.#groups.all
      .map((group) => groupView(group, people))
      .map((group) => ({ ...group, members: group.members.filter(({ account }) => known.includes(account)) }));
    return {
      kept: this.#shelf.isKept(id),
      archived: this.#shelf.isArchived(id),
      mayForward: Forwarding.allows(letter),
      people: others,
      groups,
      forwarding: phase.kind === "done" ? { ...phase, to: phase.to.map((acct) => people.view(acct)) } : phase,
      reporting: this.#reporting.phase,
      onkeep: (kept) => void this.#mark(letter, { kept }),
      onarchive: (archived) => void this.#mark(letter, { archived }),
      onforward: (accounts) => {
        void this.#forwarding.send(
          id,
          accounts.map((account) => people.acctOf(account)),
        );
      },
      onreport: (told) => void this.#report(letter, told),
      onreset: () => {
        this.#forwarding.reset();
        this.#reporting.reset();
        void people.refresh(); // another window may have added somebody
      },
    };
  }

  async #mark(letter: Letter, wish: Parameters<Shelf["mark"]>[1]): Promise<void> {
    this.refused = null;
    await this.#shelf.mark(letter, wish).catch((error: unknown) => (this.refused = failureOf(error)));
  }

  async #report({ id, from }: Letter, { reason, note, block }: Parameters<DealingView["onreport"]>[0]): Promise<void> {
    const { people } = this.#house;
    const isTaken = await this.#reporting.report(id, reason, note);
    if (isTaken && block && from !== null) await people.block(people.view(from).account);
  }
}
