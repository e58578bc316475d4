/** Programs that verify deliveries of the Standard Webhooks dialect, with the libraries of that standard. */

export type Sample = { language: string; install: string; code: string };

export const samples: readonly Sample[] = [
  {
    language: "JavaScript",
    install: "npm install standardwebhooks",
    code: `import { Webhook } from "standardwebhooks";

// body is the request's body as it arrived, before any JSON parser.
const event = new Webhook(process.env.WEBHOOK_SECRET).verify(body, request.headers);`,
  },
  {
    language: "Python",
    install: "pip install standardwebhooks",
    code: `from standardwebhooks.webhooks import Webhook

# request.get_data() is the body as it arrived.
event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(request.get_data(), request.headers)`,
  },
  {
    language: "Go",
    install: "go get github.com/standard-webhooks/standard-webhooks/libraries",
    code: `import standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

wh, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
// ...
body, err := io.ReadAll(r.Body)
// ...
err = wh.Verify(body, r.Header)`,
  },
  {
    language: "Java",
    install: "com.standardwebhooks:standardwebhooks, from Maven Central",
    code: `import com.standardwebhooks.Webhook;

// body is the request's body as it arrived; headers are java.net.http.HttpHeaders.
new Webhook(System.getenv("WEBHOOK_SECRET")).verify(body, headers);`,
  },
  {
    language: "Ruby",
    install: "gem install standardwebhooks",
    code: `require "standardwebhooks"

# request.body.read is the body as it arrived.
event = StandardWebhooks::Webhook.new(ENV["WEBHOOK_SECRET"]).verify(request.body.read, headers)`,
  },
  {
    language: "PHP",
    install: "composer require standard-webhooks/standard-webhooks",
    code: `use StandardWebhooks\\Webhook;

// php://input is the body as it arrived.
$event = (new Webhook(getenv('WEBHOOK_SECRET')))->verify(file_get_contents('php://input'), getallheaders());`,
  },
];
