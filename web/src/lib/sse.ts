/** Server-sent events, read from a response. EventSource cannot send a bearer, nor say why it failed. */

export type ServerEvent = { event: string; id: string | undefined; data: string };

/** What one event may hold at most; a server that sends more is not ours. */
const longest = 1024 * 1024;

/** reader returns a function that takes what arrived and returns the events that are complete. */
export function reader(): (chunk: string) => ServerEvent[] {
  let rest = "";
  let event = "";
  let id: string | undefined;
  let data: string[] = [];
  const line = (text: string, found: ServerEvent[]) => {
    if (text === "") {
      if (data.length > 0) found.push({ event: event || "message", id, data: data.join("\n") });
      event = "";
      data = [];
      id = undefined;
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return; // a comment, which keeps the connection
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id") id = value;
  };
  return (chunk) => {
    const found: ServerEvent[] = [];
    rest += chunk;
    // A carriage return at the end may be half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > longest) throw new Error("an event of the server is too long");
    for (const each of lines) line(each, found);
    return found;
  };
}
