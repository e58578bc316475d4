import { Link } from "react-router";
import { visible } from "@/lib/text";
import { useScope } from "@/parts/Scope";

/** SearchEvents leads from words that are no filter of deliveries to the events with this id of the publisher. */
export function SearchEvents({ words, tenant }: { words: string; tenant?: string }) {
  const { tenant: own } = useScope();
  const query = new URLSearchParams({ ...(tenant && !own ? { tenant } : {}), key: words });
  return (
    <Link to={`/events?${query}`} className="text-accent underline">
      Search events for {visible(words)}
    </Link>
  );
}
