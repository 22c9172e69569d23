import OperatorLink from "../screens/operator-link/OperatorLink.svelte";
import type { OperatorLinkProps } from "../screens/operator-link/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { frame } from "./people";

const link = (state: OperatorLinkProps["state"]): Exhibit =>
  exhibit(OperatorLink, { frame: frame(), state, onclaim: nothing });

export const FIRST_RUN: Record<string, Exhibit> = {
  "operator-link/asking": link({ kind: "asking", working: false, failure: null }),
  "operator-link/working": link({ kind: "asking", working: true, failure: null }),
  "operator-link/gone": link({ kind: "asking", working: false, failure: { code: "operator-link-gone" } }),
  "operator-link/none": link({ kind: "none" }),
  "operator-link/done": link({ kind: "done", phones: "" }),
  "operator-link/phones": link({ kind: "done", phones: "http://192.168.1.20:8444/" }),
};
