import { type ComponentType, lazy, type LazyExoticComponent } from "react";

/** Milliseconds before each new attempt to load a part. */
const pauses = [250, 1_000, 3_000];

/** part returns a component whose code is loaded when it is first shown. Code that cannot be loaded is tried again a few times. */
export function part<T extends ComponentType<any>>(load: () => Promise<{ default: T }>): LazyExoticComponent<T> {
  return lazy(() => persist(load));
}

/** persist repeats what fails, and throws its last error. pause may change the time until it is repeated, or end that by undefined. */
export async function persist<T>(
  load: () => Promise<T>,
  waits: readonly number[] = pauses,
  pause: (error: unknown, wait: number) => number | undefined = (_, wait) => wait,
): Promise<T> {
  for (const wait of waits) {
    try {
      return await load();
    } catch (error) {
      const time = pause(error, wait); // the browser has logged why
      if (time === undefined) throw error;
      await new Promise((resolve) => setTimeout(resolve, time));
    }
  }
  return load();
}

// Vite loads a stylesheet once, whether that succeeds or not.
globalThis.document?.addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLLinkElement) || target.rel !== "stylesheet") return;
    const attempts = Number(target.dataset.attempts ?? 0);
    const wait = pauses[attempts];
    if (wait === undefined) return;
    const next = target.cloneNode() as HTMLLinkElement;
    next.dataset.attempts = String(attempts + 1);
    setTimeout(() => target.replaceWith(next), wait);
  },
  true,
);
