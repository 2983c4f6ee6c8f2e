import { setTimeout as sleep } from 'node:timers/promises'
import type { ListedContainer, Stats } from '@zund/client'
import type { Api } from '../api.ts'
import { FORMAT, type Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { say, write, type Context } from '../context.ts'
import { EXIT, Refused } from '../failures.ts'
import { printList, widthOf, type Shown } from '../output/print.ts'
import { table } from '../output/table.ts'
import { StatsFeed } from '../stats-feed.ts'
import { bytes } from '../words.ts'

const PAUSE_MS = 1000

export const stats: Command = {
  name: 'stats',
  about: 'Shows what containers use: those that are named, or all that run; on a terminal anew each second',
  operands: '[CONTAINER...]',
  count: [0, 100],
  completes: 'containers',
  options: { 'no-stream': { about: 'once' }, ...FORMAT },
  run: show,
}

interface Row {
  readonly uuid: string
  readonly name: string
  /** null: it does not run. */
  readonly stats: Stats | null
}

const COLUMNS: readonly Shown<Row>[] = [
  { title: 'NAME', least: 10, of: ({ name }) => name },
  { title: 'CPU %', least: 7, of: ({ stats: s }) => (s === null ? '-' : s['CPU %'].toFixed(2)) },
  { title: 'MEMORY', least: 9, of: ({ stats: s }) => (s === null ? '-' : `${s['MEM USAGE(MiB)'].toFixed(1)} MiB`) },
  { title: 'LIMIT', of: ({ stats: s }) => (s === null ? '-' : `${s['MEM LIMIT(MiB)'].toFixed(0)} MiB`) },
  { title: 'MEM %', of: ({ stats: s }) => (s === null ? '-' : s['MEM %'].toFixed(2)) },
  { title: 'NET IN / OUT', of: ({ stats: s }) => both(s?.['NET I/O(B)']) },
  { title: 'BLOCK IN / OUT', of: ({ stats: s }) => both(s?.['BLOCK I/O(B)']) },
]

function both(text: string | undefined): string {
  if (text === undefined) return '-'
  return text
    .split('/')
    .map((n) => bytes(Number(n)))
    .join(' / ')
}

async function show(args: Parsed, context: Context): Promise<number> {
  const api = await context.api()
  const live = !args.has('no-stream') && context.stdout.isTTY && (args.text('output') ?? 'table') === 'table'
  if (live) return await watch(api, args, context)
  for (;;) {
    const rows = await read(api, await chosen(api, args.operands))
    await printList(context, args, rows, { columns: COLUMNS, name: ({ name }) => name })
    if (args.has('no-stream') || context.stdout.isTTY) return EXIT.ok
    await sleep(PAUSE_MS, undefined, { signal: context.signal })
  }
}

/** Drawn anew until Ctrl-C. A service without streams is asked each time. */
async function watch(api: Api, args: Parsed, context: Context): Promise<never> {
  const feed = api.has('streams') ? new StatsFeed(api) : null
  try {
    for (;;) {
      const containers = await chosen(api, args.operands)
      feed?.follow(containers.map(({ uuid }) => uuid))
      const rows = feed === null ? await read(api, containers) : containers.map((one) => latest(feed, one))
      const cells = rows.map((row) => COLUMNS.map((column) => column.of(row)))
      const lines = table(COLUMNS, cells, widthOf(context)).slice(0, Math.max(1, (context.stdout.rows || 24) - 1))
      await write(context.stdout, `\u001B[H\u001B[2J`)
      await say(context, lines.join('\n'))
      await sleep(PAUSE_MS, undefined, { signal: context.signal })
    }
  } finally {
    feed?.close()
  }
}

function latest(feed: StatsFeed, { uuid, name }: Pick<ListedContainer, 'uuid' | 'name'>): Row {
  return { uuid, name: name ?? uuid, stats: feed.latest(uuid) }
}

async function chosen(api: Api, idents: readonly string[]): Promise<readonly Pick<ListedContainer, 'uuid' | 'name'>[]> {
  if (idents.length === 0) return await api.list<ListedContainer>('containers', 'containers', { status: 'Running' })
  const found = []
  for (const ident of idents) found.push(await api.container(ident))
  return found
}

async function read(api: Api, containers: readonly Pick<ListedContainer, 'uuid' | 'name'>[]): Promise<Row[]> {
  return await Promise.all(
    containers.map(async ({ uuid, name }) => {
      try {
        return { uuid, name: name ?? uuid, stats: await api.call<Stats>('GET', `containers/${uuid}/stats`) }
      } catch (error) {
        // It has ended between two looks.
        if (error instanceof Refused && (error.status === 404 || error.status === 409))
          return { uuid, name: name ?? uuid, stats: null }
        throw error
      }
    }),
  )
}
