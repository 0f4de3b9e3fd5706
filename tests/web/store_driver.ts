// Runs the pure modules of the front end for tests/web/test_store.py: one call a line, as JSON.
import { createInterface } from "node:readline";
import * as selection from "../../frontend/src/store/selection";
import * as spelling from "../../frontend/src/store/spelling";
import * as state from "../../frontend/src/store/state";
import * as undo from "../../frontend/src/store/undo";

const modules = { selection, spelling, state, undo };
const say = (answer) => process.stdout.write(JSON.stringify(answer ?? null) + "\n");

createInterface({ input: process.stdin }).on("line", (line) => {
  const [module, name, ...args] = JSON.parse(line);
  try {
    say({ answer: modules[module][name](...args) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
});
