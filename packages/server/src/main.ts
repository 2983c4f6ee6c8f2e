#!/usr/bin/env node
/** argv, signals, exit code. Nothing else may end the process. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { run } = await import('./compose/commands/run.ts')

// Whoever read may have seen enough, as in `zund status | head -1`: that ends neither a command nor a service.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** Started in the background by `up --detach`: what is said until it is ready goes to the parent (commands/up.ts). */
function say(kind: 'out' | 'err', line: string): void {
  if (process.connected) process.send?.({ kind, line })
  else (kind === 'out' ? process.stdout : process.stderr).write(`${line}\n`)
}

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => say('out', line),
  err: (line) => say('err', line),
})
if (process.connected) process.disconnect()
