import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { tenants } from "@/api/names";
import { visible } from "@/lib/text";
import { Button, ButtonLink } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field } from "@/parts/Form";
import { useScope } from "@/parts/Scope";

/** Add leads to a new endpoint: of the tenant, or of one that is asked for. */
export function Add({ tenant }: { tenant?: string }) {
  const { link } = useScope();
  const [asks, setAsks] = useState(false);
  if (tenant) {
    return (
      <ButtonLink look="primary" icon={Plus} to={link.newEndpoint(tenant)}>
        Add endpoint
      </ButtonLink>
    );
  }
  return (
    <>
      <Button look="primary" icon={Plus} onClick={() => setAsks(true)}>
        Add endpoint
      </Button>
      {asks && <ForWhom close={() => setAsks(false)} />}
    </>
  );
}

function ForWhom({ close }: { close: () => void }) {
  const { link } = useScope();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const { data } = useQuery(tenants());
  const chosen = typed || (data?.length === 1 ? (data[0]?.id ?? "") : "");
  return (
    <Dialog
      open
      onClose={close}
      title="Add an endpoint"
      sentence="Each endpoint belongs to a tenant, which is a customer of your platform."
      footer={
        data?.length === 0 ? (
          <ButtonLink look="primary" to="/tenants">
            Add a tenant first
          </ButtonLink>
        ) : (
          <Button look="primary" type="submit" form="for-whom" disabled={!chosen}>
            Choose the address
          </Button>
        )
      }
    >
      <form
        id="for-whom"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen) void navigate(link.newEndpoint(chosen));
        }}
      >
        <Field label="Tenant" hint={data?.length === 0 ? "There is no tenant yet." : undefined}>
          {(field) => (
            <select {...field} className="field" value={chosen} onChange={(event) => setTyped(event.target.value)}>
              <option value="" disabled>
                Choose one
              </option>
              {data?.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.id}
                  {each.name && each.name !== each.id ? ` (${visible(each.name)})` : ""}
                </option>
              ))}
            </select>
          )}
        </Field>
      </form>
    </Dialog>
  );
}
