/** When a job will have ended, from how far it has come. */

export type Sample = { at: number; handled: number };

/** remember returns the samples of the last minute, with the newest. */
export function remember(samples: readonly Sample[], next: Sample): Sample[] {
  return [...samples.filter((sample) => sample.at > next.at - 60_000 && sample.handled <= next.handled), next];
}

/** pace returns how many a second were handled between the first and the last sample; 0 if that is not known yet. */
export function pace(samples: readonly Sample[]): number {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < 2000) return 0;
  return ((last.handled - first.handled) / (last.at - first.at)) * 1000;
}

/** remaining returns the milliseconds that the rest takes at a pace; undefined if it does not move. */
export function remaining(left: number, perSecond: number): number | undefined {
  return perSecond > 0 ? (Math.max(0, left) / perSecond) * 1000 : undefined;
}
