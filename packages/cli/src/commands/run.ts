import type { Container } from '@zund/client'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { complain, say, write, type Context } from '../context.ts'
import { EXIT, Failure, Misuse, messageOf } from '../failures.ts'
import { Progress } from '../output/progress.ts'
import { showPull } from '../pull-progress.ts'
import { settled } from '../settle.ts'
import { bodyOf, CREATE_OPTIONS } from './create-options.ts'
import { make } from './create.ts'

export const run: Command = {
  name: 'run',
  about: 'Makes a container, starts it, shows what it writes, and ends with its exit status',
  operands: 'IMAGE [COMMAND...]',
  count: [1, Infinity],
  stopsAt: 1,
  options: {
    ...CREATE_OPTIONS,
    detach: { short: 'd', about: 'print its uuid and leave it running' },
    rm: { about: 'delete it when it ends' },
  },
  more: 'Ctrl-P Ctrl-Q leaves a container with a terminal; it goes on.\nExit status: that of the program; 125 when it could not be run at all.',
  run: runContainer,
}

async function runContainer(args: Parsed, context: Context): Promise<number> {
  const detached = args.has('detach')
  const restarts = args.has('restart') && args.text('restart') !== 'no'
  if (args.has('rm') && restarts) throw new Misuse('--rm and --restart do not go together')
  const body = { ...bodyOf(args, context.env), ...(args.has('rm') ? { auto_remove: true } : {}) }
  const [input, tty] = [args.has('interactive') && !detached, args.has('tty')]
  if (input && tty && !context.stdin.isTTY)
    throw new Failure('standard input is no terminal; leave out -t', EXIT.notRun)
  const api = await context.api()
  // What ends at once, or is deleted as it ends, must be attached to before it is started.
  const first = !detached && api.has('streams')
  const { uuid } = await make(api, body, !first)
  await made(api, context, uuid, first)
  if (detached) {
    await say(context, uuid)
    return EXIT.ok
  }
  const passed = passInterrupt(api, context, uuid)
  try {
    if (!first)
      return tty ? await onTerminal(api, context, uuid, input) : await withoutStreams(api, context, uuid, input)
    const { exitStatus, startAttached } = await import('./attach.ts')
    const end = await startAttached(api, context, uuid, { tty, input })
    return end.left ? EXIT.ok : await exitStatus(api, context, uuid, end)
  } finally {
    await passed()
  }
}

/** Waits until it can be started, or has been; it may have to bring the image first. */
async function made(api: Api, context: Context, uuid: string, first: boolean): Promise<void> {
  const progress = new Progress(context)
  const done = new AbortController()
  const tells = progress.shown && api.has('events')
  if (tells) void showPull(api, uuid, progress, done.signal)
  const seen = (one: Container): void => {
    // While an image is pulled its events tell more.
    if (!tells || one.task_state !== 'image_pulling') progress.show(textOf(one))
  }
  try {
    const o = { signal: context.signal, ...(progress.shown ? { seen } : {}) }
    const found = await settled(api, uuid, first ? ['Created'] : ['Running', 'Stopped', 'Dead'], o)
    if (found?.status === 'Error') throw new Failure(found.status_reason ?? 'the container could not be started')
  } finally {
    done.abort()
    progress.clear()
  }
}

function textOf({ status, task_state, status_detail }: Container): string {
  return [status, task_state ?? '', status_detail ?? ''].filter((text) => text !== '').join(' · ')
}

/** The container may have ended already: then what it wrote is in its log. */
async function onTerminal(api: Api, context: Context, uuid: string, input: boolean): Promise<number> {
  const { attachTo, exitStatus } = await import('./attach.ts')
  try {
    // It may have written before one could attach.
    const log = async (): Promise<string> => await api.call<string>('GET', `containers/${uuid}/logs`)
    const end = await attachTo(api, context, uuid, { tty: true, input, log })
    if (end.left) return EXIT.ok
    return await exitStatus(api, context, uuid, end)
  } catch (error) {
    const now = await settled(api, uuid, ['Running', 'Stopped', 'Dead'], { signal: context.signal })
    if (now?.status === 'Running') throw error
    if (now !== null) await write(context.stdout, await api.call<string>('GET', `containers/${uuid}/logs`))
    return await exitStatus(api, context, uuid, null)
  }
}

async function withoutStreams(api: Api, context: Context, uuid: string, input: boolean): Promise<number> {
  const { exitStatus } = await import('./attach.ts')
  if (input) throw new Failure('this service cannot hand on standard input without a terminal; leave out -i, or add -t')
  const code = await exitStatus(api, context, uuid, null)
  try {
    await write(context.stdout, await api.call<string>('GET', `containers/${uuid}/logs`))
  } catch (error) {
    await complain(context, `what it wrote is gone: ${messageOf(error)}`)
  }
  return code
}

/** Ctrl-C here is Ctrl-C there; what is given back waits until it has been told. */
function passInterrupt(api: Api, { signal }: Context, uuid: string): () => Promise<void> {
  let told: Promise<unknown> = Promise.resolve()
  const tell = (): void => {
    const rest = AbortSignal.timeout(5_000)
    told = api
      .call('POST', `containers/${uuid}/kill`, { json: { signal: 'SIGINT' }, signal: rest })
      .catch(() => undefined)
  }
  signal.addEventListener('abort', tell, { once: true })
  return async () => {
    signal.removeEventListener('abort', tell)
    await told
  }
}
