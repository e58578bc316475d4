import { Route, Routes } from "react-router";
import { PageHeader } from "@/parts/Page";
import { Tabs } from "@/parts/Tabs";
import { Options } from "./Options";
import { Sessions } from "./Sessions";

/** Settings shows the options of the server, and who is signed in to the console. */
export default function Settings() {
  return (
    <>
      <PageHeader title="Settings" sentence="How the node that answers you was started, and who is signed in." />
      <Tabs
        label="Settings"
        tabs={[
          { to: "/settings", label: "Options", end: true },
          { to: "/settings/sessions", label: "Sessions" },
        ]}
      />
      <Routes>
        <Route index element={<Options />} />
        <Route path="sessions" element={<Sessions />} />
      </Routes>
    </>
  );
}
