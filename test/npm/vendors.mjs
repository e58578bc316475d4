// Verifies deliveries in wire formats that files declare, with libraries that receivers use. Each line of the input is a delivery,
// {"dialect", "secret", "url", "headers", "body"}; each line of the output says whether it was accepted, and whether it was
// refused with a byte more.
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { verify as verifyGitHub } from "@octokit/webhooks-methods";
import { verifyRequestSignature as verifySlack } from "@slack/events-api/dist/http-handler.js";
import { HTTP } from "cloudevents";
import Stripe from "stripe";
import twilio from "twilio/lib/webhooks/webhooks.js";
import verifyShopifyWebhook from "verify-shopify-webhook";

const verifyShopify = verifyShopifyWebhook.default;
const stripe = new Stripe("sk_test_unused");

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
  // The library of others: Shopify's own brings its whole API.
  async shopify({ secret, headers }, body) {
    const { verified, topic } = await verifyShopify(Object.assign(Readable.from([Buffer.from(body)]), { headers }), secret);
    if (!verified) {
      throw new Error("wrong signature");
    }
    return { id: headers["x-shopify-event-id"], type: topic, data: JSON.parse(body) };
  },
  slack({ secret, headers }, body) {
    verifySlack({
      signingSecret: secret, requestSignature: headers["x-slack-signature"], requestTimestamp: Number(headers["x-slack-request-timestamp"]), body,
    });
    const callback = JSON.parse(body);
    return { id: callback.event_id, type: callback.type, data: callback.event };
  },
  twilio({ secret, headers, url }, body) {
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (!twilio.validateRequest(secret, headers["x-twilio-signature"], url, fields)) {
      throw new Error("wrong signature");
    }
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
