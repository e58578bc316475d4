/** What the API shows instead of a header's value. Sent back, it keeps the value. */
export const kept = "[redacted]";

export type Header = { name: string; value: string };

/** headerLines returns headers as the text that the form has, one a line. */
export function headerLines(headers: readonly Header[]): string {
  return headers.map(({ name, value }) => `${name}:${value}`).join("\n");
}

/** headersOf returns the headers of such a text. */
export function headersOf(text: string): Header[] {
  if (text === "") return [];
  return text.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return { name: line.slice(0, colon), value: line.slice(colon + 1) };
  });
}
