/** Answering pages over HTTP: callers with nothing but a proof of work, owners with their session. */

import type { components } from "../protocol/api";
import type { Api } from "./http";
import { malformed } from "./problem";

type Wire = components["schemas"];
export type PageAccess = Wire["Page"]["access"];
export type Schedule = Wire["Schedule"];
export type Hours = Wire["Hours"];
/** A page as callers see it. */
export type Page = Wire["Page"];
/** A page as its owner sees it. */
export type OwnPage = Wire["OwnPage"];
export type PutPage = Wire["PutPage"];
/** Lets one message be left, until then; for whom. */
export type Call = Wire["Call"];

/** As ALTCHA 2 writes it; what is signed goes back as it came. */
export interface ProofChallenge {
  readonly parameters: { nonce: string; salt: string; keyPrefix: string; keyLength: number; cost: number };
  readonly signature: string;
}

const ALGORITHM = "PBKDF2/SHA-256";
/** What nobody would do. */
const MOST_COST = 100_000;
const HEX = /^(?:[0-9a-f]{2}){1,64}$/i;

/** @param bearer of the page's link: with it profile and greeting are told. @throws Problem no-such-page */
export async function fetchPage(api: Api, name: string, bearer: string | null): Promise<Page> {
  const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  return api.get("/api/v1/pages/{name}", { path: { name }, headers });
}

/** @throws Problem no-such-page, rate-limited, answer-malformed: for a proof that nobody would give */
export async function fetchChallenge(api: Api, name: string): Promise<ProofChallenge> {
  const told: { parameters: object; signature: string } = await api.get("/api/v1/pages/{name}/challenge", {
    path: { name },
  });
  const { algorithm, cost, keyLength, nonce, salt, keyPrefix } = told.parameters as Record<string, unknown>;
  const isMeasured = typeof cost === "number" && cost > 0 && cost <= MOST_COST && keyLength === 32;
  const isHex = [nonce, salt, keyPrefix].every((each) => typeof each === "string" && HEX.test(each));
  if (algorithm !== ALGORITHM || !isMeasured || !isHex) throw malformed("a proof of work");
  return told as ProofChallenge;
}

/** @throws Problem page-closed, page-needs-link, page-needs-account, proof-refused, rate-limited */
export async function beginCall(
  api: Api,
  name: string,
  { proof, bearer }: { proof: string; bearer: string | null },
): Promise<Call> {
  return api.post("/api/v1/pages/{name}/calls", { proof, bearer }, { path: { name } });
}

/** Lets a guest in who opened a link. @param view the token of the open. @throws Problem may-not-answer, call-over, view-over */
export async function beginAnswer(api: Api, link: string, view: string): Promise<Call> {
  const headers = { authorization: `Bearer ${view}` };
  return api.post("/api/v1/links/{link_id}/calls", undefined, { path: { link_id: link }, headers });
}

/** Which link the bearer of an answer's address opens. @throws Problem not-found: there is none yet */
export async function findAnswer(api: Api, bearer: string): Promise<string> {
  return (await api.get("/api/v1/answers", { headers: { authorization: `Bearer ${bearer}` } })).id;
}

export async function fetchOwnPage(api: Api): Promise<OwnPage> {
  return api.get("/api/v1/account/page");
}

/** @throws Problem pages-unavailable: this server has nobody who answers for abuse */
export async function storeOwnPage(api: Api, page: PutPage): Promise<OwnPage> {
  return api.put("/api/v1/account/page", page);
}

/** All records of an account, oldest first, unverified. @throws Problem no-such-account */
export async function fetchRecords(api: Api, name: string): Promise<string[]> {
  const { items } = await api.get("/api/v1/accounts/{name}/records", { path: { name } });
  return items.map(({ record }) => record);
}
