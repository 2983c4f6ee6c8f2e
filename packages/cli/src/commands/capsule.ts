import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Capsule } from '@zund/client'
import { segment, type Api } from '../api.ts'
import { FORMAT, type Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { say, type Context } from '../context.ts'
import { forEach } from '../each.ts'
import { codeOf, EXIT, Failure, messageOf, Misuse, Refused } from '../failures.ts'
import { field } from '../http.ts'
import { printData, printList } from '../output/print.ts'
import { addressesOf, ago } from '../words.ts'

/** Where what a capsule was made of is remembered, so that it can be compared. */
const APPLIED = 'zund/applied'

export const apply: Command = {
  name: 'capsule apply',
  about: 'Makes a capsule as a file says; nothing if it is there and of the same file',
  operands: '',
  count: [0, 0],
  completes: 'files',
  options: {
    file: { short: 'f', value: 'FILE', about: 'template in YAML or JSON, - for standard input' },
    replace: { about: 'delete one that is different, and make it anew' },
    'no-wait': { about: 'return when the request is accepted' },
  },
  run: applyFile,
}

async function applyFile(args: Parsed, context: Context): Promise<number> {
  const path = args.text('file')
  if (path === undefined) throw new Misuse('capsule apply needs --file')
  const template = await readTemplate(path, context)
  const metadata = record(template['metadata'])
  const name = metadata['name']
  if (typeof name !== 'string' || name === '')
    throw new Failure(`${path}: metadata.name is missing; by it the capsule is found again`)
  const applied = createHash('sha256').update(canonical(template)).digest('hex')
  const api = await context.api()
  const present = await find(api, name)
  if (present !== undefined) {
    const before = field(present.annotations, APPLIED)
    if (before === applied) {
      await say(context, `${name} unchanged`)
      return EXIT.ok
    }
    const why = typeof before === 'string' ? `is not as ${path} says` : 'was not made by `capsule apply`'
    if (!args.has('replace')) throw new Failure(`capsule ${name} ${why}; --replace deletes it and makes it anew`)
    await api.call('DELETE', `capsules/${present.uuid}`)
    await gone(api, present.uuid, context)
  }
  const annotations = { ...record(metadata['annotations']), [APPLIED]: applied }
  const json = { template: { ...template, metadata: { ...metadata, annotations } } }
  const { uuid } = await api.call<Capsule>('POST', 'capsules', { json })
  if (!args.has('no-wait')) await running(api, uuid, context)
  await say(context, `${name} ${present === undefined ? 'created' : 'replaced'}`)
  return EXIT.ok
}

async function readTemplate(path: string, { stdin }: Context): Promise<Readonly<Record<string, unknown>>> {
  let text: string
  try {
    text = path === '-' ? await textOf(stdin) : readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${codeOf(error)}`, EXIT.failed, { cause: error })
  }
  const { parse } = await import('yaml')
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${messageOf(error).split('\n')[0]}`, EXIT.failed, { cause: error })
  }
  if (typeof document !== 'object' || document === null) throw new Failure(`${path} has no template of a capsule`)
  return record(document)
}

/** The same text whatever the order of the keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

async function find(api: Api, name: string): Promise<Capsule | undefined> {
  try {
    return await api.call<Capsule>('GET', `capsules/${segment(name)}`)
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined
    throw error
  }
}

async function gone(api: Api, uuid: string, { signal }: Context): Promise<void> {
  while ((await find(api, uuid)) !== undefined) await sleep(200, undefined, { signal })
}

async function running(api: Api, uuid: string, { signal }: Context): Promise<void> {
  for (;;) {
    const now = await find(api, uuid)
    if (now === undefined) throw new Failure('the capsule was deleted meanwhile')
    if (now.status === 'Error') throw new Failure(now.status_reason ?? 'the capsule is in status Error')
    if (now.status !== 'Creating') return
    await sleep(200, undefined, { signal })
  }
}

export const list: Command = {
  name: 'capsule ls',
  about: 'Lists the capsules of the project',
  operands: '',
  count: [0, 0],
  options: { quiet: { short: 'q', about: 'only uuids' }, ...FORMAT },
  run: async (args, context) => {
    const found = await (await context.api()).list<Capsule>('capsules', 'capsules')
    if (args.has('quiet')) {
      for (const { uuid } of found) await say(context, uuid)
      return EXIT.ok
    }
    const now = Date.now()
    await printList(context, args, found, {
      columns: [
        { title: 'UUID', least: 8, of: ({ uuid }) => uuid },
        { title: 'NAME', least: 10, of: ({ name }) => name ?? '' },
        { title: 'STATUS', least: 8, of: ({ status }) => status },
        { title: 'CONTAINERS', of: ({ containers }) => String(containers.length) },
        { title: 'CREATED', of: ({ created_at }) => ago(created_at, now) },
        { title: 'ADDRESSES', of: (one) => addressesOf(one) },
      ],
      name: ({ name, uuid }) => name ?? uuid,
    })
    return EXIT.ok
  },
}

export const show: Command = {
  name: 'capsule show',
  about: 'Shows all there is to know of a capsule',
  operands: 'CAPSULE',
  count: [1, 1],
  completes: 'capsules',
  options: { output: { short: 'o', value: 'FORMAT', choices: ['json', 'yaml'], about: 'form of the output' } },
  run: async (args, context) => {
    const found = await (await context.api()).call<Capsule>('GET', `capsules/${segment(args.operand(0))}`)
    await printData(context, args.text('output') ?? 'json', found)
    return EXIT.ok
  },
}

export const remove: Command = {
  name: 'capsule rm',
  about: 'Deletes capsules with their containers',
  operands: 'CAPSULE...',
  count: [1, 1000],
  completes: 'capsules',
  options: { 'no-wait': { about: 'return when the request is accepted' } },
  run: async (args, context) => {
    const api = await context.api()
    return await forEach(context, args.operands, async (ident) => {
      const { uuid } = await api.call<Capsule>('GET', `capsules/${segment(ident)}`)
      await api.call('DELETE', `capsules/${uuid}`)
      if (!args.has('no-wait')) await gone(api, uuid, context)
      return ident
    })
  },
}
