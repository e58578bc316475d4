import { generate } from "./text";

/** How long what got no answer is taken for the same, if it is asked for again. What is asked for later is meant once more. */
const patience = 60_000;

/**
 * Once gives equal requests equal idempotency keys until one of them has succeeded, so that what is repeated because its answer
 * was lost is carried out once. A refusal ends nothing: a proxy answers for a server that may still do it.
 */
export class Once {
  private readonly keys = new Map<string, { key: string; at: number }>();

  /** key returns the key of a request: its address, and what else it asks for behind a line break. */
  key(request: string, now: number): string {
    for (const [each, { at }] of this.keys) if (now - at > patience) this.keys.delete(each);
    const known = this.keys.get(request);
    if (known) return known.key;
    const key = generate();
    this.keys.set(request, { key, at: now });
    return key;
  }

  /**
   * done ends the key of a request that has succeeded, and of those whose subject it may have changed: to resume a job once more
   * after a pause is meant.
   */
  done(address: string, key: string | null): void {
    for (const [request, known] of this.keys) {
      const [other = ""] = request.split("\n");
      const subject = other.slice(0, other.lastIndexOf("/") + 1);
      if (known.key === key || (address !== other && address.startsWith(subject))) this.keys.delete(request);
    }
  }
}
