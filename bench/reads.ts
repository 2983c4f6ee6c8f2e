import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient } from '../packages/server/test/support/api-client.ts'
import type { Figure } from './support/bench.ts'
import { ChildServer } from './support/child.ts'
import { httpRequest, load } from './support/load.ts'
import { median, quantile } from './support/statistics.ts'

export const name = 'reads'
export const description = 'GET of lists and one container with a validated token, beside a bare server'

const ROUNDS = 3
const CONNECTIONS = [1, 8, 32]
const SERVER = join(import.meta.dirname, 'support')

interface Path {
  readonly what: string
  readonly path: string
  /** Requests of one round on one connection count. */
  readonly requests: number
  readonly atLeast?: number
}

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  await using service = await ChildServer.start<{ port: number; token: string; uuids: string[] }>(
    join(SERVER, 'sim-service.ts'),
    ['1000'],
  )
  const { port, token, uuids } = service.ready
  const paths: Path[] = [
    { what: 'show', path: `/v1/containers/${uuids[0]}`, requests: 4_000, atLeast: 0.5 },
    { what: 'list of 100', path: '/v1/containers?limit=100', requests: 600, atLeast: 0.2 },
    { what: 'list of 1,000', path: '/v1/containers?limit=1000', requests: 60 },
    { what: 'version document', path: '/', requests: 4_000 },
  ]
  const client = new ApiClient(`http://127.0.0.1:${port}`, token, '')
  const directory = mkdtempSync(join(tmpdir(), 'zund-bench-'))
  try {
    const bodies: Record<string, unknown> = {}
    for (const { path } of paths) bodies[path.split('?')[0] + suffix(path)] = (await client.call('GET', path)).body
    writeFileSync(join(directory, 'bodies.json'), JSON.stringify(bodies))
    await using bytes = await ChildServer.start<{ port: number }>(join(SERVER, 'bare-server.ts'), [
      join(directory, 'bodies.json'),
      'bytes',
    ])
    await using stringify = await ChildServer.start<{ port: number }>(join(SERVER, 'bare-server.ts'), [
      join(directory, 'bodies.json'),
      'stringify',
    ])
    const figures: Figure[] = []
    for (const path of paths) {
      for (const connections of CONNECTIONS) {
        signal.throwIfAborted()
        figures.push(
          ...(await compare(path, connections, { port, token, bytes: bytes.ready.port, text: stringify.ready.port })),
        )
      }
    }
    return figures
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** A bare server has one path a body. */
function suffix(path: string): string {
  const limit = /limit=(\d+)/.exec(path)?.[1]
  return limit === undefined ? '' : `/${limit}`
}

async function compare(
  { what, path, requests, atLeast }: Path,
  connections: number,
  at: { port: number; token: string; bytes: number; text: number },
): Promise<Figure[]> {
  const headers = { 'X-Auth-Token': at.token, 'OpenStack-API-Version': 'container 1.40' }
  const ours = httpRequest('GET', path, headers)
  const bare = httpRequest('GET', path.split('?')[0] + suffix(path), headers)
  const rates = { ours: [] as number[], bytes: [] as number[], text: [] as number[] }
  const latencies: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const mine = await load({ port: at.port, connections, requests, request: () => ours })
    const raw = await load({ port: at.bytes, connections, requests, request: () => bare })
    const encoded = await load({ port: at.text, connections, requests, request: () => bare })
    for (const { statuses } of [mine, raw, encoded])
      if (statuses.get(200) !== requests) throw new Error(`${what}: not all were 200`)
    if (round === 0) continue
    rates.ours.push(mine.perSecond)
    rates.bytes.push(raw.perSecond)
    rates.text.push(encoded.perSecond)
    latencies.push(...mine.latencies)
  }
  const label = `${what}, ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    { what: `${label}: requests`, value: median(rates.ours), unit: '/s' },
    { what: `${label}: p99`, value: quantile(latencies, 0.99), unit: 'ms' },
    {
      what: `${label}: of a bare server that sends the same bytes`,
      value: median(rates.ours) / median(rates.bytes),
      unit: 'x',
      ...(atLeast === undefined ? {} : { aim: { atLeast } }),
    },
    {
      what: `${label}: of a bare server that stringifies the same object`,
      value: median(rates.ours) / median(rates.text),
      unit: 'x',
    },
  ]
}
