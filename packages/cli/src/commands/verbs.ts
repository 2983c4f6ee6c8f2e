/** Commands that ask one thing of several containers. */
import type { Api } from '../api.ts'
import type { Command, Option } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { forEach } from '../each.ts'
import { Failure } from '../failures.ts'
import { settled } from '../settle.ts'

interface Verb {
  readonly about: string
  readonly options?: Readonly<Record<string, Option>>
  readonly act: (api: Api, uuid: string, args: Parsed) => Promise<unknown>
  /** Statuses in which it is done. */
  readonly until: readonly string[]
}

const TIME: Readonly<Record<string, Option>> = {
  time: { short: 't', value: 'SECONDS', number: 'whole', about: 'until it is killed' },
}
const action = (name: string, fields: (args: Parsed) => object = () => ({})) => {
  return async (api: Api, uuid: string, args: Parsed): Promise<unknown> =>
    await api.call('POST', `containers/${uuid}/${name}`, { json: fields(args) })
}
const timeout = (args: Parsed): object => (args.has('time') ? { timeout: args.number('time') } : {})

const VERBS: Readonly<Record<string, Verb>> = {
  start: { about: 'Starts containers', act: action('start'), until: ['Running', 'Stopped'] },
  stop: { about: 'Stops containers', options: TIME, act: action('stop', timeout), until: ['Stopped'] },
  restart: {
    about: 'Stops containers and starts them again',
    options: TIME,
    act: action('reboot', timeout),
    until: ['Running', 'Stopped'],
  },
  kill: {
    about: 'Sends a signal to containers',
    options: { signal: { short: 's', value: 'SIGNAL', about: 'name or number; KILL if absent' } },
    act: action('kill', (args) => (args.has('signal') ? { signal: args.text('signal') } : {})),
    until: ['Running', 'Stopped'],
  },
  pause: { about: 'Freezes the processes of containers', act: action('pause'), until: ['Paused'] },
  unpause: { about: 'Lets paused containers go on', act: action('unpause'), until: ['Running', 'Stopped'] },
  rm: {
    about: 'Deletes containers',
    options: { force: { short: 'f', about: 'also those that run: they are stopped first' } },
    act: async (api, uuid, args) =>
      await api.call('DELETE', `containers/${uuid}`, { query: args.has('force') ? { stop: true } : {} }),
    until: [],
  },
}

export function verb(name: string): Command {
  if (name === 'rename') return rename
  const found = VERBS[name]
  if (found === undefined) throw new Error(`there is no verb ${name}`)
  return {
    name,
    about: found.about,
    operands: 'CONTAINER...',
    count: [1, 1000],
    completes: 'containers',
    options: { ...found.options, 'no-wait': { about: 'return when the request is accepted' } },
    run: async (args, context) => await ask(found, args, context),
  }
}

async function ask(found: Verb, args: Parsed, context: Context): Promise<number> {
  const api = await context.api()
  const { signal } = context
  // All are asked first, and then waited for: ten stops take as long as one.
  const asked = new Map<string, string>()
  const first = await forEach(context, args.operands, async (ident) => {
    const uuid = await api.uuidOf(ident)
    await found.act(api, uuid, args)
    asked.set(ident, uuid)
    return undefined
  })
  const second = await forEach(context, [...asked.keys()], async (ident) => {
    const uuid = asked.get(ident) ?? ''
    if (!args.has('no-wait')) {
      const now = await settled(api, uuid, found.until, { signal })
      if (now?.status === 'Error') throw new Failure(`${ident}: ${now.status_reason ?? 'it is in status Error'}`)
    }
    return ident
  })
  return Math.max(first, second)
}

const rename: Command = {
  name: 'rename',
  about: 'Gives a container another name',
  operands: 'CONTAINER NEW-NAME',
  count: [2, 2],
  completes: 'containers',
  options: {},
  run: async (args, context) => {
    const api = await context.api()
    const uuid = await api.uuidOf(args.operand(0))
    await api.call('PATCH', `containers/${uuid}`, { json: { name: args.operand(1) } })
    return 0
  },
}
