import { isTime } from "./time";

/** Search tokens such as `status:exhausted type:"card.*"`. Every token is one search parameter of the page's URL. */

export type Token = { key: string; value: string };

/** parse reads what was typed: tokens of the known keys, and the words that are none. */
export function parse(text: string, keys: readonly string[]): { tokens: Token[]; words: string[] } {
  const tokens: Token[] = [];
  const words: string[] = [];
  for (const match of text.matchAll(/([a-z_]+):(?:"([^"]*)"?|(\S*))|(\S+)/gi)) {
    const key = match[1]?.toLowerCase();
    const value = match[2] ?? match[3] ?? "";
    if (key && keys.includes(key)) {
      if (value) tokens.push({ key, value });
    } else {
      words.push(match[0]);
    }
  }
  return { tokens, words };
}

/** What a key takes: any text, or one of the values and what more says besides. */
export type Takes = { key: string; values?: unknown; more?: "times" | "others" };

/** refusal says why a key does not take a value; undefined if it does. Only values that are known beforehand are fixed: others are the API's to judge. */
export function refusal({ key, values, more }: Takes, value: string): string | undefined {
  if (more === "times") return isTime(value) ? undefined : `${key}:${value} is no time. Use a span such as 24h, or a time such as 2026-01-31T12:30.`;
  if (more === "others" || !Array.isArray(values) || values.includes(value)) return undefined;
  return `${key}:${value} is no filter. Use ${key}: with ${oneOf(values)}.`;
}

function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

/** format writes tokens as parse reads them. */
export function format(tokens: readonly Token[]): string {
  return tokens.map(({ key, value }) => `${key}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', "")}"` : value}`).join(" ");
}

/** fromParams returns the tokens that a URL holds, in the order of keys. */
export function fromParams(params: URLSearchParams, keys: readonly string[]): Token[] {
  return keys.flatMap((key) => {
    const value = params.get(key);
    return value ? [{ key, value }] : [];
  });
}

/** toParams returns the URL's parameters with these tokens. It leaves parameters of other keys alone; of a key, the last token wins. */
export function toParams(params: URLSearchParams, keys: readonly string[], tokens: readonly Token[]): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const key of keys) next.delete(key);
  for (const { key, value } of tokens) if (keys.includes(key)) next.set(key, value);
  return next;
}
