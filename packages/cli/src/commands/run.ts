import type { Container } from '@zund/client'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { complain, say, write, type Context } from '../context.ts'
import { EXIT, Failure, Misuse, messageOf } from '../failures.ts'
import { Progress } from '../output/progress.ts'
import { settled, started } from '../settle.ts'
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
  const { uuid } = await make(api, body, true)
  const progress = new Progress(context)
  try {
    await started(api, uuid, {
      signal: context.signal,
      ...(progress.shown ? { seen: (one) => progress.show(textOf(one)) } : {}),
    })
  } finally {
    progress.clear()
  }
  if (detached) {
    await say(context, uuid)
    return EXIT.ok
  }
  const passed = passInterrupt(api, context, uuid)
  try {
    return tty ? await onTerminal(api, context, uuid, input) : await withPipes(api, context, uuid, input)
  } finally {
    await passed()
  }
}

function textOf({ status, task_state, status_detail }: Container): string {
  return [status, task_state ?? '', status_detail ?? ''].filter((text) => text !== '').join(' · ')
}

/** The container may have ended already: then what it wrote is in its log. */
async function onTerminal(api: Api, context: Context, uuid: string, input: boolean): Promise<number> {
  const { attachTo, exitStatus } = await import('./attach.ts')
  try {
    const end = await attachTo(api, context, uuid, { tty: true, input })
    if (end.left) return EXIT.ok
    return await exitStatus(api, context, uuid, end)
  } catch (error) {
    const now = await settled(api, uuid, ['Running', 'Stopped', 'Dead'], { signal: context.signal })
    if (now?.status === 'Running') throw error
    if (now !== null) await write(context.stdout, await api.call<string>('GET', `containers/${uuid}/logs`))
    return await exitStatus(api, context, uuid, null)
  }
}

/** The log has everything from the first byte on, which an attachment that comes later has not. */
async function withPipes(api: Api, context: Context, uuid: string, input: boolean): Promise<number> {
  const { attachTo, exitStatus } = await import('./attach.ts')
  const { follow } = await import('./logs.ts')
  if (api.has('streams')) {
    const typed = input
      ? attachTo(api, context, uuid, { tty: false, input: true, output: false })
      : Promise.resolve(null)
    // It may have ended before one could type; the log tells what it wrote all the same.
    typed.catch(() => undefined)
    await follow(api, context, uuid, {})
    return await exitStatus(api, context, uuid, null)
  }
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
