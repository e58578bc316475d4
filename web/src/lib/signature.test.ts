import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { diagnose, expected, type Given, signatures } from "./signature";

const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const body = '{"type":"a","data":{"big":9007199254740993,"one":1.0}}';
const at = "1709287200";
const now = Number(at) * 1000;

const mac = (key: Buffer | string, message: string, form: "base64" | "hex" = "base64") => createHmac("sha256", key).update(message).digest(form);
const bytes = Buffer.from(secret.slice(6), "base64");

function standard(signature: string, change: Partial<Given> = {}): Given {
  return { dialect: "standard", secret, headers: { "webhook-id": "evt_1", "webhook-timestamp": at, "webhook-signature": `v1,${signature}` }, body, now, ...change };
}

describe("standard", () => {
  test("a valid signature", async () => {
    const given = standard(mac(bytes, `evt_1.${at}.${body}`));
    expect(await diagnose(given)).toMatchObject([{ ok: true, title: "The signature is valid" }]);
    expect(await expected(given)).toBe(mac(bytes, `evt_1.${at}.${body}`));
  });

  test("of several signatures, one is enough", async () => {
    const given = standard(`AAAA v1,${mac(bytes, `evt_1.${at}.${body}`)}`);
    expect((await diagnose(given))[0]?.ok).toBe(true);
  });

  test.each([
    ["used as text", mac(secret, `evt_1.${at}.${body}`)],
    ["was parsed and written again", mac(bytes, `evt_1.${at}.${JSON.stringify(JSON.parse(body))}`)],
    ["line break was added", mac(bytes, `evt_1.${at}.${body}\n`)],
    ["Only the body was signed", mac(bytes, body)],
    ["The id is missing", mac(bytes, `${at}.${body}`)],
    ["without full stops", mac(bytes, `evt_1${at}${body}`)],
    ["another secret or another body", mac("else", body)],
  ])("the mistake %j is named", async (words, signature) => {
    const [verdict] = await diagnose(standard(signature));
    expect(verdict?.ok).toBe(false);
    expect(`${verdict?.title} ${verdict?.detail}`).toContain(words);
  });

  test("a body of another size and an old time are said", async () => {
    const findings = await diagnose(standard(mac(bytes, `evt_1.${at}.${body}`), { bodyBytes: body.length + 1, now: now + 3_600_000 }));
    expect(findings.map((finding) => finding.title)).toEqual(["The signature is valid", "The body is not what was sent", "A receiver would refuse it now for its age"]);
  });

  test.each([
    ["nonsense", "The secret is malformed"],
    ["whsec_*", "The secret is malformed"],
    ["whpk_AAAA", "The public key is malformed"],
  ])("the secret %j is refused", async (wrong, title) => {
    expect((await diagnose(standard("x", { secret: wrong })))[0]?.title).toBe(title);
  });
});

test("lemon and atelio sign with the secret's characters", async () => {
  const headers = (name: string, signature: string) => ({ [name]: `t=${at},v1=${signature}` });
  const hexSecret = "0011".repeat(16);
  const right = mac(hexSecret, `${at}.${body}`, "hex");
  expect((await diagnose({ dialect: "lemon", secret: hexSecret, headers: headers("lmg-signature", right), body, now }))[0]?.ok).toBe(true);
  const decoded = mac(Buffer.from(hexSecret, "hex"), `${at}.${body}`, "hex");
  expect((await diagnose({ dialect: "lemon", secret: hexSecret, headers: headers("lmg-signature", decoded), body, now }))[0]?.detail).toContain("decoded as hex");
  expect((await diagnose({ dialect: "atelio", secret, headers: headers("bond-signature", mac(secret, `${at}.${body}`, "hex")), body, now }))[0]?.ok).toBe(true);
  expect((await diagnose({ dialect: "atelio", secret, headers: headers("bond-signature", mac(secret.slice(6), `${at}.${body}`, "hex")), body, now }))[0]?.detail).toContain("Keep it");
});

test("dialects without signatures say so", async () => {
  expect((await diagnose({ dialect: "akkuro", secret: "x", headers: {}, body, now }))[0]?.detail).toContain("not signed");
});

test("signatures are read from their header's form", () => {
  expect(signatures("standard", "v1,abc v1a,def")).toEqual(["abc"]);
  expect(signatures("atelio", "t=1,v1=aa,v2=bb")).toEqual(["aa", "bb"]);
});
