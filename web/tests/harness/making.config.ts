import { fileURLToPath } from "node:url";
import { mergeConfig } from "vite";
import take from "./take.config.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The page of the tests of what is made from files, built and served as that of the take tests is. */
export default mergeConfig(
  { ...take, build: { ...take.build, rolldownOptions: {} } },
  { build: { rolldownOptions: { input: `${here}making.html` } } },
);
