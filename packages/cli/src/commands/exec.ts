import type { Executed } from '@zund/client'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { write, type Context } from '../context.ts'
import { EXIT, Failure } from '../failures.ts'

export const exec: Command = {
  name: 'exec',
  about: 'Runs a command in a container that runs, and ends with its exit status',
  operands: 'CONTAINER COMMAND...',
  count: [2, Infinity],
  stopsAt: 1,
  completes: 'containers',
  options: {
    interactive: { short: 'i', about: 'hand on standard input' },
    tty: { short: 't', about: 'give it a terminal' },
    env: { short: 'e', value: 'NAME=VALUE', many: true, about: 'environment, set by `env` of the container' },
  },
  more: 'Ctrl-P Ctrl-Q leaves a command with a terminal; it goes on.\nExit status: that of the command; 125 when it could not be run at all.',
  run: execute,
}

async function execute(args: Parsed, context: Context): Promise<number> {
  const [ident = '', ...words] = args.operands
  const command = args.has('env') ? ['env', ...args.all('env'), ...words] : words
  const [interactive, tty] = [args.has('interactive'), args.has('tty')]
  if (interactive && tty && !context.stdin.isTTY)
    throw new Failure('standard input is no terminal; leave out -t', EXIT.notRun)
  const api = await context.api()
  const uuid = await api.uuidOf(ident)
  if (!api.has('streams') && !tty) return await bounded(api, context, uuid, command, interactive)
  const made = await api.call<Executed>('POST', `containers/${uuid}/execute`, {
    json: api.has('streams') ? { command, run: false, interactive, tty } : { command, run: false, interactive: true },
  })
  if (made.proxy_url === null) throw new Failure('the service gave no address for the command')
  const { talk } = await import('../terminal/talk.ts')
  const end = await talk(api, context, made.proxy_url, {
    tty,
    input: interactive,
    resize: async (w, h) => {
      await api.call('POST', `containers/${uuid}/execute_resize`, { json: { exec_id: made.exec_id, w, h } })
    },
  })
  if (end.reason !== null) throw new Failure(end.reason)
  return end.exitCode ?? EXIT.ok
}

/** Services without streams run a command to its end and answer both outputs as one. */
async function bounded(
  api: Api,
  context: Context,
  uuid: string,
  command: readonly string[],
  input: boolean,
): Promise<number> {
  if (input) throw new Failure('this service cannot hand on standard input without a terminal; leave out -i, or add -t')
  const { output, exit_code } = await api.call<Executed>('POST', `containers/${uuid}/execute`, {
    json: { command, run: true },
  })
  await write(context.stdout, output ?? '')
  return exit_code ?? EXIT.failed
}
