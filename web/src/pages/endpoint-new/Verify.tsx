import { useState } from "react";
import { Button } from "@/parts/Button";
import { CodeBlock } from "@/parts/Code";
import { Choice } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { samples } from "./samples";

/** Verify shows programs that verify what the endpoint gets. next is what to do then, for who may send tests. */
export function Verify({ secret, next }: { secret?: string; next?: string }) {
  const { can } = useScope();
  const [language, setLanguage] = useState<string>("JavaScript");
  const [shown, setShown] = useState(false);
  const sample = samples.find((each) => each.language === language) ?? samples[0];
  return (
    <Panel title="Verify what arrives">
      <div className="space-y-3">
        <p className="text-muted">Each request is signed with the endpoint's secret. Check the signature: anybody can send requests to your URL.{next && can("test") && ` ${next}`}</p>
        {secret && can("view_secret") && (
          <div>
            {shown ? (
              <CodeBlock title="WEBHOOK_SECRET" code={secret} />
            ) : (
              <Button size="sm" onClick={() => setShown(true)}>
                Show the secret
              </Button>
            )}
          </div>
        )}
        <Choice label="Language" value={language} values={samples.map((each) => [each.language, each.language] as const)} onChange={setLanguage} />
        {sample && (
          <>
            <CodeBlock code={sample.install} title="Library" />
            <CodeBlock code={sample.code} title="Code" />
          </>
        )}
      </div>
    </Panel>
  );
}
