#!/usr/bin/env node
/** argv, signals, exit status. Commands are loaded when they are called. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { main } = await import('./cli.ts')

// Whoever read may have seen enough, as in `zund ps | head -1`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(process.exitCode ?? 0)
  })
}

process.exit(await main(process.argv.slice(2)))
