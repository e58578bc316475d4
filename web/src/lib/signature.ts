/**
 * Signatures of deliveries, computed in the browser: nothing that is entered leaves it. diagnose finds out why a
 * signature does not verify, by trying the mistakes that receivers make.
 */

export type Scheme = {
  /** The dialects' header that has the signature, in lower case. */
  header: string;
  /** What is signed, for people. */
  signed: string;
  key: string;
  form: string;
};

/** schemes has the dialects that sign. The others send a token or a key, or nothing. */
export const schemes: Record<string, Scheme> = {
  standard: {
    header: "webhook-signature",
    signed: "webhook-id, a full stop, webhook-timestamp, a full stop, and the body byte for byte as it arrived",
    key: "the bytes that the base64 after whsec_ stands for",
    form: "v1, a comma and the base64 of the HMAC-SHA256; several, separated by spaces, while a secret is rotated",
  },
  atelio: {
    header: "bond-signature",
    signed: "t, a full stop, and the body byte for byte as it arrived",
    key: "all characters of the secret, whsec_ included",
    form: "v2= and the HMAC-SHA256 in hex; v1 is the same over Python's form of the JSON",
  },
  lemon: {
    header: "lmg-signature",
    signed: "t, a full stop, and the body byte for byte as it arrived",
    key: "the characters of the secret, not the bytes that its hex digits stand for",
    form: "v1= and the HMAC-SHA256 in hex",
  },
};

export const unsigned: Record<string, string> = {
  akkuro: "Akkuro's deliveries are not signed. The header x-event-token has the endpoint's token itself: compare it with yours in constant time.",
  azakaw: "Azakaw's deliveries are not signed. They have the key or the user and password of the endpoint's authentication.",
  bluefin: "Bluefin's deliveries are not signed. They have only the authentication and the headers that the endpoint sets.",
};

export type Headers = Record<string, string>;

export type Given = { dialect: string; secret: string; headers: Headers; body: string; bodyBytes?: number | undefined; now: number };

export type Finding = { ok: boolean; title: string; detail: string };

const text = new TextEncoder();

/** available reports whether the browser lets this page compute signatures: it does on https, and on this machine itself. */
export function available(): boolean {
  return typeof crypto !== "undefined" && "subtle" in crypto && crypto.subtle !== undefined;
}

