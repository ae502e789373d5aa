// SPDX-License-Identifier: Apache-2.0
// Assembles: a line {"text": ...} is answered by {"binary": hex} or {"refused": message}.
// Argument: the component of wasm-tools.
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const wasmTools = await import(pathToFileURL(process.argv[2]));
await wasmTools.$init;
const parse = wasmTools.parse ?? wasmTools.tools.parse;

function answer({ text }) {
  try {
    return { binary: Buffer.from(parse(text)).toString('hex') };
  } catch (error) {
    return { refused: String(error.payload ?? error.message ?? error) };
  }
}

for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
