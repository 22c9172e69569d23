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
/** As the server writes them. */
export type Options = Readonly<Record<string, unknown>>;

export interface Passkeys {
  /** Whether this browser can have them. */
  readonly areKnown: boolean;
  /** Makes one. @throws Refused passkey-…; Problem answer-malformed */
  create(options: Options): Promise<{ credential: NewCredential; prf: Prf }>;
  /** Asks for any that is of this server. @throws likewise */
  ask(options: Options): Promise<{ credential: Assertion; prf: Prf }>;
  /** Asks the one with this id what its PRF gives, and posts nothing. @throws Refused passkey-… */
  again(id: string): Promise<Prf>;
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
    const publicKey = { ...read, rp: { ...read.rp, id: location.hostname }, extensions: await extensions() };
    // Whatever the server asks for: a passkey that shows who holds it, and is found without a name.
    publicKey.authenticatorSelection = {
      ...read.authenticatorSelection,
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
    const made = await asked(navigator.credentials.create({ publicKey }));
    return { credential: newCredential(made), prf: prfOf(made) };
  },

  async ask(options) {
    const read = parsed(() => PublicKeyCredential.parseRequestOptionsFromJSON(options as never));
    const got = await asked(navigator.credentials.get({ publicKey: { ...read, ...(await wanted()) } }));
    return { credential: assertion(got), prf: prfOf(got) };
  },

  async again(id) {
    const allowCredentials = [{ type: "public-key" as const, id: unb64(id) }];
    const publicKey = { challenge: randomBytes(32), allowCredentials, ...(await wanted()) };
    return prfOf(await asked(navigator.credentials.get({ publicKey })));
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
async function wanted(): Promise<Pick<PublicKeyCredentialRequestOptions, "rpId" | "userVerification" | "extensions">> {
  return { rpId: location.hostname, userVerification: "required", extensions: await extensions() };
}

async function extensions(): Promise<AuthenticationExtensionsClientInputs> {
  return { prf: { eval: { first: await prfInput() } } };
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

/** A copy that can be given away; the browser's own is wiped. */
function prfOf(credential: PublicKeyCredential): Prf {
  const first = credential.getClientExtensionResults().prf?.results?.first;
  if (first === undefined) return null;
  const own = ArrayBuffer.isView(first)
    ? new Uint8Array(first.buffer as ArrayBuffer, first.byteOffset, first.byteLength)
    : new Uint8Array(first);
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
