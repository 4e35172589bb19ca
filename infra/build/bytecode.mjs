// Compiles a folder's Python files to CPython 3.13 bytecode: node bytecode.mjs FOLDER PREFIX PYODIDE
// Pyodide is CPython built for WebAssembly. Bytecode depends on CPython's minor version only, not on the
// processor, so this makes on any machine what Lambda's Python 3.13 loads.
import { pathToFileURL } from "node:url";

const [folder, prefix, module] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(module));
const pyodide = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
pyodide.FS.mkdirTree("/build");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/build");
pyodide.globals.set("prefix", prefix);
const compiled = pyodide.runPython(`
import compileall, py_compile, sys
assert sys.version_info[:2] == (3, 13), sys.version
compileall.compile_dir("/build", quiet=1, force=True, stripdir="/build", prependdir=prefix,
                       maxlevels=50, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`);
process.exit(compiled ? 0 : 1);
