import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import type { Context } from '../context.ts'
import { EXIT, Failure } from '../failures.ts'
import { settled, started } from '../settle.ts'
import { talk, type TalkOptions, type Talked } from '../terminal/talk.ts'
import { exitCodeOf } from '../words.ts'

export const attach: Command = {
  name: 'attach',
  about: 'Connects this terminal with the program of a container, and ends with its exit status',
  operands: 'CONTAINER',
  count: [1, 1],
  completes: 'containers',
  options: { 'no-stdin': { about: 'only look' } },
  more: 'Ctrl-P Ctrl-Q leaves it; the container goes on.',
  run: async (args, context) => {
    const api = await context.api()
    const { uuid, tty, interactive } = await api.container(args.operand(0))
    const end = await attachTo(api, context, uuid, { tty, input: interactive && !args.has('no-stdin') })
    return end.left ? EXIT.ok : await exitStatus(api, context, uuid, end)
  },
}

export async function attachTo(
  api: Api,
  context: Context,
  uuid: string,
  options: Pick<TalkOptions, 'tty' | 'input' | 'output' | 'log'>,
): Promise<Talked> {
  return await talkTo(api, context, uuid, await api.call<string>('GET', `containers/${uuid}/attach`), options)
}

/** Attached to before it runs, so that nothing of what it says is missed; then started. */
export async function startAttached(
  api: Api,
  context: Context,
  uuid: string,
  options: Pick<TalkOptions, 'tty' | 'input'>,
): Promise<Talked> {
  const query = { before_start: true }
  const url = await api.call<string>('GET', `containers/${uuid}/attach`, { query })
  const connected = async (): Promise<void> => {
    await api.call('POST', `containers/${uuid}/start`)
    await started(api, uuid, { signal: context.signal })
  }
  return await talkTo(api, context, uuid, url, { ...options, connected })
}

async function talkTo(
  api: Api,
  context: Context,
  uuid: string,
  url: string,
  options: Omit<TalkOptions, 'resize'>,
): Promise<Talked> {
  return await talk(api, context, url, {
    ...options,
    resize: async (w, h) => {
      await api.call('POST', `containers/${uuid}/resize`, { json: { w, h } })
    },
  })
}

/** The stream tells it, or the container does, or what is remembered of one that deletes itself. */
export async function exitStatus(api: Api, { signal }: Context, uuid: string, end: Talked | null): Promise<number> {
  if (end !== null && end.exitCode !== null) return end.exitCode
  if (end !== null && end.reason !== null) throw new Failure(end.reason)
  const found = await settled(api, uuid, ['Stopped', 'Created', 'Dead'], { signal })
  if (found?.status === 'Error') throw new Failure(found.status_reason ?? 'the container is in status Error')
  const told = exitCodeOf(found?.status_detail ?? null)
  if (told !== undefined) return told
  if (!api.has('container-history')) return EXIT.ok
  const { stops } = await api.call<{ stops: readonly { exit_code: number | null }[] }>(
    'GET',
    `history/containers/${uuid}`,
  )
  return stops[0]?.exit_code ?? EXIT.ok
}
