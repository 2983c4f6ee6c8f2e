import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { complain, say, type Context } from '../context.ts'
import { messages } from '../event-stream.ts'
import { Failure, Misuse } from '../failures.ts'
import { field } from '../http.ts'
import { printable } from '../output/table.ts'

const FILTERS = ['type', 'container', 'status']

export const events: Command = {
  name: 'events',
  about: 'Shows what happens to the containers of the project, as it happens, until Ctrl-C',
  operands: '',
  count: [0, 0],
  options: {
    since: { value: 'ID', number: 'whole', about: 'begin behind the event of this id, which -o json shows' },
    filter: { short: 'f', value: 'KEY=VALUE', many: true, about: `only those: ${FILTERS.join(', ')}` },
    'all-projects': { about: 'of all projects, for admins' },
    output: { short: 'o', value: 'FORMAT', choices: ['table', 'json'], about: 'a line for people, or the event' },
  },
  run: follow,
}

async function follow(args: Parsed, context: Context): Promise<number> {
  const filters = args.all('filter').map(readFilter)
  const of = (key: string): string[] => filters.filter(([name]) => name === key).map(([, value]) => value)
  const api = await context.api()
  if (!api.has('events')) throw new Failure('this service does not tell what happens (no extension events)')
  const uuids = []
  for (const ident of of('container')) uuids.push(await api.uuidOf(ident))
  const statuses = of('status').map((one) => one.toLowerCase())
  let last = args.text('since')
  // The stream ends when the service stops, and when the token does; it goes on where it was.
  for (;;) {
    const answer = await api.open('GET', 'events', {
      query: {
        ...(uuids.length > 0 ? { uuid: uuids } : {}),
        ...(of('type').length > 0 ? { type: of('type') } : {}),
        ...(args.has('all-projects') ? { all_projects: true } : {}),
        ...(last === undefined ? {} : { last_event_id: last }),
      },
      headers: { accept: 'text/event-stream' },
      timeoutMs: 60_000,
    })
    for await (const { id, data } of messages(answer)) {
      last = id ?? last
      if (data === undefined) continue
      const event: unknown = JSON.parse(data)
      const status = field(event, 'status')
      if (statuses.length > 0 && !(typeof status === 'string' && statuses.includes(status.toLowerCase()))) continue
      const type = field(event, 'type')
      if (type === 'reset') await complain(context, 'what happened before is not kept any more')
      if (type === 'ready' || type === 'reset') continue
      await say(context, args.text('output') === 'json' ? data : lineOf(event))
    }
  }
}

function lineOf(event: unknown): string {
  const text = (name: string): string => {
    const value = field(event, name)
    return typeof value === 'string' ? value : ''
  }
  const detail = [
    'previous_status',
    'status',
    'status_reason',
    'action',
    'step',
    'state',
    'detail',
    'message',
    'error_message',
  ]
    .filter((name) => text(name) !== '')
    .map((name) => `${name}=${/[\s"]/.test(text(name)) ? JSON.stringify(text(name)) : text(name)}`)
  return printable([text('time'), text('type'), text('name') || text('uuid'), ...detail].join(' '))
}

function readFilter(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  const key = at < 0 ? text : text.slice(0, at)
  if (at < 0) throw new Misuse(`--filter is '${text}', and must be KEY=VALUE`)
  if (!FILTERS.includes(key)) throw new Misuse(`--filter has no key '${key}'; there are ${FILTERS.join(', ')}`)
  return [key, text.slice(at + 1)]
}
