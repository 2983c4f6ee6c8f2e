import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Figure } from './support/bench.ts'
import { ChildServer } from './support/child.ts'
import { median, timed } from './support/statistics.ts'

export const name = 'cli'
export const description = './zund ps, from spawn to exit, beside a Node that does nothing'

const ROUNDS = 30
const ROOT = join(import.meta.dirname, '..')
const call = promisify(execFile)

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  await using service = await ChildServer.start<{ port: number; token: string }>(
    join(import.meta.dirname, 'support/sim-service.ts'),
    ['0'],
  )
  const home = mkdtempSync(join(tmpdir(), 'zund-bench-'))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    OS_AUTH_TYPE: 'v3token',
    OS_AUTH_URL: `http://127.0.0.1:${service.ready.port}/identity`,
    OS_TOKEN: service.ready.token,
    OS_PROJECT_NAME: 'demo',
  }
  try {
    const rounds: { ours: number; node: number; main: number }[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      signal.throwIfAborted()
      const node = await timed(() => call(process.execPath, ['-e', '0'], { env }))
      const ours = await timed(() => call(join(ROOT, 'zund'), ['ps'], { env }))
      const cache = { ...env, NODE_COMPILE_CACHE: join(home, 'compiled') }
      const main = await timed(() =>
        call(process.execPath, [join(ROOT, 'packages/cli/src/main.ts'), 'ps'], { env: cache }),
      )
      // The first one logs in and compiles.
      if (round > 0) rounds.push({ ours, node, main })
    }
    const [ours, node, main] = [rounds.map((r) => r.ours), rounds.map((r) => r.node), rounds.map((r) => r.main)].map(
      median,
    )
    return [
      { what: 'node -e 0, median', value: node ?? 0, unit: 'ms' },
      { what: 'ps without the launcher, median', value: main ?? 0, unit: 'ms' },
      { what: './zund ps, median', value: ours ?? 0, unit: 'ms', aim: { atMost: 100 } },
      { what: './zund ps to node -e 0', value: (ours ?? 0) / (node ?? 1), unit: 'x', aim: { atMost: 2.5 } },
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
