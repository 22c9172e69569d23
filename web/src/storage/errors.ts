/**
 * What keeps this device from storing. `device-full`: no room. `storage-unavailable`: the browser has none for us (a private
 * window, blocked). `not-on-this-device`: it was never here, was removed, or the browser evicted it. `sealed-elsewhere`: its
 * key is not the one that this browser keeps. `busy`: another tab holds it.
 */
export type StorageCode = (typeof STORAGE_CODES)[number];

export const STORAGE_CODES = [
  "device-full",
  "storage-unavailable",
  "not-on-this-device",
  "sealed-elsewhere",
  "busy",
] as const;

export class StorageError extends Error {
  override readonly name = "StorageError";

  constructor(
    readonly code: StorageCode,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

/** Gives a failure of the browser's storage its code; what has one keeps it, what is no failure of storage passes. */
export function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const code = CODES[error.name];
  return code === undefined ? error : new StorageError(code, { cause: error });
}

/** Runs `work` with failures of the browser's storage given their codes. */
export async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}

const CODES: Readonly<Record<string, StorageCode>> = {
  QuotaExceededError: "device-full",
  SecurityError: "storage-unavailable",
  InvalidStateError: "storage-unavailable",
  NotAllowedError: "storage-unavailable",
  UnknownError: "storage-unavailable",
  NotFoundError: "not-on-this-device",
  NoModificationAllowedError: "busy",
};
