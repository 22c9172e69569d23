/** The crypto session without its worker: the same methods, as promises. */

import type { CryptoService } from "../../src/crypto/service";
import { Session } from "../../src/crypto/session";

export interface InProcess {
  readonly service: CryptoService;
  /** Whether it was closed: locked, its keys gone. */
  readonly isClosed: boolean;
}

export function cryptoInProcess(): InProcess {
  const session = new Session();
  let isClosed = false;
  const own = {
    close: () => {
      session.lock();
      isClosed = true;
    },
  };
  const service = new Proxy(own, {
    get: (target, name) => {
      if (name === "then") return undefined;
      if (name in target) return Reflect.get(target, name) as unknown;
      const method = Reflect.get(session, name) as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => structuredClone(await method.apply(session, args));
    },
  });
  return {
    service: service as unknown as CryptoService,
    get isClosed() {
      return isClosed;
    },
  };
}
