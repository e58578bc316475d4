/** The body of a delivery, rebuilt from its event. The API stores what was published and how long the body was, not the body itself. */

export type EventFacts = { id: string; type: string; occurred_at: string; created_at: string; data: string };

/** micros writes a time with six digits of the second, as lemon's bodies have it. The API, and bodies of others, leave out zeros at the end. */
function micros(time: string, zone: string): string {
  const match = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(time);
  if (!match) return time;
  return `${match[1]}.${(match[2] ?? "").padEnd(6, "0").slice(0, 6)}${zone}`;
}

/**
 * requestBody returns the body that an event has in a dialect, or undefined where it cannot be rebuilt in the browser.
 * The length is that which was sent; a text of another length is not the body, and not returned.
 */
export function requestBody(dialect: string, event: EventFacts, length: number | undefined): string | undefined {
  const body = build(dialect, event);
  if (body === undefined || length === undefined) return undefined;
  return new Blob([body]).size === length ? body : undefined;
}

function build(dialect: string, event: EventFacts): string | undefined {
  const type = JSON.stringify(event.type);
  const data = event.data.trim();
  switch (dialect) {
    case "standard":
      return `{"type":${type},"timestamp":"${event.occurred_at}","data":${event.data}}`;
    case "lemon":
      return `{"id":${JSON.stringify(event.id)},"type":${type},"created_at":"${micros(event.created_at, "+00:00")}","context":${event.data}}`;
    case "azakaw": {
      if (!data.startsWith("{")) return undefined;
      const rest = data.slice(1);
      return rest.trim() === "}" ? `{"Type":${type}}` : `{"Type":${type},${rest}`;
    }
    default:
      return undefined;
  }
}
