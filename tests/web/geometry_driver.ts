// Runs the geometry of the front end for tests/web/test_geometry.py: one call a line, as JSON.
import { createInterface } from "node:readline";
import * as overlay from "../../frontend/src/overlay";
import * as region from "../../frontend/src/region";

const modules = { overlay, region };
const say = (answer) => process.stdout.write(JSON.stringify(answer ?? null) + "\n");

createInterface({ input: process.stdin }).on("line", (line) => {
  const [module, name, ...args] = JSON.parse(line);
  try {
    say({ answer: modules[module][name](...args) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
});
