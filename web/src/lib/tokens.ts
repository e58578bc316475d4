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
