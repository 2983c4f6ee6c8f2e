import { request } from 'node:http'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { TestEngine } from '../packages/server/test/support/test-engine.ts'
import type { Figure } from './support/bench.ts'
import { median, timed } from './support/statistics.ts'

export const name = 'exec'
export const description = 'execute with run=true, beside the raw exec calls of the engine'
export const needs = ['engine'] as const

const ROUNDS = 60

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start()
  try {
    const client = (await zund.client()).unchecked()
    const { uuid } = await client.run({ name: 'exec' })
    const rounds: { ours: number; engine: number }[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      signal.throwIfAborted()
      const engine = await timed(() => rawExec(zund.engine, `zun-${uuid}`))
      const ours = await timed(() =>
        client.expect(200, 'POST', `/v1/containers/${uuid}/execute`, { body: { command: 'echo hello' } }),
      )
      if (round > 0) rounds.push({ ours, engine })
    }
    const ours = median(rounds.map((r) => r.ours))
    const engine = median(rounds.map((r) => r.engine))
    return [
      { what: 'raw engine, median', value: engine, unit: 'ms' },
      { what: 'ours, median', value: ours, unit: 'ms' },
      { what: 'ours to raw', value: ours / engine, unit: 'x', aim: { atMost: 1.2 } },
    ]
  } finally {
    await zund.destroy()
  }
}

/** Create, start with the output read to its end, inspect for the exit code. */
async function rawExec(engine: TestEngine, container: string): Promise<void> {
  const { Id } = await engine.api<{ Id: string }>('POST', `/containers/${container}/exec`, {
    Cmd: ['echo', 'hello'],
    AttachStdout: true,
    AttachStderr: true,
  })
  await new Promise<void>((resolve, reject) => {
    const call = request(
      {
        socketPath: engine.socketPath,
        method: 'POST',
        path: `/exec/${Id}/start`,
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        answer.resume()
        answer.on('end', resolve)
        answer.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end(JSON.stringify({ Detach: false, Tty: false }))
  })
  await engine.api('GET', `/exec/${Id}/json`)
}
