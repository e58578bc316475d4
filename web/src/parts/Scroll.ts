import { type RefObject, useLayoutEffect, useRef } from "react";
import { NavigationType, useLocation, useNavigationType } from "react-router";

/** How many pages' places are remembered. */
const most = 100;

/** Where a page was left: how far the part of it was scrolled that was scrolled last, main itself or one inside. */
type Place = { part: number; top: number };

const parts = (main: HTMLElement) => [main, ...main.querySelectorAll<HTMLElement>("[data-scroll]")];

/**
 * useScroll begins a new page at its top, as browsers do for documents, and shows one to which somebody goes back where it was
 * left. The ref is of the element that contains the pages and scrolls.
 */
export function useScroll(): RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const places = useRef(new Map<string, Place>());
  const before = useRef<string>(undefined);
  const { key, pathname } = useLocation();
  const back = useNavigationType() === NavigationType.Pop;
  useLayoutEffect(() => {
    const element = main.current;
    if (!element) return;
    const stop = new AbortController();
    const moved = before.current !== pathname;
    before.current = pathname;
    const place = back && moved ? places.current.get(key) : undefined;
    if (moved) element.scrollTop = 0;
    if (place) restore(element, place, stop.signal);
    const scrolled = ({ target }: globalThis.Event) => {
      if (!(target instanceof HTMLElement)) return;
      const part = parts(element).indexOf(target);
      if (part < 0) return;
      places.current.delete(key); // the newest is the last
      places.current.set(key, { part, top: target.scrollTop });
      const [oldest] = places.current.keys();
      if (places.current.size > most && oldest !== undefined) places.current.delete(oldest);
    };
    element.addEventListener("scroll", scrolled, { capture: true, passive: true, signal: stop.signal });
    return () => stop.abort();
  }, [key, pathname, back]);
  return main;
}

/** restore scrolls to a place as soon as the page is long enough, unless somebody acts before. */
function restore(main: HTMLElement, { part, top }: Place, signal: AbortSignal): void {
  const stop = new AbortController();
  const observer = new MutationObserver(() => attempt());
  const end = () => (stop.abort(), observer.disconnect());
  const attempt = () => {
    const element = parts(main)[part];
    if (!element || element.scrollHeight - element.clientHeight < top) return;
    element.scrollTop = top;
    end();
  };
  observer.observe(main, { childList: true, subtree: true, attributes: true, attributeFilter: ["style"] });
  for (const act of ["wheel", "touchstart", "pointerdown", "keydown"]) main.addEventListener(act, end, { passive: true, signal: stop.signal });
  signal.addEventListener("abort", end);
  attempt();
}
