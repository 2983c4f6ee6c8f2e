import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { systemEnvironment } from './daemons.ts'
import type { Places } from './places.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 5 * 60_000

/** Runs a program of the distribution to its end; what it says is kept in a log, and told when it fails. */
export async function command(places: Places, argv: readonly [string, ...string[]]): Promise<string> {
  const [file, ...args] = argv
  const options = { env: systemEnvironment(), timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024, cwd: '/' }
  try {
    const { stdout, stderr } = await run(file, args, options)
    appendFileSync(places.log('commands'), `$ ${argv.join(' ')}\n${stdout}${stderr}`)
    return stdout
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const said = 'stderr' in error ? String(error.stderr).trimEnd().split('\n').slice(-15).join('\n') : ''
    throw new Error(`${argv.slice(0, 4).join(' ')} failed: ${said === '' ? error.message : said}`, { cause: error })
  }
}
