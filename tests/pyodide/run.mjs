// Runs inside.py in Pyodide: node run.mjs SITE SOURCE, with the packages in the folder SITE.
import { loadPyodide } from "pyodide";

const [site, source] = process.argv.slice(2);
const pyodide = await loadPyodide();
pyodide.mountNodeFS("/site", site);
pyodide.mountNodeFS("/source", source);
const code = `
import sys
sys.path[:0] = ["/site", "/source"]
import inside
await inside.main()
`;
try {
  await pyodide.runPythonAsync(code);
} catch (error) {
  // Node would print the whole of Pyodide's source, which is one line.
  console.error(error.message);
  process.exit(1);
}
