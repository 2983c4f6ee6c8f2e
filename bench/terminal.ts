import { once, type EventEmitter } from 'node:events'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { Terminal } from '../packages/server/test/support/terminal.ts'
import type { TestEngine } from '../packages/server/test/support/test-engine.ts'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median, quantile, timed } from './support/statistics.ts'

export const name = 'terminal'
export const description = 'one key to the program and its echo back, beside the attach of the engine'
export const needs = ['engine'] as const

const ROUNDS = 500
const WARM_ROUNDS = 50

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start()
  try {
    const client = (await zund.client()).unchecked()
    // Two of the same, since what is typed into one terminal of a container shows in all of them.
    const [mine, raw] = await Promise.all(
      ['ours', 'raw'].map(
        async (which) => await client.run({ name: which, command: ['cat'], interactive: true, tty: true }),
      ),
    )
    if (mine === undefined || raw === undefined) throw new Error('there are no containers')
    const terminal = await Terminal.open(await client.expect<string>(200, 'GET', `/v1/containers/${mine.uuid}/attach`))
    const socket = await rawAttach(zund.engine, `zun-${raw.uuid}`)
    const rounds: { ours: number; engine: number }[] = []
    for (let round = 0; round < WARM_ROUNDS + ROUNDS; round += 1) {
      signal.throwIfAborted()
      const key = String.fromCharCode(0x61 + (round % 26))
      const engine = await timed(async () => await echoed(socket, 'data', () => socket.write(key)))
      const ours = await timed(async () => await echoed(terminal.ws, 'message', () => terminal.type(key)))
      if (round >= WARM_ROUNDS) rounds.push({ ours, engine })
    }
    socket.destroy()
    terminal.ws.close()
    const ours = rounds.map((r) => r.ours)
    const engine = rounds.map((r) => r.engine)
    const longer = median(rounds.map((r) => r.ours - r.engine))
    return [
      { what: 'engine, median', value: median(engine), unit: 'ms' },
      { what: 'ours, median', value: median(ours), unit: 'ms' },
      { what: 'ours beyond the engine, median', value: longer, unit: 'ms', aim: { atMost: 1 } },
      { what: 'engine, p99', value: quantile(engine, 0.99), unit: 'ms' },
      { what: 'ours, p99', value: quantile(ours, 0.99), unit: 'ms' },
    ]
  } finally {
    await zund.destroy()
  }
}

/** Until something comes back. */
async function echoed(from: EventEmitter, event: string, type: () => void): Promise<void> {
  const answer = once(from, event)
  type()
  await answer
}

async function rawAttach(engine: TestEngine, container: string): Promise<Duplex> {
  const call = request({
    socketPath: engine.socketPath,
    method: 'POST',
    path: `/containers/${container}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
    headers: { connection: 'Upgrade', upgrade: 'tcp' },
  })
  call.end()
  const [, socket] = (await once(call, 'upgrade')) as [unknown, Duplex]
  return socket
}