async function hmac(key: Uint8Array, message: string): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", new Uint8Array(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, text.encode(message)));
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function fromBase64(encoded: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function fromHex(encoded: string): Uint8Array | undefined {
  return /^([0-9a-f]{2})+$/i.test(encoded) ? Uint8Array.from(encoded.match(/../g) ?? [], (pair) => parseInt(pair, 16)) : undefined;
}

/** signatures returns the signatures of a header's value: the HMACs, whatever prefix they have. */
export function signatures(dialect: string, value: string): string[] {
  const found: string[] = [];
  for (const part of value.split(dialect === "standard" ? /\s+/ : ",")) {
    const item = part.trim();
    const match = dialect === "standard" ? /^v1,(.+)$/.exec(item) : /^v[12]=(.+)$/.exec(item);
    if (match?.[1]) found.push(match[1]);
    else if (/^([0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$/i.test(item)) found.push(item);
  }
  return found;
}

/** time returns the Unix seconds that are signed, as they stand in the headers. */
function time(dialect: string, headers: Headers): string {
  if (dialect === "standard") return headers["webhook-timestamp"]?.trim() ?? "";
  return /(?:^|,)\s*t=(\d+)/.exec(headers[schemes[dialect]?.header ?? ""] ?? "")?.[1] ?? "";
}

function message(dialect: string, headers: Headers, body: string): string {
  const at = time(dialect, headers);
  return dialect === "standard" ? `${headers["webhook-id"]?.trim() ?? ""}.${at}.${body}` : `${at}.${body}`;
}

type Key = { name: string; bytes: Uint8Array };

/** rightKey returns the key of a secret in a dialect, or why there is none. */
function rightKey(dialect: string, secret: string): Key | string {
  if (dialect !== "standard") return { name: "", bytes: text.encode(secret) };
  if (!secret.startsWith("whsec_")) return "The secret of this endpoint begins with whsec_. What was entered does not.";
  const bytes = fromBase64(secret.slice("whsec_".length));
  return bytes ? { name: "", bytes } : "What follows whsec_ is not base64: a character is missing, or one too many was copied.";
}

/** wrongKeys returns the keys that receivers take by mistake. */
function wrongKeys(dialect: string, secret: string): Key[] {
  const keys: Key[] = [];
  const add = (name: string, bytes: Uint8Array | undefined) => bytes && bytes.length > 0 && keys.push({ name, bytes });
  const bare = secret.replace(/^whsec_/, "");
  if (dialect === "standard") {
    add("The secret was used as text. Decode the base64 after whsec_ to bytes first.", text.encode(secret));
    add("The base64 after whsec_ was used as text. Decode it to bytes first.", text.encode(bare));
    add("The whole secret was decoded as base64. Remove whsec_ before you decode it.", fromBase64(secret.replaceAll("_", "/")));
  } else {
    add("The secret was decoded as hex. Use its characters as they are.", fromHex(bare));
    add("The secret was decoded as base64. Use its characters as they are.", fromBase64(bare));
    if (bare !== secret) add("whsec_ was removed from the secret. Keep it: the key is all of the secret's characters.", text.encode(bare));
  }
  return keys;
}

type Variant = { name: string; message: string };

/** wrongMessages returns the texts that receivers sign by mistake. */
function wrongMessages({ dialect, headers, body }: Given): Variant[] {
  const variants: Variant[] = [];
  const add = (name: string, other: string, head: Headers = headers) => other !== body && variants.push({ name, message: message(dialect, head, other) });
  add("A line break was added at the end of the body. Sign the bytes as they arrived.", `${body}\n`);
  add("The line break at the end of the body was removed. Sign the bytes as they arrived.", body.replace(/\r?\n$/, ""));
  add("White space around the body was removed. Sign the bytes as they arrived.", body.trim());
  add("Line ends were changed to those of Windows. Sign the bytes as they arrived.", body.replace(/\r?\n/g, "\r\n"));
  try {
    const value: unknown = JSON.parse(body);
    const again = "The body was parsed and written again, which changes numbers, spaces or order. Sign the bytes as they arrived, before any middleware parses them.";
    add(again, JSON.stringify(value));
    add(again, JSON.stringify(value, null, 2));
    add(again, JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "'));
  } catch {
    // A body that is not JSON has no other form.
  }
  variants.push({ name: "Only the body was signed. Put the id and the time before it, each followed by a full stop.", message: body });
  if (dialect === "standard") {
    variants.push({ name: "The id is missing from what was signed. It is webhook-id, a full stop, webhook-timestamp, a full stop, and the body.", message: `${time(dialect, headers)}.${body}` });
    variants.push({ name: "Id and time were joined without full stops.", message: `${headers["webhook-id"] ?? ""}${time(dialect, headers)}${body}` });
    variants.push({ name: "The time stands before the id. The id comes first.", message: `${time(dialect, headers)}.${headers["webhook-id"] ?? ""}.${body}` });
  } else {
    variants.push({ name: "There is no full stop between the time and the body.", message: `${time(dialect, headers)}${body}` });
  }
  return variants;
}

/** expected returns the signature that the right key and the right text give, in the dialect's form. */
export async function expected(given: Given): Promise<string | undefined> {
  const key = rightKey(given.dialect, given.secret.trim());
  if (typeof key === "string") return undefined;
  const sum = await hmac(key.bytes, message(given.dialect, given.headers, given.body));
  return given.dialect === "standard" ? base64(sum) : hex(sum);
}

/** How far a receiver's clock may be off, in seconds, by the reference libraries. */
const tolerance = 300;

/** diagnose checks a signature, and if it does not verify, says which mistake gives it. The first finding is the verdict. */
export async function diagnose(given: Given): Promise<Finding[]> {
  const { dialect, headers, body } = given;
  const scheme = schemes[dialect];
  if (!scheme) return [{ ok: false, title: "Nothing to check", detail: unsigned[dialect] ?? "Deliveries of this dialect are not signed." }];
  const secret = given.secret.trim();
  const findings: Finding[] = [];
  if (dialect === "standard" && secret.startsWith("whpk_")) return [await publicKey(given, secret)];
  const key = rightKey(dialect, secret);
  if (typeof key === "string") return [{ ok: false, title: "The secret is malformed", detail: key }];
  const value = headers[scheme.header] ?? "";
  const all = signatures(dialect, value);
  if (all.length === 0) return [{ ok: false, title: "No signature", detail: `The value of ${scheme.header} has none. Its form is ${scheme.form}.` }];
  if (!time(dialect, headers)) return [{ ok: false, title: "No time", detail: dialect === "standard" ? "webhook-timestamp is empty. It is part of what is signed." : `${scheme.header} has no t=. It is part of what is signed.` }];

  const equals = async (bytes: Uint8Array, signed: string) => {
    const sum = await hmac(bytes, signed);
    return all.some((each) => each === base64(sum) || each.toLowerCase() === hex(sum));
  };
  const right = message(dialect, headers, body);
  if (await equals(key.bytes, right)) {
    findings.push({ ok: true, title: "The signature is valid", detail: "It is that of this secret, this body and these headers. If your code refuses it, your code uses something else: compare each of the three." });
  } else {
    findings.push(await mistake(given, secret, key, right, equals));
  }
  const size = new Blob([body]).size;
  if (given.bodyBytes !== undefined && size !== given.bodyBytes) {
    findings.push({ ok: false, title: "The body is not what was sent", detail: `${given.bodyBytes} bytes were sent; what was entered has ${size}.` });
  }
  const late = given.now / 1000 - Number(time(dialect, headers));
  if (Math.abs(late) > tolerance) {
    findings.push({
      ok: true,
      title: "A receiver would refuse it now for its age",
      detail: `It was signed ${Math.round(Math.abs(late) / 60)} minutes ${late > 0 ? "ago" : "from now"}, and libraries accept 5. That matters when you send it again by hand, or if your clock is wrong.`,
    });
  }
  return findings;
}

async function mistake(given: Given, secret: string, key: Key, right: string, equals: (bytes: Uint8Array, signed: string) => Promise<boolean>): Promise<Finding> {
  const found = (detail: string): Finding => ({ ok: false, title: "This is the mistake", detail });
  const messages = wrongMessages(given);
  const keys = wrongKeys(given.dialect, secret);
  for (const other of messages) if (await equals(key.bytes, other.message)) return found(other.name);
  for (const other of keys) if (await equals(other.bytes, right)) return found(other.name);
  for (const other of keys) for (const wrong of messages) if (await equals(other.bytes, wrong.message)) return found(`${other.name} And: ${wrong.name}`);
  return {
    ok: false,
    title: "The signature is of another secret or another body",
    detail: "None of the usual mistakes gives it. Check that the secret is this endpoint's, and not that of another endpoint or environment, or one from before a rotation; and that the body is what arrived, byte for byte.",
  };
}

/** publicKey checks an ed25519 signature, which has the prefix v1a. */
async function publicKey({ headers, body }: Given, key: string): Promise<Finding> {
  const raw = fromBase64(key.slice("whpk_".length));
  if (raw?.length !== 32) return { ok: false, title: "The public key is malformed", detail: "whpk_ must be followed by the base64 of 32 bytes." };
  const found = (headers["webhook-signature"] ?? "").split(/\s+/).flatMap((part) => (part.startsWith("v1a,") ? [fromBase64(part.slice(4))] : []));
  if (found.length === 0) return { ok: false, title: "No signature", detail: "webhook-signature has none that begins with v1a, which ed25519 signatures do. The endpoint's signing may be hmac." };
  const signed = text.encode(message("standard", headers, body));
  try {
    const imported = await crypto.subtle.importKey("raw", new Uint8Array(raw), "Ed25519", false, ["verify"]);
    for (const signature of found) {
      if (signature && (await crypto.subtle.verify("Ed25519", imported, new Uint8Array(signature), signed))) {
        return { ok: true, title: "The signature is valid", detail: "It is that of this public key, this body and these headers." };
      }
    }
  } catch {
    return { ok: false, title: "This browser cannot check ed25519", detail: "Use a newer one, or check with the library of your language." };
  }
  return { ok: false, title: "The signature is of another key or another body", detail: "Check that the public key is this endpoint's, and that the body is what arrived, byte for byte." };
}
