/** A take that cannot be: no picture came before it was stopped, or this browser has no encoder. */
export class TakeFailed extends Error {
  readonly code: "no-picture" | "no-encoder";

  constructor(code: TakeFailed["code"], options?: ErrorOptions) {
    super(code, options);
    this.name = "TakeFailed";
    this.code = code;
  }
}
