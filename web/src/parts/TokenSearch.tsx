import { Search, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { cx } from "@/lib/text";
import { forAddress } from "@/lib/time";
import { format, fromParams, parse, refusal, type Token, toParams } from "@/lib/tokens";
import { useAddress } from "./Address";
import { Kbd, useKeys } from "./Keys";
import { useLive } from "./Live";

export type TokenKey = {
  key: string;
  /** What it selects: "state of the delivery". */
  hint: string;
  /** Values to offer, or where they come from. A list has all values that there are, unless there are more. */
  values?: readonly string[] | ((typed: string) => Promise<readonly Offer[]>);
  /** What the key takes besides the values that it offers. */
  more?: "times" | "others";
};

/** A value to offer, or one with what people call it: an endpoint's id with its description. */
export type Offer = string | { value: string; hint: string };

const valueOf = (offer: Offer) => (typeof offer === "string" ? offer : offer.value);
const hintOf = (offer: Offer) => (typeof offer === "string" ? "" : offer.hint);

const times = ["15m", "1h", "24h", "7d", "30d"] as const;

/** The keys of the time in which something was accepted. */
export const accepted: readonly TokenKey[] = [
  { key: "since", hint: "accepted after", values: times, more: "times" },
  { key: "until", hint: "accepted before", values: times, more: "times" },
];

type Suggestion = { text: string; hint: string; token?: Token };

/**
 * TokenSearch filters a list by tokens such as status:exhausted. The URL holds them, one parameter each, so that back,
 * reload and a link to a colleague show the same list. Words that are no token go to onWords; without it they stay, and
 * instead says what else can be done with them. A value that a key does not have stays, too: it would look like a filter.
 */
export function TokenSearch({ keys, placeholder = "Filter", onWords, instead }: { keys: readonly TokenKey[]; placeholder?: string; onWords?: (words: string) => void; instead?: (words: string) => ReactNode }) {
  const [params, change] = useAddress();
  const { zone } = useLive();
  const names = keys.map((key) => key.key);
  const tokens = fromParams(params, names);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [stray, setStray] = useState("");
  const [refused, setRefused] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const suggestions = useSuggestions(keys, tokens, text, open);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      input.current?.focus();
    },
  });

  const write = (next: (tokens: readonly Token[]) => readonly Token[]) => change((now) => toParams(now, names, next(fromParams(now, names))));
  const add = (token: Token) => {
    write((now) => [...now.filter((old) => old.key !== token.key), token]);
    setText("");
    setAt(0);
    setStray("");
    setRefused("");
    setOpen(false); // it would hide the first rows
  };
  const take = (suggestion: Suggestion) => {
    if (suggestion.token) return add(suggestion.token);
    setText(suggestion.text);
    setAt(0);
    input.current?.focus();
  };
  const commit = () => {
    const { tokens, words } = parse(text, names);
    const isTimes = (token: Token) => keys.some(({ key, more }) => key === token.key && more === "times");
    const problem = (token: Token) => keys.filter((key) => key.key === token.key).map((key) => refusal(key, token.value))[0];
    const typed = tokens.filter((token) => !problem(token)).map((token) => (isTimes(token) ? { ...token, value: forAddress(token.value, Date.now(), zone) } : token));
    const wrong = tokens.filter(problem);
    if (typed.length > 0) write((now) => [...now.filter((old) => !typed.some((token) => token.key === old.key)), ...typed]);
    if (words.length > 0 && onWords) onWords(words.join(" "));
    setStray(words.length > 0 && !onWords ? words.join(" ") : "");
    setRefused(wrong.map(problem).join(" "));
    setText([format(wrong), ...(onWords ? [] : words)].filter(Boolean).join(" "));
    setOpen(false);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const size = suggestions.length || 1;
      setAt((old) => (old + (event.key === "ArrowDown" ? 1 : size - 1)) % size);
    } else if (event.key === "Enter" || (event.key === "Tab" && text && open && suggestions[at])) {
      const suggestion = open ? suggestions[at] : undefined;
      const complete = parse(text, names).tokens.length > 0 && !suggestion?.token;
      event.preventDefault();
      if (suggestion && !complete) take(suggestion);
      else commit();
    } else if (event.key === "Escape") {
      if (open && suggestions.length > 0) setOpen(false);
      else input.current?.blur();
    } else if (event.key === "Backspace" && !text && tokens.length > 0) {
      write((now) => now.slice(0, -1));
    }
  };

  const shown = open && suggestions.length > 0;
  return (
    <div className="relative min-w-0 flex-1">
      <div
        className="field flex flex-wrap items-center gap-1.5 !py-1 !pl-2.5 focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-[var(--focus)]"
        onClick={() => input.current?.focus()}
      >
        <Search size={14} className="shrink-0 text-faint" aria-hidden />
        {tokens.map((token) => (
          <span key={token.key} className="inline-flex h-5.5 max-w-full items-center rounded-sm bg-accent-soft text-[12.5px]">
            <span className="shrink-0 pl-1.5 text-muted">{token.key}:</span>
            <span className="truncate font-medium" title={token.value}>
              {token.value}
            </span>
            <button
              type="button"
              aria-label={`Remove ${token.key}:${token.value}`}
              onClick={() => write((now) => now.filter((old) => old.key !== token.key))}
              className="inline-flex size-5.5 shrink-0 items-center justify-center text-muted hover:text-text"
            >
              <X size={12} aria-hidden />
            </button>
          </span>
        ))}
        <input
          ref={input}
          role="combobox"
          aria-label="Filter"
          aria-expanded={shown}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={shown ? `${listId}-${at}` : undefined}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={text}
          placeholder={tokens.length > 0 ? "" : placeholder}
          onChange={(event) => {
            setText(event.target.value);
            setStray("");
            setRefused("");
            setOpen(true);
            setAt(0);
          }}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={press}
          className="h-5.5 min-w-24 flex-1 bg-transparent outline-none placeholder:text-faint"
        />
        {!text && tokens.length === 0 && (
          <span className="hidden sm:block">
            <Kbd>/</Kbd>
          </span>
        )}
      </div>
      {refused && (
        <p role="status" className="mt-1 text-xs wrap-anywhere text-warn">
          {refused}
        </p>
      )}
      {stray && (
        <p role="status" className="mt-1 text-xs text-warn">
          Not a filter: {stray}. Use {names.map((name) => `${name}:`).join(" ")} {instead?.(stray)}
        </p>
      )}
      <ul
        id={listId}
        role="listbox"
        aria-label="Suggestions"
        className={cx("absolute top-full left-0 z-20 mt-1 max-h-80 w-full max-w-md overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-pop", !shown && "hidden")}
      >
        {shown &&
          suggestions.map((suggestion, i) => (
            <li
              key={suggestion.text}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === at}
              onMouseDown={(event) => {
                event.preventDefault(); // the input keeps the focus
                take(suggestion);
              }}
              onMouseEnter={() => setAt(i)}
              className={cx("flex h-7.5 cursor-pointer items-center justify-between gap-3 rounded-sm px-2", i === at && "bg-hover")}
            >
              <span className="min-w-16 truncate font-medium">{suggestion.text}</span>
              <span className="max-w-[60%] truncate text-xs text-muted">{suggestion.hint}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}

function useSuggestions(keys: readonly TokenKey[], tokens: readonly Token[], text: string, open: boolean): Suggestion[] {
  const [found, setFound] = useState<{ key: string; values: readonly Offer[] }>();
  const colon = text.indexOf(":");
  const name = colon < 0 ? "" : text.slice(0, colon).toLowerCase();
  const typed = colon < 0 ? text.toLowerCase() : text.slice(colon + 1).replace(/^"/, "").toLowerCase();
  const key = keys.find((each) => each.key === name);
  const source = key?.values;
  useEffect(() => {
    if (!open || typeof source !== "function") return;
    let late = false;
    source(typed).then(
      (values) => !late && setFound({ key: name, values }),
      () => !late && setFound(undefined), // suggestions are a convenience: without them one types
    );
    return () => {
      late = true;
    };
  }, [source, typed, name, open]);

  if (key) {
    const values = typeof source === "function" ? (found?.key === name ? found.values : []) : (source ?? []);
    return values
      .filter((offer) => `${valueOf(offer)} ${hintOf(offer)}`.toLowerCase().includes(typed))
      .slice(0, 20)
      .map((offer) => ({ text: valueOf(offer), hint: hintOf(offer), token: { key: name, value: valueOf(offer) } }));
  }
  if (colon >= 0) return [];
  const byKey = keys
    .filter((each) => each.key.startsWith(typed) && !tokens.some((token) => token.key === each.key))
    .map((each) => ({ text: `${each.key}:`, hint: each.hint }));
  const byValue = typed
    ? keys.flatMap((each) =>
        (Array.isArray(each.values) ? (each.values as readonly string[]) : [])
          .filter((value) => value.startsWith(typed))
          .map((value) => ({ text: `${each.key}:${value}`, hint: each.hint, token: { key: each.key, value } })),
      )
    : [];
  return [...byKey, ...byValue].slice(0, 12);
}
