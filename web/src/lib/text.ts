/** Small helpers for texts. */

/** cx joins class names and leaves out what is not one. */
export function cx(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

/** middle returns a long text with its middle left out. Ids differ at their ends. */
export function middle(text: string, head = 9, tail = 6): string {
  return text.length <= head + tail + 2 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

/** visible returns a text with the characters that one does not see, or that turn others around, as escapes. */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** spellings returns an id as it was typed, and then with - and with _ where it has spaces or others of these: "order 42" may be order-42. */
export function spellings(id: string): string[] {
  return [...new Set([id, id.replace(/[\s_-]+/g, "-"), id.replace(/[\s_-]+/g, "_")])];
}

/** generated reports whether an idempotency key is one that a client made, only to be able to repeat its request: no publisher knows it. */
export function generated(key: string): boolean {
  return /^auto_([A-Z2-7]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(key);
}

/** generate returns a new key that generated recognizes. crypto.randomUUID would need https. */
export function generate(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `auto_${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`;
}

/** shell quotes a word for sh. */
export function shell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** sentence returns a message of the API as a sentence of its own. */
export function sentence(message: string): string {
  const text = message.trim();
  if (!text) return text;
  const first = /^[a-z]+\b(?![._/])/.test(text) ? text[0]?.toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
