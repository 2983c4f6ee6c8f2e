import type { Command } from './args/command.ts'
import { parse } from './args/parse.ts'
import { find } from './commands.ts'
import { complain, say, type Context } from './context.ts'
import { EXIT, Failure, messageOf, Refused } from './failures.ts'

/** Gives the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupted = new AbortController()
  const context = contextOf(interrupted.signal, () => undefined)
  const { name, rest, load } = find(argv)
  if (load === undefined) {
    if (name === '' || name === 'help') return await help(context, rest)
    await complain(context, `there is no command '${name}'; see zund help`)
    return EXIT.misused
  }
  // Raw terminals never get here: Ctrl-C is a key of theirs. A second one ends whatever does not listen.
  process.once('SIGINT', () => {
    interrupted.abort(new Failure('interrupted', EXIT.interrupted))
    process.once('SIGINT', () => process.exit(EXIT.interrupted))
  })
  const command = await load()
  const refusedWith = ['run', 'exec'].includes(command.name) ? EXIT.notRun : EXIT.failed
  try {
    const args = parse(command, rest)
    if (args.has('help')) {
      const { helpOf } = await import('./args/help.ts')
      await say(context, helpOf(command))
      return EXIT.ok
    }
    return await command.run(
      args,
      contextOf(interrupted.signal, () => args.text('os-cloud')),
    )
  } catch (error) {
    if (interrupted.signal.aborted) return EXIT.interrupted
    if (!(error instanceof Failure)) {
      await complain(context, messageOf(error))
      if (process.env['ZUND_DEBUG'] !== undefined) console.error(error)
      return refusedWith
    }
    await complain(context, error.message)
    return error instanceof Refused || error.exitCode === EXIT.failed ? refusedWith : error.exitCode
  }
}

function contextOf(signal: AbortSignal, cloud: () => string | undefined): Context {
  const { env, stdin, stdout, stderr } = process
  let opened: ReturnType<Context['api']> | undefined
  const open = async (): ReturnType<Context['api']> => {
    const [{ Api }, { Sessions }] = await Promise.all([import('./api.ts'), import('./cloud/session.ts')])
    return await Api.open(new Sessions(env, cloud(), signal), signal)
  }
  return { env, stdin, stdout, stderr, signal, api: () => (opened ??= open()) }
}

async function help(context: Context, words: readonly string[]): Promise<number> {
  if (words.length === 0) {
    const { overview } = await import('./commands.ts')
    await say(context, overview())
    return EXIT.ok
  }
  const { name, load } = find(words)
  if (load === undefined) {
    await complain(context, `there is no help about '${name}'; see zund help`)
    return EXIT.misused
  }
  const command: Command = await load()
  const { helpOf } = await import('./args/help.ts')
  await say(context, helpOf(command))
  return EXIT.ok
}
