import { spawn } from 'node:child_process'

/** Runs a program to its end; throws with the end of what it said when it fails. */
export async function run(argv: readonly [string, ...string[]], o: { signal: AbortSignal }): Promise<string> {
  const [file, ...args] = argv
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], signal: o.signal })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return said
  const tail = said.trimEnd().split('\n').slice(-15).join('\n')
  throw new Error(`${argv.join(' ')} failed${tail === '' ? '' : `:\n${tail}`}`)
}
