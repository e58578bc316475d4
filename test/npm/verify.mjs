// Verifies deliveries with the public libraries for receivers. Each line of the input is a delivery,
// {"secret", "headers", "body"} with the body in base64; each line of the output says for every library
// whether it accepted the delivery, and whether it refused the same one with a byte more.
import { createInterface } from "node:readline";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const libraries = { standardwebhooks: StandardWebhook, svix: SvixWebhook };

function verdict(Webhook, { secret, headers }, body) {
  try {
    new Webhook(secret).verify(body, headers);
    return "accepted";
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line);
  const body = Buffer.from(delivery.body, "base64").toString("utf8");
  const result = {};
  for (const [name, Webhook] of Object.entries(libraries)) {
    result[name] = { genuine: verdict(Webhook, delivery, body), forged: verdict(Webhook, delivery, body + " ") };
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
