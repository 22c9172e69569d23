/** Passkeys of this browser: what is posted on the one side, on the other what their PRF gives. The two never meet again. */

import { prfInput } from "../crypto/prf";
import { b64, unb64 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import type { Body } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { Refused } from "./failure";

export type NewCredential = Body<"post", "/api/v1/account/ways-in/passkeys">["credential"];
export type Assertion = Body<"post", "/api/v1/sign-in/passkey">["credential"];
/** What unlocks; null: this passkey or this browser has none. */
export type Prf = Uint8Array<ArrayBuffer> | null;
export interface Shown {
  readonly credential: Assertion;
  readonly prf: Prf;
}
/** As the server writes them. */
export type Options = Readonly<Record<string, unknown>>;

/** What the PRF gave to the same question, asked twice in one touch; of an authenticator that answers once the second is null. */
export type Twice = readonly [Prf, Prf];

export interface Passkeys {
  /** Whether this browser can have them. */
  readonly areKnown: boolean;
  /** Makes one. @throws Refused passkey-…; Problem answer-malformed */
  create(options: Options): Promise<{ credential: NewCredential; prf: Twice }>;
  /** Asks for any that is of this server. @throws likewise */
  ask(options: Options): Promise<Shown>;
  /** Whether the browser can offer them among what it fills in. Never rejects. */
  canOffer(): Promise<boolean>;
  /** Lets the browser offer those of this server among what it fills in, until one is chosen or `signal`. @throws as `ask` */
  offer(options: Options, signal: AbortSignal): Promise<Shown>;
  /** Asks the one with this id what its PRF gives, and posts nothing. @throws Refused passkey-… */
  again(id: string): Promise<Twice>;
  /** Tells whoever keeps it that this server does not know it. */
  disown(id: string): void;
}

/** Of this browser. */
export const ownPasskeys: Passkeys = {
  get areKnown() {
    return (
      typeof PublicKeyCredential === "function" &&
      typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
    );
  },

  async create(options) {
    const read = parsed(() => PublicKeyCredential.parseCreationOptionsFromJSON(options as never));
    const publicKey = { ...read, rp: { ...read.rp, id: location.hostname }, extensions: await extensions(true) };
    // Whatever the server asks for: a passkey that shows who holds it, and is found without a name.
    publicKey.authenticatorSelection = {
      ...read.authenticatorSelection,
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
    const made = await asked(navigator.credentials.create({ publicKey }));
    return { credential: newCredential(made), prf: twice(made) };
  },

  async ask(options) {
    return shown({ publicKey: await request(options) });
  },

  async canOffer() {
    if (typeof PublicKeyCredential.isConditionalMediationAvailable !== "function") return false;
    return PublicKeyCredential.isConditionalMediationAvailable().catch(() => false);
  },

  async offer(options, signal) {
    return shown({ publicKey: await request(options), mediation: "conditional", signal });
  },

  async again(id) {
    const allowCredentials = [{ type: "public-key" as const, id: unb64(id) }];
    const publicKey = { challenge: randomBytes(32), allowCredentials, ...(await wanted(true)) };
    return twice(await asked(navigator.credentials.get({ publicKey })));
  },

  disown(id) {
    const signals = PublicKeyCredential as { signalUnknownCredential?: (facts: object) => Promise<void> };
    void signals.signalUnknownCredential?.({ rpId: location.hostname, credentialId: id }).catch(() => undefined);
  },
};

/** What a browser's refusal means to a person, by its name. */
const REFUSALS: Readonly<Record<string, string>> = {
  NotAllowedError: "passkey-cancelled",
  AbortError: "passkey-cancelled",
  InvalidStateError: "passkey-known",
  ConstraintError: "passkey-unverified",
  NotSupportedError: "passkey-unsupported",
  SecurityError: "passkeys-unavailable",
};

/** Only what is ours: the server cannot ask for other extensions, nor for another host's passkeys. */
async function wanted(
  isTwice = false,
): Promise<Pick<PublicKeyCredentialRequestOptions, "rpId" | "userVerification" | "extensions">> {
  return { rpId: location.hostname, userVerification: "required", extensions: await extensions(isTwice) };
}

/** `isTwice`: the same question as the first and as the second, so that one touch answers it twice. */
async function extensions(isTwice: boolean): Promise<AuthenticationExtensionsClientInputs> {
  const first = await prfInput();
  return { prf: { eval: isTwice ? { first, second: first } : { first } } };
}

async function request(options: Options): Promise<PublicKeyCredentialRequestOptions> {
  const read = parsed(() => PublicKeyCredential.parseRequestOptionsFromJSON(options as never));
  return { ...read, ...(await wanted()) };
}

async function shown(options: CredentialRequestOptions): Promise<Shown> {
  const got = await asked(navigator.credentials.get(options));
  return { credential: assertion(got), prf: prfOf(got) };
}

function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw malformed("the options of a passkey");
  }
}

async function asked(answer: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await answer;
    if (credential === null) throw new Refused("passkey-cancelled");
    return credential as PublicKeyCredential;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new Refused(REFUSALS[error.name] ?? "passkey-failed");
  }
}

function prfOf(credential: PublicKeyCredential): Prf {
  return taken(credential.getClientExtensionResults().prf?.results?.first);
}

function twice(credential: PublicKeyCredential): Twice {
  const results = credential.getClientExtensionResults().prf?.results;
  return [taken(results?.first), taken(results?.second)];
}

/** A copy that can be given away; the browser's own is wiped. */
function taken(result: BufferSource | undefined): Prf {
  if (result === undefined) return null;
  const own = ArrayBuffer.isView(result)
    ? new Uint8Array(result.buffer as ArrayBuffer, result.byteOffset, result.byteLength)
    : new Uint8Array(result);
  const copy = own.slice();
  own.fill(0);
  return copy.length === 32 ? copy : null;
}

/** Written by hand: `toJSON` would take the PRF's results along. */
function newCredential({ id, rawId, response }: PublicKeyCredential): NewCredential {
  const attestation = response as AuthenticatorAttestationResponse;
  return {
    id,
    rawId: written(rawId),
    type: "public-key",
    response: {
      clientDataJSON: written(attestation.clientDataJSON),
      attestationObject: written(attestation.attestationObject),
      transports: attestation.getTransports(),
    },
  };
}

function assertion({ id, rawId, response }: PublicKeyCredential): Assertion {
  const { clientDataJSON, authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse;
  return {
    id,
    rawId: written(rawId),
    type: "public-key",
    response: {
      clientDataJSON: written(clientDataJSON),
      authenticatorData: written(authenticatorData),
      signature: written(signature),
      userHandle: userHandle === null ? null : written(userHandle),
    },
  };
}

function written(bytes: ArrayBuffer): string {
  return b64(new Uint8Array(bytes));
}
