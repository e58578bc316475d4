/**
 * JSON as it was published. Texts are scanned, never parsed into values: numbers keep their digits, strings their
 * escapes, objects the order of their members, and a nesting of any depth is a loop and not a recursion.
 */

export type Kind = "key" | "string" | "number" | "word" | "punct" | "space" | "other";

export type Piece = { kind: Kind; text: string };

const pattern = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|[a-zA-Z]+|[{}[\],:]|\s+|[^\s"{}[\],:a-zA-Z\d-]+|-/gsy;

/** scan splits a text into its pieces. Together they are the text, also where it is not JSON. */
export function* scan(text: string): Generator<Piece> {
  const find = new RegExp(pattern);
  while (find.lastIndex < text.length) {
    const from = find.lastIndex;
    const match = find.exec(text);
    if (!match) {
      yield { kind: "other", text: text.slice(from) };
      return;
    }
    const piece = match[0];
    yield { kind: kindOf(piece, text, find.lastIndex), text: piece };
  }
}

function kindOf(piece: string, text: string, end: number): Kind {
  const first = piece[0] ?? "";
  if (first === '"') return isKey(text, end) ? "key" : "string";
  if ("{}[],:".includes(first)) return "punct";
  if (/^-?\d/.test(piece)) return "number";
  if (piece === "true" || piece === "false" || piece === "null") return "word";
  return /\s/.test(first) ? "space" : "other";
}

function isKey(text: string, end: number): boolean {
  while (end < text.length && /\s/.test(text[end] ?? "")) end++;
  return text[end] === ":";
}

/** A line of a pretty text. The pieces of a very long string are cut by who shows them, not here. */
export type Line = { depth: number; pieces: Piece[] };

/** pretty returns a text's lines, one for each member. It changes space between pieces and nothing else. */
export function pretty(text: string): Line[] {
  const lines: Line[] = [];
  let line: Line = { depth: 0, pieces: [] };
  let depth = 0;
  let opened = false;
  const end = () => {
    if (line.pieces.length > 0) lines.push(line);
    line = { depth, pieces: [] };
  };
  for (const piece of scan(text)) {
    if (piece.kind === "space") continue;
    const closes = piece.text === "}" || piece.text === "]";
    if (closes) {
      depth = Math.max(0, depth - 1);
      if (opened) {
        line.pieces.push(piece); // an empty object or array stays on its line
        opened = false;
        continue;
      }
      end();
    } else if (opened) {
      end();
    }
    opened = false;
    line.pieces.push(piece);
    if (piece.text === "{" || piece.text === "[") {
      depth++;
      opened = true;
    } else if (piece.text === ",") {
      end();
    } else if (piece.text === ":") {
      line.pieces.push({ kind: "space", text: " " });
    }
  }
  if (line.pieces.length > 0) lines.push(line);
  return lines;
}

/** How far lines are indented at most: 10,000 levels would be a text of 100 MB. */
export const deepest = 40;

/** prettyText returns a text as pretty shows it. */
export function prettyText(text: string): string {
  return pretty(text)
    .map((line) => "  ".repeat(Math.min(line.depth, deepest)) + line.pieces.map((piece) => piece.text).join(""))
    .join("\n");
}

/** A part of a text: from the first character on, to the one behind it. */
type Span = { from: number; to: number };

/** memberSpan returns where an object's text has the value of a member; undefined if it is not there. */
function memberSpan(text: string, name: string): Span | undefined {
  const find = new RegExp(pattern);
  let depth = 0;
  let from = -1;
  let named = false;
  let end = 0;
  while (find.lastIndex < text.length) {
    const start = find.lastIndex;
    const match = find.exec(text);
    if (!match) return undefined;
    const piece = match[0];
    if (/^\s/.test(piece)) continue;
    if (from >= 0 && depth === 1 && (piece === "," || piece === "}")) return { from, to: end };
    if (named && piece === ":") {
      named = false;
      from = -2; // the next piece begins the value
    } else if (from === -2) {
      from = start;
    }
    if (piece === "{" || piece === "[") depth++;
    if (piece === "}" || piece === "]") depth--;
    if (depth === 1 && from === -1 && piece[0] === '"' && isKey(text, find.lastIndex)) named = unquote(piece) === name;
    end = find.lastIndex;
  }
  return undefined;
}

/** member returns the text of a member of an object, as it stands in the object's text; undefined if it is not there. */
export function member(text: string, name: string): string | undefined {
  const span = memberSpan(text, name);
  return span && text.slice(span.from, span.to);
}

/** takeOut returns the text of a member of an object, and the object's text with null in its place. A member that is not there is null. */
export function takeOut(text: string, name: string): { value: string; rest: string } {
  const span = memberSpan(text, name);
  if (!span) return { value: "null", rest: text };
  return { value: text.slice(span.from, span.to), rest: `${text.slice(0, span.from)}null${text.slice(span.to)}` };
}

/** items returns the texts of an array's items. */
export function items(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let item = "";
  for (const { text: piece, kind } of scan(text)) {
    if (piece === "]" || piece === "}") depth--;
    if (depth === 0 || (depth === 1 && piece === ",")) {
      if (item.trim()) found.push(item.trim());
      item = "";
    } else {
      item += piece;
    }
    if ((piece === "[" || piece === "{") && kind === "punct") depth++;
    if (depth < 0) break;
  }
  return found;
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

export type Problem = { message: string; line: number; column: number };

const numberForm = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** problem says why a text is no JSON, and where; undefined if it is. The words are the same in all browsers. */
export function problem(text: string): Problem | undefined {
  const open: string[] = [];
  let want: "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" = "value";
  let at = 0;
  for (const { kind, text: piece } of scan(text)) {
    const fault = (message: string): Problem => ({ message, ...position(text, at) });
    const inside = open.at(-1);
    if (kind !== "space") {
      const closes = piece === "}" || piece === "]";
      if (closes && inside === (piece === "}" ? "{" : "[") && want.endsWith("OrEnd")) {
        open.pop();
        want = "commaOrEnd";
      } else if (want === "key" || want === "keyOrEnd") {
        if (kind !== "key" && kind !== "string") return fault(`expected a name in double quotes, not ${piece.slice(0, 20)}`);
        if (unquote(piece) === undefined) return fault("this text does not end, or has a character that must be escaped");
        want = "colon";
      } else if (want === "colon") {
        if (piece !== ":") return fault(`expected a colon, not ${piece.slice(0, 20)}`);
        want = "value";
      } else if (want === "commaOrEnd") {
        if (open.length === 0) return fault("expected nothing after the value");
        if (piece !== ",") return fault(`expected a comma or ${inside === "{" ? "}" : "]"}, not ${piece.slice(0, 20)}`);
        want = inside === "{" ? "key" : "value";
      } else if (piece === "{" || piece === "[") {
        open.push(piece);
        want = piece === "{" ? "keyOrEnd" : "valueOrEnd";
      } else if (kind === "string" || kind === "key") {
        if (unquote(piece) === undefined) return fault("this text does not end, or has a character that must be escaped");
        want = "commaOrEnd";
      } else if (kind === "word" || (kind === "number" && numberForm.test(piece))) {
        want = "commaOrEnd";
      } else {
        return fault(`expected a value, not ${piece.slice(0, 20)}`);
      }
    }
    at += piece.length;
  }
  if (open.length === 0 && want === "commaOrEnd") return undefined;
  const missing = open.length === 0 ? "a value" : open.at(-1) === "{" ? "}" : "]";
  return { message: `ends too early: ${missing} is missing`, ...position(text, text.length) };
}

function position(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
