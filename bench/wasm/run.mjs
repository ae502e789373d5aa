// SPDX-License-Identifier: Apache-2.0
// Runs a module with what little of WASI the programs need: node run.mjs MODULE ARGUMENT...
// With WASM_BENCH_REPORT=FILE: seconds in _start and the most memory that was resident, in KB, go there.
import { readFileSync, writeFileSync, writeSync } from 'node:fs'

const [path, ...words] = process.argv.slice(2)
const words_of_it = [path, ...words].map(word => Buffer.from(word + '\0'))
let memory
const view = () => new DataView(memory.buffer)

class Exit {
  constructor(status) { this.status = status }
}

const BAD_DESCRIPTOR = 8, NOT_SUPPORTED = 58, CHARACTER_DEVICE = 2

const wasi = {
  args_sizes_get(count, bytes) {
    view().setUint32(count, words_of_it.length, true)
    view().setUint32(bytes, words_of_it.reduce((sum, word) => sum + word.length, 0), true)
    return 0
  },
  args_get(pointers, bytes) {
    for (const word of words_of_it) {
      view().setUint32(pointers, bytes, true)
      new Uint8Array(memory.buffer, bytes).set(word)
      pointers += 4
      bytes += word.length
    }
    return 0
  },
  fd_write(descriptor, pieces, count, written) {
    let sum = 0
    if (descriptor !== 1 && descriptor !== 2)
      return BAD_DESCRIPTOR
    for (let i = 0; i < count; i++) {
      const at = view().getUint32(pieces + 8 * i, true), length = view().getUint32(pieces + 8 * i + 4, true)
      sum += writeSync(descriptor, new Uint8Array(memory.buffer, at, length))
    }
    view().setUint32(written, sum, true)
    return 0
  },
  fd_fdstat_get(descriptor, at) {
    new Uint8Array(memory.buffer, at, 24).fill(0)
    view().setUint8(at, CHARACTER_DEVICE)
    return descriptor <= 2 ? 0 : BAD_DESCRIPTOR
  },
  fd_close: () => 0,
  fd_seek: () => NOT_SUPPORTED,
  proc_exit(status) { throw new Exit(status) },
}

function report(milliseconds) {
  if (!process.env.WASM_BENCH_REPORT)
    return
  const peak = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
  writeFileSync(process.env.WASM_BENCH_REPORT, `${(milliseconds / 1000).toFixed(6)} ${peak}\n`)
}

const { instance } = await WebAssembly.instantiate(readFileSync(path), { wasi_snapshot_preview1: wasi })
memory = instance.exports.memory
const start = performance.now()
try {
  instance.exports._start()
} catch (error) {
  if (!(error instanceof Exit))
    throw error
  process.exitCode = error.status
}
report(performance.now() - start)
