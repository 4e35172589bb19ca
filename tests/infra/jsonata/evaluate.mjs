// Reads JSON from stdin: a list of expressions, and a list of what `$states` holds. Prints, for each expression,
// what it comes to with each: `{"value": …}`, `{}` for undefined, or `{"error": code}`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const jsonata = createRequire(`${process.cwd()}/package.json`)("jsonata");
const { expressions, bindings } = JSON.parse(readFileSync(0, "utf8"));

async function outcome(expression, states) {
  try {
    const value = await jsonata(expression).evaluate(undefined, { states });
    return value === undefined ? {} : { value };
  } catch (error) {
    return { error: error.code };
  }
}

const outcomes = [];
for (const expression of expressions) {
  const row = [];
  for (const states of bindings) row.push(await outcome(expression, states));
  outcomes.push(row);
}
process.stdout.write(JSON.stringify(outcomes));
