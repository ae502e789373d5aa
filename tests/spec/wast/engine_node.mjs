// SPDX-License-Identifier: Apache-2.0
// Holds modules and instances, and calls them: a line of JSON asks, a line answers. engines.py says what.
import readline from 'node:readline';

const modules = new Map();
const instances = new Map();
const imports = { __proto__: null, spectest: spectest() };
const externs = new Map(); // number -> the object that stands for it
const numbers = new Map(); // and back

function spectest() {
  const silent = () => {};
  const prints = ['print', 'print_i32', 'print_i64', 'print_f32', 'print_f64', 'print_i32_f32', 'print_f64_f64'];
  const constant = (value, number) => new WebAssembly.Global({ value }, number);
  return {
    ...Object.fromEntries(prints.map((name) => [name, silent])),
    global_i32: constant('i32', 666),
    global_i64: constant('i64', 666n),
    global_f32: constant('f32', 666.6),
    global_f64: constant('f64', 666.6),
    table: new WebAssembly.Table({ initial: 10, maximum: 20, element: 'anyfunc' }),
    table64: new WebAssembly.Table({ initial: 10n, maximum: 20n, element: 'anyfunc', address: 'i64' }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}

// ---- Values: a kind and its bits in hexadecimal -----------------------------------------------------

const bits = new DataView(new ArrayBuffer(8));

const fromBits = {
  i32: (n) => Number(BigInt.asIntN(32, n)),
  i64: (n) => BigInt.asIntN(64, n),
  f32: (n) => (bits.setUint32(0, Number(n)), bits.getFloat32(0)),
  f64: (n) => (bits.setBigUint64(0, n), bits.getFloat64(0)),
  null: () => null,
  extern: (n) => extern(Number(n)),
};

const toBits = {
  i32: (value) => BigInt(value >>> 0),
  i64: (value) => BigInt.asUintN(64, value),
  f32: (value) => (bits.setFloat32(0, value), BigInt(bits.getUint32(0))),
  f64: (value) => (bits.setFloat64(0, value), bits.getBigUint64(0)),
};

function extern(number) {
  if (!externs.has(number)) {
    const object = { extern: number };
    externs.set(number, object);
    numbers.set(object, number);
  }
  return externs.get(number);
}

function described(value, kind) {
  if (value === null) return ['null', '0'];
  if (typeof value === 'bigint') return ['i64', toBits.i64(value).toString(16)];
  if (typeof value === 'number' && kind in toBits && kind !== 'i64') return [kind, toBits[kind](value).toString(16)];
  if (typeof value === 'function') return ['func', '0'];
  if (numbers.has(value)) return ['extern', numbers.get(value).toString(16)];
  return ['any', '0'];
}

// ---- Questions ------------------------------------------------------------------------------------------

const verbs = {
  define({ module, binary }) {
    modules.set(module, new WebAssembly.Module(Buffer.from(binary, 'hex')));
    return { what: 'ok' };
  },
  instantiate({ instance, module }) {
    instances.set(instance, new WebAssembly.Instance(modules.get(module), imports));
    return { what: 'ok' };
  },
  register({ name, instance }) {
    imports[name] = instances.get(instance).exports;
    return { what: 'ok' };
  },
  invoke({ instance, name, arguments: given, kinds }) {
    const passed = given.map(([kind, n]) => fromBits[kind](BigInt('0x' + n)));
    const results = instances.get(instance).exports[name](...passed);
    const list = results === undefined ? [] : Array.isArray(results) ? results : [results];
    return { what: 'values', values: list.map((value, i) => described(value, kinds[i])) };
  },
  get({ instance, name, kinds }) {
    return { what: 'values', values: [described(instances.get(instance).exports[name].value, kinds[0])] };
  },
};

function failure(error, verb) {
  const text = String(error?.message ?? error);
  if (error instanceof WebAssembly.Exception) return { what: 'exception' };
  if (error instanceof WebAssembly.SuspendError) return { what: 'suspension', text };
  if (error instanceof WebAssembly.CompileError) return { what: 'invalid', text };
  if (error instanceof WebAssembly.RuntimeError) return { what: 'trap', text };
  if (error instanceof RangeError && /call stack/.test(text)) return { what: 'exhaustion', text };
  if (error instanceof WebAssembly.LinkError) return { what: 'unlinkable', text };
  if (error instanceof TypeError && verb === 'instantiate') return { what: 'unlinkable', text };
  if (error instanceof TypeError && /transforming (from|to|value)/.test(text))
    return { what: 'gap', text: 'node: JavaScript cannot hold such a value' };
  return { what: 'died', text };
}

function answer(question) {
  try {
    return verbs[question.verb](question);
  } catch (error) {
    return failure(error, question.verb);
  }
}

for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
