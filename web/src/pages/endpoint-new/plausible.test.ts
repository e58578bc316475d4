import { expect, test } from "vitest";
import { plausible } from "./plausible";

test("only whole addresses are looked up", () => {
  for (const whole of ["https://example.com", "http://a.example.com:8080/x?y=1", "https://10.0.0.1/hooks", "http://localhost:9000", "http://[::1]:80/x", "HTTPS://xn--bcher-kva.example", "https://user:secret@example.com/"]) {
    expect(plausible(whole), whole).toBe(true);
  }
  for (const part of ["", "https://", "https://exam", "https://example.", "https://example.c", "example.com", "ftp://example.com", "https://exa mple.com"]) {
    expect(plausible(part), part).toBe(false);
  }
});
