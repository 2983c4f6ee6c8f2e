import type { ListedContainer } from '@zund/client'
import { FORMAT, type Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { say, type Context } from '../context.ts'
import { EXIT, Misuse } from '../failures.ts'
import { printList, type Shown } from '../output/print.ts'
import { addressesOf, ago } from '../words.ts'

/** What the service can choose by; labels are looked at here. */
const FILTERS = ['name', 'image', 'status', 'host', 'task_state', 'memory', 'auto_remove', 'user_id', 'project_id']

/** Without -a: what does something, or is about to. */
const QUIET_STATUSES: readonly string[] = ['Stopped', 'Created', 'Deleted', 'Dead']

export const ps: Command = {
  name: 'ps',
  aliases: ['ls'],
  about: 'Lists the containers of the project: those that run, or with -a all',
  operands: '',
  count: [0, 0],
  options: {
    all: { short: 'a', about: 'also those that do not run' },
    quiet: { short: 'q', about: 'only uuids' },
    filter: {
      short: 'f',
      value: 'KEY=VALUE',
      many: true,
      about: `only those: ${FILTERS.join(', ')}, label=NAME[=VALUE]`,
    },
    'all-projects': { about: 'those of all projects, for admins' },
    'no-trunc': { about: 'as wide as it has to be' },
    ...FORMAT,
  },
  run: list,
}

async function list(args: Parsed, context: Context): Promise<number> {
  const filters = args.all('filter').map(readFilter)
  const api = await context.api()
  const query: Record<string, string | readonly string[]> = {}
  for (const key of FILTERS) {
    const values = filters.filter(([name]) => name === key).map(([, value]) => value)
    if (values.length > 0) query[key] = values
  }
  if (args.has('all-projects')) query['all_projects'] = 'true'
  const all = args.has('all') || query['status'] !== undefined
  const labels = filters.filter(([name]) => name === 'label').map(([, value]) => value)
  const found = (await api.list<ListedContainer>('containers', 'containers', query)).filter(
    (one) => (all || !QUIET_STATUSES.includes(one.status)) && labels.every((label) => hasLabel(one, label)),
  )
  if (args.has('quiet')) {
    for (const { uuid } of found) await say(context, uuid)
    return EXIT.ok
  }
  await printList(context, args, found, {
    columns: columns(Date.now()),
    name: ({ name, uuid }) => name ?? uuid,
    whole: args.has('no-trunc'),
  })
  return EXIT.ok
}

function columns(now: number): Shown<ListedContainer>[] {
  return [
    { title: 'UUID', least: 8, of: ({ uuid }) => uuid },
    { title: 'NAME', least: 10, of: ({ name }) => name ?? '' },
    {
      title: 'STATUS',
      least: 8,
      of: ({ status, task_state }) => (task_state === null ? status : `${status} (${task_state})`),
    },
    { title: 'IMAGE', of: ({ image }) => image },
    { title: 'CREATED', of: ({ created_at }) => ago(created_at, now) },
    { title: 'ADDRESSES', of: addressesOf },
    { title: 'COMMAND', of: ({ command }) => command.join(' ') },
  ]
}

function readFilter(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  const key = at < 0 ? text : text.slice(0, at)
  if (at < 0) throw new Misuse(`--filter is '${text}', and must be KEY=VALUE`)
  if (key === 'label' || FILTERS.includes(key)) return [key, text.slice(at + 1)]
  throw new Misuse(`--filter has no key '${key}'; there are ${FILTERS.join(', ')}, label`)
}

function hasLabel({ labels }: ListedContainer, wanted: string): boolean {
  const [name = '', ...value] = wanted.split('=')
  if (!Object.hasOwn(labels, name)) return false
  return value.length === 0 || labels[name] === value.join('=')
}
