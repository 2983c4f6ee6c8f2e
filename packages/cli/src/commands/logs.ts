import type { IncomingMessage } from 'node:http'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { write, type Context } from '../context.ts'
import { EXIT, Failure, Misuse } from '../failures.ts'
import { timeOf } from '../words.ts'

export const logs: Command = {
  name: 'logs',
  about: 'Shows what a container has written',
  operands: 'CONTAINER',
  count: [1, 1],
  completes: 'containers',
  options: {
    follow: { short: 'f', about: 'go on with what is written, until the container ends' },
    tail: { short: 'n', value: 'LINES', about: 'so many lines from the end, or all' },
    since: { value: 'TIME', about: 'ISO 8601, seconds since 1970, or 10m for ten minutes ago' },
    timestamps: { short: 't', about: 'a time before each line' },
  },
  run: async (args, context) => {
    const query = queryOf(args)
    const api = await context.api()
    const uuid = await api.uuidOf(args.operand(0))
    if (args.has('follow')) await follow(api, context, uuid, query)
    else await write(context.stdout, await api.call<string>('GET', `containers/${uuid}/logs`, { query }))
    return EXIT.ok
  },
}

type Query = Record<string, string | boolean>

function queryOf(args: Parsed): Query {
  const tail = args.text('tail')
  if (tail !== undefined && tail !== 'all' && !/^\d{1,9}$/.test(tail)) {
    throw new Misuse(`--tail is '${tail}', and must be a whole number or all`)
  }
  const since = args.text('since')
  return {
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since: String(secondsOf(since, Date.now())) }),
    ...(args.has('timestamps') ? { timestamps: true } : {}),
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Since 1970. */
export function secondsOf(text: string, now: number): number {
  const [, n, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (n !== undefined) return Math.floor(now / 1000) - Number(n) * (SECONDS[unit] ?? 1)
  const time = /^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) : timeOf(text) / 1000
  if (Number.isNaN(time))
    throw new Misuse(`--since is '${text}', and must be a time (2026-05-04T10:00:00Z), seconds or 10m`)
  return Math.floor(time)
}

/** Both outputs each to its own, until the container ends. */
export async function follow(api: Api, context: Context, uuid: string, query: Query): Promise<void> {
  if (!api.has('streams')) throw new Failure('this service cannot follow what is written (no extension streams)')
  const answer = await api.open('GET', `containers/${uuid}/logs`, {
    query: { ...query, follow: true },
    headers: { accept: 'application/vnd.docker.multiplexed-stream' },
    timeoutMs: 0,
  })
  const framed = String(answer.headers['content-type']).includes('multiplexed')
  if (framed) await unframe(context, answer)
  else for await (const chunk of answer as AsyncIterable<Buffer>) await write(context.stdout, chunk)
}

async function unframe(context: Context, answer: IncomingMessage): Promise<void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4)
      if (rest.length < 8 + length) break
      const payload = rest.subarray(8, 8 + length)
      if (rest[0] === 3) throw new Failure(payload.toString('utf8'))
      await write(rest[0] === 2 ? context.stderr : context.stdout, payload)
      rest = rest.subarray(8 + length)
    }
  }
}
