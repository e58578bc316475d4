// Verifies deliveries in wire formats that files declare, with the libraries that the vendors publish for receivers. For vendors
// whose libraries are large, it follows the steps of their documentation. Each line of the input is a delivery,
// {"dialect", "secret", "url", "headers", "body"}; each line of the output says whether it was accepted, and whether it was
// refused with a byte more.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createInterface } from "node:readline";
import { verify as verifyGitHub } from "@octokit/webhooks-methods";
import { HTTP } from "cloudevents";
import Stripe from "stripe";

const stripe = new Stripe("sk_test_unused");

function same(got, want) {
  if (got.length !== want.length || !timingSafeEqual(Buffer.from(got), Buffer.from(want))) {
    throw new Error("wrong signature");
  }
}

const verifiers = {
  stripe({ secret, headers }, body) {
    const event = stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret);
    return { id: event.id, type: event.type, data: event.data.object };
  },
  async github({ secret, headers }, body) {
    if (!(await verifyGitHub(secret, body, headers["x-hub-signature-256"]))) {
      throw new Error("wrong signature");
    }
    return { id: headers["x-github-delivery"], type: headers["x-github-event"], data: JSON.parse(body) };
  },
  // https://shopify.dev/docs/apps/build/webhooks/subscribe/https
  shopify({ secret, headers }, body) {
    same(headers["x-shopify-hmac-sha256"], createHmac("sha256", secret).update(body, "utf8").digest("base64"));
    return { id: headers["x-shopify-event-id"], type: headers["x-shopify-topic"], data: JSON.parse(body) };
  },
  // https://docs.slack.dev/authentication/verifying-requests-from-slack/
  slack({ secret, headers }, body) {
    const timestamp = headers["x-slack-request-timestamp"];
    if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 60 * 5) {
      throw new Error("old");
    }
    same(headers["x-slack-signature"], "v0=" + createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex"));
    const callback = JSON.parse(body);
    return { id: callback.event_id, type: callback.type, data: callback.event };
  },
  // https://www.twilio.com/docs/usage/security#validating-requests
  twilio({ secret, headers, url }, body) {
    const fields = Object.fromEntries(new URLSearchParams(body));
    const text = Object.keys(fields).sort().reduce((before, name) => before + name + fields[name], url);
    same(headers["x-twilio-signature"], createHmac("sha1", secret).update(text, "utf8").digest("base64"));
    return { id: fields.EventSid, type: fields.EventType, data: JSON.parse(fields.Data) };
  },
  cloudevents: cloudEvent,
  "cloudevents-structured": cloudEvent,
};

function cloudEvent({ headers }, body) {
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  return { id: event.id, type: event.type, data: event.data };
}

async function verdict(delivery, body) {
  try {
    return { accepted: true, ...(await verifiers[delivery.dialect](delivery, body)) };
  } catch (error) {
    return { accepted: false, reason: `${error.constructor.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line);
  const genuine = await verdict(delivery, delivery.body);
  const forged = await verdict(delivery, delivery.body + "x");
  process.stdout.write(JSON.stringify({ genuine, forged: forged.accepted }) + "\n");
}
